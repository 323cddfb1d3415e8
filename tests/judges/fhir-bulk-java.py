# judge: fhir-bulk-java
# from: maven au.csiro.fhir:bulk-export:1.0.3
# checks: a bulk export client in Java: the token by both methods, exports of the system, of patients and since a date; and through oneup proxy, without a token of its own

import json

from harness import CLIENT_ID, CLIENT_SECRET, Home, checking, here, java, proxy, sandbox, temp_dir

TENANT = "v1/bison/bulk-export/bulk-data/r4"
COUNTS = {"Patient": 12, "Coverage": 12, "ExplanationOfBenefit": 36}


def export(path, *args):
    """How many resources of each type it downloaded."""
    result = java(here("BulkExport.java"), str(path), *args)
    assert result.returncode == 0, f"exit {result.returncode}\n{result.stdout[-500:]}{result.stderr[-1500:]}"
    counts = {}
    for file in path.glob("*.ndjson"):
        for line in file.read_text().splitlines():
            kind = json.loads(line)["resourceType"]
            counts[kind] = counts.get(kind, 0) + 1
    return counts


with temp_dir() as path, sandbox() as base:
    token_url = f"{base}/auth/realms/dev-portal/protocol/openid-connect/token"
    fhir = f"{base}/{TENANT}"
    for method in ("post", "basic"):
        with checking(f"an export of the system, client_secret_{method}"):
            found = export(path / method, fhir, "system", "", token_url, CLIENT_ID, CLIENT_SECRET, method)
            assert found == COUNTS, found
    with checking("an export of patients since a date"):
        found = export(path / "since", fhir, "patient", "2025-06-01T00:00:00Z", token_url, CLIENT_ID, CLIENT_SECRET, "post")
        assert found["ExplanationOfBenefit"] < COUNTS["ExplanationOfBenefit"], found

with temp_dir() as path, sandbox("--fail", "401-after=4") as base, checking("through oneup proxy, tokens good for four requests each"):
    with proxy(Home(path).login(base)) as url:
        found = export(path / "out", url, "system", "")
        assert found == COUNTS, found
