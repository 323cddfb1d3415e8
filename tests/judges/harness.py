"""What the drivers in Python share: oneup in a home of its own, the sandbox, a proxy, and reporting a check.

A driver prints one JSON object a line: `{"check": NAME, "ok": BOOL, "detail": TEXT}`. The runner counts them.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
from pathlib import Path

ONEUP = os.environ.get("ONEUP_BIN", "oneup")
ROOT = Path(sys.argv[0]).resolve().parent.parent.parent
# What the runner installed for this judge, and the fault that its self-check asks for.
INSTALLED = Path(os.environ.get("JUDGE_DIR", "."))
FAULT = os.environ.get("JUDGE_FAULT", "")
CLIENT_ID, CLIENT_SECRET = "oneup-sandbox", "not-a-secret"


def check(name, ok, detail=""):
    detail = str(detail).strip()[-2000:]
    print(json.dumps({"check": name, "ok": bool(ok), "detail": "" if ok else detail}), flush=True)
    return bool(ok)


def note(text):
    """A line for the table that is neither passed nor failed."""
    print(json.dumps({"note": text}), flush=True)


@contextlib.contextmanager
def checking(name):
    """Reports the block as a check that passes unless it raises."""
    try:
        yield
    except Exception as error:  # noqa: BLE001: each exception is a failed check
        check(name, False, f"{type(error).__name__}: {error}")
    else:
        check(name, True)


@contextlib.contextmanager
def temp_dir():
    path = tempfile.mkdtemp(prefix="oneup-judge-")
    try:
        yield Path(path)
    finally:
        shutil.rmtree(path, ignore_errors=True)


class Home:
    """oneup with directories of its own and the file store."""

    def __init__(self, path, **variables):
        self.path = path
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("ONEUP_")}
        self.env = inherited | {
            "ONEUP_CONFIG_DIR": str(path / "config"), "ONEUP_STATE_DIR": str(path / "state"),
            "ONEUP_STORE": "file", "ONEUP_NO_CACHE": "1", "ONEUP_NO_INPUT": "1",
        } | variables

    def run(self, *args, stdin="", **variables):
        return subprocess.run([ONEUP, *args], input=stdin, capture_output=True, text=True, errors="replace",
                              env=self.env | variables, timeout=120, check=False)

    def login(self, base, *args, product="provider"):
        result = self.run("login", product, "--gateway", base, "--client-id", CLIENT_ID, *args,
                          ONEUP_CLIENT_SECRET=CLIENT_SECRET)
        if result.returncode:
            raise RuntimeError(result.stderr)
        return self


def first_line(process, what):
    line = process.stdout.readline().strip()
    if not line:
        raise RuntimeError(f"{what} did not start")
    return line


def stop(process):
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def sandbox(*args):
    """A running sandbox; its URL. The fault of a self-check is on."""
    faults = ["--fail", FAULT] if FAULT else []
    process = subprocess.Popen([ONEUP, "sandbox", "serve", "-q", *faults, *args], stdout=subprocess.PIPE, text=True,
                               stdin=subprocess.DEVNULL)
    try:
        yield first_line(process, "the sandbox")
    finally:
        stop(process)


@contextlib.contextmanager
def proxy(home, *args):
    """A running `oneup proxy`; the URL that stands for the FHIR base."""
    process = subprocess.Popen([ONEUP, "proxy", *args], stdout=subprocess.PIPE, text=True, env=home.env,
                               stdin=subprocess.DEVNULL)
    try:
        yield first_line(process, "the proxy")
    finally:
        stop(process)


def fetch(url, token=None, data=None, headers=()):
    """The status, headers and body of a request; an error status is no exception."""
    request = urllib.request.Request(url, data=data, headers=dict(headers))
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=60) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def client_token(base, scope="bulk-data|user/*.rs"):
    """A token by client credentials, without oneup."""
    form = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "scope": scope}
    url = f"{base}/auth/realms/dev-portal/protocol/openid-connect/token"
    status, _, body = fetch(url, data=urllib.parse.urlencode(form).encode())
    if status != 200:
        raise RuntimeError(body.decode())
    return json.loads(body)["access_token"]


def tool(*command, timeout=180, **options):
    """Runs a judge's program; its output is shown if the judge fails."""
    return subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=timeout, check=False,
                          stdin=subprocess.DEVNULL, **options)


def node():
    """The pinned Node.js, which the runner has installed."""
    import install
    return install.node()


def java(main, *args, timeout=180):
    """Runs a class of the installed jars, or a source file beside this one with them."""
    quiet = ["-XX:TieredStopAtLevel=1", "-Xshare:auto", "-cp", f"{INSTALLED}/jars/*"]
    return tool("java", *quiet, main, *args, timeout=timeout)


def here(name):
    return str(Path(sys.argv[0]).resolve().parent / name)
