# judge: smart-fetch
# from: pypi smart-fetch==1.0.3
# checks: a bulk export client that reads a token once: the sandbox's export; through oneup proxy while each token expires after a few requests; the files of oneup export bundled

import json
import os

from harness import INSTALLED, Home, checking, client_token, proxy, sandbox, temp_dir, tool

# Of the sandbox's types it knows this one.
MEMBERS = {"Patient": 12}
os.environ["NO_PROXY"] = "*"


def smart_fetch(*args):
    result = tool(str(INSTALLED / "bin" / "smart-fetch"), *args)
    assert result.returncode == 0, f"exit {result.returncode}\n{result.stdout[-1500:]}{result.stderr[-1500:]}"
    return result.stdout


def bulk(directory, url, *args):
    smart_fetch("bulk", "--no-compression", "--type", "Patient", "--fhir-url", url, *args, str(directory))
    return resources(directory)


def resources(directory):
    """How many resources of each type the files below a directory have."""
    counts = {}
    for file in directory.rglob("*.ndjson"):
        for line in file.read_text().splitlines():
            # Its own log is in the same format.
            if kind := json.loads(line).get("resourceType"):
                counts[kind] = counts.get(kind, 0) + 1
    return counts


with temp_dir() as path, sandbox() as base:
    token = path / "token"
    token.write_text(client_token(base, "bulk-data|user/*.rs patient/*.read"))
    bearer = ["--bearer-token", str(token)]
    for name, more in {"": [], " since a date": ["--since", "2026-01-01T00:00:00Z"], " of a group": ["--group", "all"]}.items():
        with checking(f"an export{name}"):
            found = bulk(path / f"export{name}", f"{base}/r4", *bearer, *more)
            assert found == MEMBERS, found
    with checking("a single resource"):
        member = json.loads(smart_fetch("single", "--fhir-url", f"{base}/r4", *bearer, "Patient/123456789123"))
        assert member["id"] == "123456789123", member

with temp_dir() as path, sandbox() as base, checking("the files of oneup export, as one Bundle"):
    home = Home(path).login(base)
    exported = home.run("export", str(path / "members"))
    assert exported.returncode == 0, exported.stderr
    smart_fetch("bundle", "--no-compression", str(path / "members"))
    bundle = next(file for file in (path / "members").iterdir() if "bundle" in file.name.lower())
    entries = json.loads(bundle.read_text())["entry"]
    assert len(entries) == 60, len(entries)

with temp_dir() as path, sandbox("--fail", "401-after=2") as base, checking("through oneup proxy, tokens good for two requests each"):
    home = Home(path).login(base)
    with proxy(home) as url:
        found = bulk(path / "out", url)
        assert found == MEMBERS, found
