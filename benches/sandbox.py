"""The server of the benchmarks, `oneup sandbox`, and logged-in homes."""

import json
import os
import platform
import subprocess
import sys
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# What a release for Linux has: `packaging/static` makes it.
ONEUP = ROOT / f"target/static/{platform.machine()}-unknown-linux-gnu/release/oneup"


class Sandbox:
    """A running `oneup sandbox serve`."""

    def __init__(self, *flags):
        command = [ONEUP, "sandbox", "serve", *flags]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = self.process.stdout.readline().strip().rstrip("/")
        self.token_url = f"{self.url}/auth/realms/dev-portal/protocol/openid-connect/token"

    def token_requests(self):
        with urllib.request.urlopen(f"{self.url}/sandbox/journal") as response:
            rows = json.load(response)["requests"]
        return sum(row["count"] for row in rows if self.token_url.endswith(row["path"]))

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Home:
    """Config and state directories with one logged-in profile."""

    def __init__(self, base, name, sandbox, store, cache):
        self.dir = base / name
        self.dir.mkdir()
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.dir),
            "ONEUP_CONFIG_DIR": str(self.dir / "config"),
            "ONEUP_STATE_DIR": str(self.dir / "state"),
            "NO_PROXY": "*",
        }
        if not cache:
            self.env["ONEUP_NO_CACHE"] = "1"
        for name in ("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"):
            if name in os.environ:
                self.env[name] = os.environ[name]
        login = [ONEUP, "login", "provider", "--gateway", sandbox.url, "--store", store, "--fhir-base", sandbox.url + "/r4"]
        credentials = {"ONEUP_CLIENT_ID": "oneup-sandbox", "ONEUP_CLIENT_SECRET": "not-a-secret"}
        done = subprocess.run(login, env=self.env | credentials, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"login: {done.stderr}")

    def copies(self, count):
        """Adds profiles p0, p1, … that differ from the first in name and ID only."""
        profiles = self.dir / "config/profiles"
        text = (profiles / "provider.toml").read_text()
        identity = next(line for line in text.splitlines() if line.startswith("id = "))
        for number in range(count):
            (profiles / f"p{number}.toml").write_text(text.replace(identity, f'id = "{number:032x}"'))
            (profiles / f"p{number}.toml").chmod(0o600)
