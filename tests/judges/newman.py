# judge: newman
# from: npm newman@6.2.2
# checks: a Postman collection without credentials through oneup proxy: reads, pages, POST, a bulk export, while each token is good for four requests only

import json

from harness import INSTALLED, Home, check, node, proxy, sandbox, temp_dir, tool

EXPORT_HEADERS = {"Prefer": "respond-async", "Accept": "application/fhir+json"}


def request(name, url, test, method="GET", headers=None):
    """One request of a collection and what its test script expects; `next` is the URL of the request after it."""
    script = f"pm.test({json.dumps(name)}, () => {{ {test} }})"
    return {
        "name": name,
        "request": {"method": method, "url": url, "header": [{"key": key, "value": value} for key, value in (headers or {}).items()],
                    "body": {"mode": "raw", "raw": "{}"} if method == "POST" else None},
        "event": [{"listen": "test", "script": {"exec": [script]}}],
    }


def collection():
    body, status = "const body = pm.response.json()", "pm.response.to.have.status"
    follow = "pm.collectionVariables.set('next', {})"
    wait = "if (pm.response.code === 202) pm.execution.setNextRequest('the export is polled')"
    items = [
        request("a resource is read", "{{base}}/Patient/123456789123", f"{body}; pm.expect(body.id).to.eql('123456789123')"),
        request("a search has pages", "{{base}}/Patient?_count=7",
                f"{body}; {follow.format('body.link.find(l => l.relation === `next`).url')}; pm.expect(body.entry.length).to.eql(7)"),
        request("the next page is reached by its link", "{{next}}", f"{body}; pm.expect(body.entry.length).to.eql(5)"),
        request("an error of the server is passed on", "{{base}}/Patient/none",
                f"{status}(404); {body}; pm.expect(body.resourceType).to.eql('OperationOutcome')"),
        request("a POST arrives", "{{base}}/Patient/$member-match", f"{status}(403)", "POST"),
        request("an export starts", "{{base}}/$export?_type=Patient",
                f"{status}(202); {follow.format('pm.response.headers.get(`Content-Location`)')}", headers=EXPORT_HEADERS),
        request("the export is polled", "{{next}}",
                f"{wait}; else {follow.format('pm.response.json().output[0].url')}; pm.expect([200, 202]).to.include(pm.response.code)"),
        request("a file is downloaded", "{{next}}", "pm.expect(pm.response.text().trim().split('\\n').length).to.eql(12)"),
    ]
    schema = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
    return {"info": {"name": "oneup proxy", "schema": schema}, "variable": [{"key": "next", "value": ""}], "item": items}


with temp_dir() as path, sandbox("--fail", "401-after=4") as base:
    (path / "collection.json").write_text(json.dumps(collection()))
    home = Home(path).login(base, "--fhir-base", f"{base}/r4", "--scope", "bulk-data|user/*.rs patient/*.read")
    with proxy(home) as url:
        result = tool(str(node()), str(INSTALLED / "node_modules/newman/bin/newman.js"), "run", str(path / "collection.json"),
                      "--env-var", f"base={url.rstrip('/')}", "--reporters", "json", "--reporter-json-export", str(path / "report.json"))
    seen = set()
    for run in json.loads((path / "report.json").read_text())["run"]["executions"]:
        for assertion in run["assertions"]:
            if assertion["assertion"] not in seen:
                check(assertion["assertion"], "error" not in assertion, assertion.get("error"))
            seen.add(assertion["assertion"])
    check("newman succeeds", result.returncode == 0, result.stdout + result.stderr)
