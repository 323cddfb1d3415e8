# judge: HAPI FHIR validator
# from: maven ca.uhn.hapi.fhir:hapi-fhir-validation:8.8.1
# from: maven ca.uhn.hapi.fhir:hapi-fhir-validation-resources-r4:8.8.1
# from: maven ca.uhn.hapi.fhir:hapi-fhir-structures-r4:8.8.1
# from: maven ca.uhn.hapi.fhir:hapi-fhir-caching-caffeine:8.8.1
# checks: every resource that the sandbox serves is valid R4: reads, searches, pages, errors, $member-match, the lines of each export file
# fault: wrong-count

import collections
import json
import time

from harness import check, checking, client_token, fetch, here, java, sandbox, temp_dir

SCOPE = "bulk-data|user/*.rs patient/*.read member-match-sandbox"
TENANT = "/v1/bison/bulk-export/bulk-data/r4"
resources = []


def keep(label, body):
    resources.append((label, json.loads(body)))


def get(url, token, **headers):
    return fetch(url, token, headers={name.replace("_", "-"): value for name, value in headers.items()})


def search(base, kind, token):
    """Every page of a search, and each of its resources read by itself."""
    url = f"{base}/r4/{kind}?_count=7"
    while url:
        status, _, body = get(url, token)
        assert status == 200, body
        keep(f"{kind}: a page of a search", body)
        bundle = json.loads(body)
        for entry in bundle.get("entry", []):
            keep(f"{kind}: read", get(entry["fullUrl"], token)[2])
        url = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), None)


def export(base, path, token):
    """The manifest of an export, after its job has ended."""
    headers = {"Accept": "application/fhir+json", "Prefer": "respond-async, handling=lenient"}
    status, answer, body = get(base + path, token, **headers)
    assert status == 202, body
    while True:
        status, _, body = get(answer["Content-Location"], token)
        if status == 200:
            return json.loads(body)
        assert status == 202, body
        time.sleep(0.2)


def export_files(base, name, path, token):
    manifest = export(base, path, token)
    short = []
    for part in ("output", "error", "deleted"):
        for file in manifest[part]:
            lines = get(file["url"], token)[2].decode().splitlines()
            for line in lines:
                keep(f"{name}: {part} {file['type']}", line)
            if len(lines) != file["count"]:
                short.append(f"{file['url']}: {len(lines)} resources, count {file['count']}")
    check(f"{name}: the manifest counts the resources of each file", not short, "\n".join(short))


def errors(base, token):
    narrow = client_token(base, "openid")
    for label, answer in {
        "no token": get(f"{base}/r4/Patient", None),
        "a wrong token": get(f"{base}/r4/Patient", "wrong"),
        "no such resource": get(f"{base}/r4/Patient/none", token),
        "no such type": get(f"{base}/r4/Spaceship", token),
        "a wrong search": get(f"{base}/r4/Patient?_count=many", token),
        "a scope that is not enough": get(f"{base}/r4/Patient", narrow),
        "a method that is not allowed": fetch(f"{base}/r4/Patient", token, data=b"{}"),
        "an export by POST": fetch(f"{base}{TENANT}/$export", token, data=b"{}"),
        "an export without Prefer": get(f"{base}{TENANT}/$export", token, Accept="application/fhir+json"),
        "an export of a wrong _since": get(f"{base}{TENANT}/$export?_since=2026", token, Prefer="respond-async"),
        "no such job": get(f"{base}/bulk/none", token),
        "a member that does not match": fetch(f"{base}/r4/Patient/$member-match", token, data=b"{}"),
    }.items():
        status, _, body = answer
        check(f"an error status: {label}", 400 <= status < 500, f"{status} {body}")
        keep(f"OperationOutcome: {label}", body)


def member_match(base, token):
    status, _, body = get(f"{base}/r4/Patient/123456789123", token)
    assert status == 200, body
    coverage = get(f"{base}/r4/Coverage/cov-123456789123", token)[2]
    parameters = {"resourceType": "Parameters", "parameter": [
        {"name": "MemberPatient", "resource": json.loads(body)},
        {"name": "CoverageToMatch", "resource": json.loads(coverage)}]}
    status, _, body = fetch(f"{base}/r4/Patient/$member-match", token, data=json.dumps(parameters).encode())
    check("$member-match finds the member", status == 200, body)
    keep("$member-match: the answer", body)


def validate():
    with temp_dir() as path:
        lines = (f"{label}\t{json.dumps(resource)}\n" for label, resource in resources)
        (path / "resources").write_text("".join(lines))
        result = java(here("Validate.java"), str(path / "resources"))
    if not check("the validator runs to its end", result.returncode == 0, result.stderr):
        return
    found = collections.defaultdict(list)
    for line in result.stdout.splitlines():
        label, _, problem = line.partition("\t")
        found[label].append(problem)
    expected = collections.Counter(label for label, _ in resources)
    for label, number in expected.items():
        problems = [problem for problem in found[label] if problem]
        check(f"valid R4: {label}", len(found[label]) == number and not problems,
              "\n".join(problems[:3]) or f"{len(found[label])} of {number} validated")


with sandbox("--export-size", "100kB", "--export-files", "2") as base:
    token = client_token(base, SCOPE)
    keep("CapabilityStatement", get(f"{base}/r4/metadata", None)[2])
    keep("CapabilityStatement", get(f"{base}{TENANT}/metadata", None)[2])
    for kind in ("Patient", "Coverage", "ExplanationOfBenefit"):
        with checking(f"{kind}: search and read"):
            search(base, kind, token)
    errors(base, token)
    with checking("$member-match"):
        member_match(base, token)
    for name, path in {
        "export since": f"{TENANT}/$export?_since=2025-01-01T00:00:00Z",
        "export of a type that is unknown": f"{TENANT}/$export?_type=Patient,Spaceship",
        "export of patients": f"{TENANT}/Patient/$export?_type=Coverage",
        "export of a group": f"{TENANT}/Group/all/$export?_type=Patient",
    }.items():
        with checking(name):
            export_files(base, name, path, token)
validate()
