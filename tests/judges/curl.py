# judge: curl's test suite
# from: debian curl@7.88.1
# checks: oneup curl: in each test of HTTP whose options it accepts, the same bytes at the server, in every file and on stdout, and the same exit code, as plain curl with the same header
# alone: its parts use every core

import collections
import hashlib
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness import INSTALLED, ONEUP, Home, check, here, note, temp_dir

SOURCE = INSTALLED / "source"
CURL = SOURCE / "src" / "curl"
TOKEN = "token-of-the-test-suite"
# How many parts of the suite run at once. Tests wait more than they compute.
PARTS = 2 * os.cpu_count()


def numbers():
    """The tests of HTTP that run the tool and nothing else."""
    for file in (SOURCE / "tests" / "data").glob("test[0-9]*"):
        number, text = int(file.name[4:]), file.read_text(errors="replace")
        keywords = re.search(r"<keywords>(.*?)</keywords>", text, re.DOTALL)
        is_http = keywords and any(word.strip().startswith("HTTP") for word in keywords[1].splitlines())
        if is_http and "<tool>" not in text:
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


def stage(path):
    """A copy of the suite's directories, in links: the suite has its log and its servers where it runs."""
    tests = path / "tests"
    tests.mkdir(parents=True)
    for entry in SOURCE.iterdir():
        if entry.name != "tests":
            (path / entry.name).symlink_to(entry)
    for entry in (SOURCE / "tests").iterdir():
        if entry.name != "log" and not entry.name.endswith(".pid"):
            (tests / entry.name).symlink_to(entry)
    return tests


def run(home, mode, records, tests, parts=PARTS):
    """Runs the suite with the wrapper in place of curl. Its own result is that of a request without the token."""
    # The interpreter itself: what PATH has may be a slow script.
    stub = home.path / "curl"
    stub.write_text(f"#!/bin/sh\nexec '{sys.executable}' -ISB '{here('curl-wrapper')}' \"$@\"\n")
    stub.chmod(0o755)
    environment = home.env | {
        "PATH": f"{CURL.parent}:{os.environ['PATH']}", "ONEUP_BIN": ONEUP, "JUDGE_MODE": mode, "JUDGE_CURL": str(CURL),
        "JUDGE_TOKEN": TOKEN, "JUDGE_RECORDS": str(records)}

    def run_part(number):
        with temp_dir() as path:
            command = ["perl", "runtests.pl", "-n", "-a", "-k", "-s", "-c", str(stub), "-vc", str(CURL)]
            subprocess.run([*command, *map(str, tests[number::parts])], cwd=stage(path), env=environment,
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=sys.stderr, check=False)

    for number in tests:
        shutil.rmtree(records / str(number), ignore_errors=True)
    with ThreadPoolExecutor(parts) as pool:
        list(pool.map(run_part, range(min(parts, len(tests)))))


def has_result(record):
    """Whether a test ran to its end with its server there: 7 is curl's code for no connection."""
    return (record / "exit").exists() and (record / "exit").read_text() != "7"


def plain_curl(home, tests):
    """What plain curl did in these tests, from the cache where it is there; one without a result is done again."""
    sources = [Path(here(name)).read_bytes() for name in ("curl.py", "curl-wrapper")]
    digest = hashlib.sha256(b"".join(sources)).hexdigest()[:8]
    records = INSTALLED / f"plain-{digest}"
    for parts in (PARTS, 1):
        run(home, "plain", records, [number for number in tests if not has_result(records / str(number))], parts)
    return records


def same(text):
    """What differs from run to run: ports, boundaries, times."""
    # Not from within a word: in a long one the time would grow with the square of its length.
    host = rb"(?:(?<![\w.-])(?:127\.0\.0\.1|localhost|[\w.-]+\.[a-z]+)|\[::1\]|HTTP/1.[01]' )?"
    text = re.sub(host + rb":\d{4,5}\b", b"HOST:PORT", text)
    text = re.sub(rb"-{24}[0-9a-zA-Z]{16,22}", b"BOUNDARY", text)
    return re.sub(rb"(?i)(port(?: ==)?) \d{4,5}", rb"\1 PORT", text)


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


def is_different(control, oneup):
    """Whether oneup ran curl, and something differs."""
    if not has_result(control) or oneup.exists() and (refusal(oneup) or takes_https(control, oneup)):
        return False
    return not oneup.exists() or bool(compare(control, oneup))


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


with temp_dir() as path:
    home, tests = log_in(path), sorted(numbers())
    plain = plain_curl(home, tests)
    records = Path(os.environ.get("JUDGE_KEEP") or path / "records")
    run(home, "oneup", records, tests)
    # What differs because the machine was busy does not differ again.
    repeated = [number for number in tests if is_different(plain / str(number), records / str(number))]
    for mode, directory in (("plain", plain), ("oneup", records)):
        run(home, mode, directory, repeated, 1)
    judge(plain, records, tests)
