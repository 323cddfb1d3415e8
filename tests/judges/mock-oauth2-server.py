# judge: mock-oauth2-server
# from: maven no.nav.security:mock-oauth2-server:6.0.2
# checks: oneup as client of a server that is not a Keycloak: --token-url and --authorize-url, awkward IDs, both methods, PKCE, rotation, reuse detection, revocation

import contextlib
import json
import os
import re
import socket
import subprocess
import time

from harness import INSTALLED, ONEUP, Home, check, checking, fetch, stop, temp_dir

IDS = ["client", "a:b", "a%20b%", "a+b", "a b", "a&b=c", "\"a'b\\", "klient-ü-日本"]


@contextlib.contextmanager
def server():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    environment = os.environ | {"SERVER_PORT": str(port), "SERVER_HOSTNAME": "127.0.0.1",
                                "JSON_CONFIG": '{"rotateRefreshToken": true}'}
    process = subprocess.Popen(
        ["java", "-XX:TieredStopAtLevel=1", "-cp", f"{INSTALLED}/jars/*",
         "no.nav.security.mock.oauth2.StandaloneMockOAuth2ServerKt"],
        env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        base = f"http://127.0.0.1:{port}"
        for _ in range(120):
            with contextlib.suppress(OSError):
                fetch(f"{base}/isalive")
                break
            time.sleep(0.25)
        yield f"{base}/issuer"
    finally:
        stop(process)


def endpoints(issuer):
    return ["--token-url", f"{issuer}/token", "--fhir-base", f"{issuer}/fhir"]


def require(result, code=0):
    assert result.returncode == code, f"exit {result.returncode}: {result.stdout}{result.stderr}"
    return result


def client_credentials(issuer, method, client_id):
    with temp_dir() as path, checking(f"client credentials, {method}: {client_id}"):
        home = Home(path, ONEUP_CLIENT_SECRET="secret")
        require(home.run("login", "provider", *endpoints(issuer), "--client-id", client_id, "--auth-method", method,
                         "--scope", "a b"))
        token = json.loads(require(home.run("token", "inspect", "--format", "json")).stdout)
        assert token["claims"]["sub"] == client_id, token["claims"]


def authorization_code(issuer, path):
    home = Home(path, ONEUP_CLIENT_SECRET="secret")
    login = subprocess.Popen(
        [ONEUP, "login", "patient", *endpoints(issuer), "--authorize-url", f"{issuer}/authorize", "--client-id", "app",
         "--redirect-uri", "http://localhost:0/callback", "--no-browser", "--scope", "openid offline_access"],
        env=home.env, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    with checking("authorization code with PKCE"):
        url = next(found[0] for line in login.stderr if (found := re.search(r"http\S+/authorize\?\S+", line)))
        assert "code_challenge_method=S256" in url, url
        fetch(url)
        rest = login.stderr.read()
        assert login.wait(30) == 0, rest
    with checking("each refresh uses the new refresh token"):
        subprocess.run(["cp", "-r", home.env["ONEUP_STATE_DIR"], path / "before"], check=True)
        tokens = {require(home.run("token", "show", "--refresh")).stdout for _ in range(3)}
        assert len(tokens) == 3
    with checking("a reused refresh token: exit 4 and the command to log in"):
        old = Home(path, ONEUP_CLIENT_SECRET="secret", ONEUP_STATE_DIR=str(path / "before"))
        assert "oneup login patient" in require(old.run("token", "show", "--refresh"), 4).stderr
    check("logout", home.run("logout").returncode == 0)


with server() as issuer:
    for method in ("post", "basic"):
        for client_id in IDS:
            client_credentials(issuer, method, client_id)
    with temp_dir() as path:
        authorization_code(issuer, path)
