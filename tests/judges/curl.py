# judge: curl's test suite
# from: debian curl@7.88.1
# checks: oneup curl: in each test of HTTP whose options it accepts, the same bytes at the server, in every file and on stdout, and the same exit code, as plain curl with the same header

import collections
import fcntl
import hashlib
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

from harness import INSTALLED, ONEUP, Home, check, here, note, temp_dir

# A tenth of the tests by number, unless the whole suite is asked for.
TENTH = None if os.environ.get("JUDGE_FULL") else 1
TESTS = INSTALLED / "source" / "tests"
TOKEN = "token-of-the-test-suite"
CURL = INSTALLED / "source" / "src" / "curl"


def numbers():
    """The tests of HTTP that run the tool and nothing else."""
    for file in (TESTS / "data").glob("test[0-9]*"):
        number, text = int(file.name[4:]), file.read_text(errors="replace")
        keywords = re.search(r"<keywords>(.*?)</keywords>", text, re.DOTALL)
        is_http = keywords and any(word.strip().startswith("HTTP") for word in keywords[1].splitlines())
        if is_http and "<tool>" not in text and (TENTH is None or number % 10 == TENTH):
            yield number


class TokenEndpoint(http.server.BaseHTTPRequestHandler):
    """Issues the same token always, so that what plain curl did with it can be kept."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps({"access_token": TOKEN, "token_type": "Bearer", "expires_in": 86400}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def log_in(path):
    server = http.server.HTTPServer(("127.0.0.1", 0), TokenEndpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    home = Home(path, ONEUP_CLIENT_SECRET="secret")
    result = home.run("login", "provider", "--client-id", "curl", "--token-url", f"{base}/token", "--fhir-base", base)
    server.shutdown()
    assert result.returncode == 0, result.stderr
    return home


def run(home, mode, records, tests):
    """Runs the suite with the wrapper in place of curl. Its own result is that of a request without the token."""
    # The interpreter itself: what PATH has may be a slow script.
    stub = home.path / "curl"
    stub.write_text(f"#!/bin/sh\nexec '{sys.executable}' -ISB '{here('curl-wrapper')}' \"$@\"\n")
    stub.chmod(0o755)
    environment = home.env | {
        "PATH": f"{CURL.parent}:{os.environ['PATH']}", "ONEUP_BIN": ONEUP, "JUDGE_MODE": mode, "JUDGE_CURL": str(CURL),
        "JUDGE_TOKEN": TOKEN, "JUDGE_RECORDS": str(records)}
    subprocess.run(["perl", "runtests.pl", "-n", "-a", "-k", "-s", "-c", str(stub), "-vc", str(CURL), *map(str, tests)],
                   cwd=TESTS, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=sys.stderr, check=False)


def has_result(record):
    """Whether a test ran to its end with its server there: 7 is curl's code for no connection."""
    return (record / "exit").exists() and (record / "exit").read_text() != "7"


def plain_curl(home, tests):
    """What plain curl did in these tests, from the cache where it is there; one without a result is done again."""
    sources = [Path(here(name)).read_bytes() for name in ("curl.py", "curl-wrapper")]
    digest = hashlib.sha256(b"".join(sources)).hexdigest()[:8]
    records = INSTALLED / f"plain-{digest}"
    missing = [number for number in tests if not has_result(records / str(number))]
    for number in missing:
        shutil.rmtree(records / str(number), ignore_errors=True)
    run(home, "plain", records, missing)
    return records


def same(text):
    """What differs from run to run: ports, boundaries, times."""
    text = re.sub(rb"(127\.0\.0\.1|localhost|\[::1\]|[\w.-]+\.[a-z]+|HTTP/1.[01]' )?:\d{4,5}\b", b"HOST:PORT", text)
    text = re.sub(rb"-{24}[0-9a-zA-Z]{16,22}", b"BOUNDARY", text)
    return re.sub(rb"port \d{4,5}", b"port PORT", text)


def contents(directory):
    return {file.name: same(file.read_bytes()) for file in directory.iterdir() if not file.name.startswith("stderr")}


def compare(control, oneup):
    ours, theirs = contents(oneup), contents(control)
    differences = []
    for name in sorted(ours.keys() | theirs.keys()):
        if ours.get(name) != theirs.get(name):
            differences.append(f"{name}: curl {theirs.get(name, b'(none)')[:300]!r}\n oneup {ours.get(name, b'(none)')[:300]!r}")
    return differences


def refusal(directory):
    """oneup's reason not to run curl; none if curl ran."""
    if (directory / "exit").read_text() != "125":
        return None
    return "".join(file.read_text(errors="replace") for file in directory.glob("stderr*"))


def takes_https(control, oneup):
    """Whether oneup took a URL without a scheme for https, which plain curl takes for http: its TLS met a plain server."""
    requests = [directory / "server.input" for directory in (control, oneup)]
    hello = [file.exists() and file.read_bytes().startswith(b"\x16\x03\x01") for file in requests]
    return hello == [False, True]


def reason(text):
    line = next((line for line in text.splitlines() if line.startswith("error: ")), text[:100])
    line = re.sub(r'the URL ".*?" ', "the URL ", line.removeprefix("error: "))
    return re.sub(r"^\S+ is not one of", "a host is not one of", line)


def judge(plain, records, tests):
    refused, silent, without_scheme = collections.Counter(), [], 0
    for control in (plain / str(number) for number in tests):
        if not (control / "exit").exists():
            # This curl or this machine lacks what the test needs.
            continue
        oneup = records / control.name
        if not oneup.exists():
            check(f"test {control.name}", False, "oneup was not run")
            continue
        if said := refusal(oneup):
            refused[reason(said)] += 1
            if not re.match(r"error: .*hint: ", said, re.DOTALL):
                silent.append(control.name)
            continue
        if takes_https(control, oneup):
            without_scheme += 1
            continue
        differences = compare(control, oneup)
        check(f"test {control.name}", not differences, "\n".join(differences))
    check("each refusal says why, and what to do", not silent, f"tests {', '.join(silent)}")
    if without_scheme:
        note(f"{without_scheme} differ as documented: a URL without a scheme is https")
    for text, number in refused.most_common():
        note(f"{number} refused: {text}")


# The suite has one log directory: two runs at once would end each other's servers.
lock = open(INSTALLED / "lock", "w")
fcntl.flock(lock, fcntl.LOCK_EX)
with temp_dir() as path:
    home, tests = log_in(path), sorted(numbers())
    plain = plain_curl(home, tests)
    records = Path(os.environ.get("JUDGE_KEEP") or path / "records")
    run(home, "oneup", records, tests)
    judge(plain, records, tests)
