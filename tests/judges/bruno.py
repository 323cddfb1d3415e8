# judge: @usebruno/cli
# from: npm @usebruno/cli@4.1.0
# checks: a Bruno collection without credentials through oneup proxy -- bru: reads, pages, an export's headers, while each token is good for two requests only

import json

from harness import INSTALLED, Home, check, node, sandbox, temp_dir

REQUESTS = {
    "a resource is read": ("{{base}}/Patient/123456789123", "", "res.body.name[0].family: eq Allen"),
    "a search has pages": ("{{base}}/Patient?_count=7", "", "res.body.entry.length: eq 7"),
    "the next page is reached by its link": ("{{next}}", "", "res.body.entry.length: eq 5"),
    "an export starts": ("{{base}}/$export", "headers {\n  Prefer: respond-async\n  Accept: application/fhir+json\n}",
                         "res.status: eq 202"),
    "an error of the server is passed on": ("{{base}}/Patient/none", "", "res.body.resourceType: eq OperationOutcome"),
}
FOLLOW = "script:post-response {\n  bru.setVar('next', res.body.link.find(link => link.relation === 'next').url)\n}\n"


def write(path):
    path.mkdir()
    (path / "bruno.json").write_text(json.dumps({"version": "1", "name": "oneup proxy", "type": "collection"}))
    for number, (name, (url, headers, expected)) in enumerate(REQUESTS.items(), 1):
        follow = FOLLOW if "pages" in name else ""
        (path / f"{number}.bru").write_text(
            f"meta {{\n  name: {name}\n  type: http\n  seq: {number}\n}}\n\nget {{\n  url: {url}\n  body: none\n  auth: none\n}}\n\n"
            f"{headers}\n\nassert {{\n  {expected}\n}}\n\n{follow}")


with temp_dir() as path, sandbox("--fail", "401-after=2") as base:
    write(path / "collection")
    home = Home(path).login(base, "--fhir-base", f"{base}/r4", "--scope", "bulk-data|user/*.rs patient/*.read")
    bru = f"cd '{path}/collection' && '{node()}' '{INSTALLED}/node_modules/@usebruno/cli/bin/bru.js' run" \
          f" --env-var \"base=$ONEUP_FHIR_BASE\" --reporter-json '{path}/report.json'"
    result = home.run("proxy", "--", "sh", "-c", bru)
    report = path / "report.json"
    results = json.loads(report.read_text())[0]["results"] if report.exists() else []
    for one in results:
        failed = [assertion for assertion in one["assertionResults"] if assertion["status"] != "pass"]
        check(one["name"], not failed and not one.get("error"), failed or one.get("error"))
    check("bru succeeds, and its exit code is oneup's", result.returncode == 0 and len(results) == len(REQUESTS),
          result.stdout + result.stderr)
