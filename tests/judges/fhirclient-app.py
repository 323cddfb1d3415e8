# judge: fhirclient
# from: pypi fhirclient==4.4.0
# checks: a SMART app: the CapabilityStatement, the launch at the health plan with its login page, reads, searches with pages; and the same through oneup proxy

import os
import re
import urllib.parse

import requests
from fhirclient import client
from fhirclient.models.coverage import Coverage
from fhirclient.models.explanationofbenefit import ExplanationOfBenefit
from fhirclient.models.patient import Patient

from harness import Home, checking, proxy, sandbox, temp_dir

REDIRECT = "http://localhost:9/callback"
MEMBER = "123456789123"
os.environ["NO_PROXY"] = "*"


def consent(url):
    """Fills in the consent page; the URL that the browser is sent to."""
    session = requests.Session()
    page = session.get(url, timeout=30)
    page.raise_for_status()
    action = re.search(r'<form[^>]*action="([^"]+)"', page.text)[1]
    ticket = re.search(r'name="ticket" value="([^"]+)"', page.text)[1]
    answer = session.post(urllib.parse.urljoin(url, action), data={"ticket": ticket, "decision": "allow"},
                          allow_redirects=False, timeout=30)
    return answer.headers["Location"]


def read_and_search(smart):
    member = Patient.read(MEMBER, smart.server)
    assert member.name[0].family == "Allen", member.as_json()
    benefits = list(ExplanationOfBenefit.where({"patient": MEMBER, "_count": "2"}).perform_resources_iter(smart.server))
    assert len(benefits) == 3, len(benefits)
    assert benefits[0].patient.reference == f"Patient/{MEMBER}"
    coverage = Coverage.where({"beneficiary": MEMBER}).perform_resources(smart.server)
    assert [one.subscriberId for one in coverage] == [MEMBER]


with sandbox() as base:
    smart = client.FHIRClient(settings={
        "app_id": "oneup-sandbox-public", "api_base": f"{base}/r4", "redirect_uri": REDIRECT,
        "scope": "openid launch/patient patient/*.read"})
    with checking("the CapabilityStatement names the endpoints"):
        smart.prepare()
        assert smart.authorize_url.startswith(f"{base}/oauth2/authorize/"), smart.authorize_url
    with checking("launch with the login page"):
        smart.handle_callback(consent(smart.authorize_url))
        assert smart.ready
        assert smart.patient_id == MEMBER, smart.patient_id
    with checking("reads, and searches with pages"):
        read_and_search(smart)
    with checking("a refreshed token"):
        assert smart.reauthorize()
        read_and_search(smart)
    with temp_dir() as path, checking("through oneup proxy, without a token of its own"):
        home = Home(path).login(base, "--fhir-base", f"{base}/r4", "--scope", "bulk-data|user/*.rs patient/*.read")
        with proxy(home, "--read-only") as url:
            other = client.FHIRClient(settings={"app_id": "none", "api_base": url})
            read_and_search(other)
