//! The sandbox's FHIR server as 1up's: tenants, `$member-match`, and bulk exports with their faults, requested with curl.

use serde_json::{Value, json};

use crate::sandbox::{CLIENT, TOKEN, curl, json, provider_token};
use crate::support::Sandbox;

const BASE: &str = "/v1/bison/bulk-export/bulk-data/r4";
const ASYNC: [&str; 2] = ["-H", "Prefer: respond-async"];

/// A sandbox, and an access token for exports.
struct Client {
    sandbox: Sandbox,
    authorization: String,
}

impl Client {
    fn start(flags: &[&str]) -> Self {
        let sandbox = Sandbox::start(flags);
        let authorization = format!("Authorization: Bearer {}", provider_token(&sandbox));
        Self { sandbox, authorization }
    }

    fn send(&self, path: &str, options: &[&str]) -> (u16, String, String) {
        curl(&self.sandbox, path, &[&["-H", self.authorization.as_str()], options].concat())
    }

    /// Starts an export; returns the URL of the job.
    fn kick_off(&self, path: &str) -> String {
        let (status, head, _) = self.send(path, &[&ASYNC[..], &["-D", "-"]].concat());
        assert_eq!(status, 202, "{head}");
        let location = head.lines().find_map(|line| line.strip_prefix("content-location: "));
        location.expect("a location").trim().to_owned()
    }

    fn manifest(&self, path: &str) -> Value {
        let job = self.kick_off(path);
        let done = (0..5).map(|_| self.send(&job, &[])).find(|(status, ..)| *status == 200);
        json(&done.expect("the job ends").1)
    }
}

fn files<'a>(manifest: &'a Value, list: &str) -> Vec<(&'a str, &'a str, u64)> {
    let entries = manifest[list].as_array().expect("a list").iter();
    let text = |value: &'a Value| value.as_str().expect("text");
    entries
        .map(|file| (text(&file["type"]), text(&file["url"]), file["count"].as_u64().expect("a count")))
        .collect()
}

#[test]
fn export_from_kick_off_to_files() {
    let client = Client::start(&[]);
    let job = client.kick_off(&format!("{BASE}/Group/g1/$export?_type=Patient,Coverage"));
    let (status, head, _) = client.send(&job, &["-D", "-"]);
    assert_eq!(status, 202);
    assert!(head.contains("retry-after: 1") && head.contains("x-progress: "), "{head}");
    assert_eq!(client.send(&job, &[]).0, 202);
    let manifest = json(&client.send(&job, &[]).1);
    assert_eq!(manifest["requiresAccessToken"], true);
    let time = manifest["transactionTime"].as_str().expect("a time");
    assert!(time.ends_with('Z') && time.len() == "2026-01-15T09:00:00.000Z".len(), "{time}");
    assert_eq!((manifest["error"].clone(), manifest["deleted"].clone()), (json!([]), json!([])));
    let output = files(&manifest, "output");
    assert_eq!(output.len(), 2);
    for (kind, url, count) in output {
        assert_eq!(curl(&client.sandbox, url, &[]).0, 401, "files need the token");
        let lines = client.send(url, &[]).1;
        assert_eq!(lines.trim_end().lines().count() as u64, count);
        assert!(lines.trim_end().lines().all(|line| json(line)["resourceType"] == kind));
    }
}

#[test]
fn kick_off_checks_headers_and_parameters() {
    let client = Client::start(&[]);
    let [header, prefer] = ASYNC;
    for (path, options, expected) in [
        ("/$export", &[][..], 400),
        ("/$export", &[header, prefer, "-H", "Accept: text/html"], 406),
        ("/$export", &[header, prefer, "-H", "Accept:"], 400),
        ("/$export", &[header, prefer, "-H", "Accept: application/fhir+json"], 202),
        ("/$export?_since=2026-01-01", &ASYNC, 400),
        ("/$export?_since=2026-01-01T00:00:00Z", &ASYNC, 202),
        ("/$export?_type=Spaceship", &ASYNC, 400),
        ("/$export?_outputFormat=text/csv", &ASYNC, 400),
        ("/Patient/$export", &ASYNC, 202),
        ("/Patient", &ASYNC, 202),
        ("/Patient", &[], 400),
        ("/$export", &[header, prefer, "-X", "EXPORT"], 202),
        ("/$export", &[header, prefer, "-X", "POST"], 403),
        ("/$export", &[header, prefer, "-X", "DELETE"], 403),
        ("/$export", &[header, prefer, "-X", "PATCH"], 405),
    ] {
        let (status, body, _) = client.send(&format!("{BASE}{path}"), options);
        assert_eq!(status, expected, "{path} {options:?} {body}");
        assert!(status == 202 || json(&body)["resourceType"] == "OperationOutcome", "{body}");
    }
}

#[test]
fn lenient_handling_and_since_fill_error_and_deleted() {
    let client = Client::start(&[]);
    let path = format!("{BASE}/$export?_type=Patient,Spaceship&_since=2026-01-01T00:00:00Z");
    let options = ["-H", "Prefer: respond-async, handling=lenient", "-D", "-"];
    let (_, head, _) = client.send(&path, &options);
    let job = head.lines().find_map(|line| line.strip_prefix("content-location: ")).expect("a job").trim();
    let done = (0..5).map(|_| client.send(job, &[])).find(|(status, ..)| *status == 200);
    let manifest = json(&done.expect("the job ends").1);
    for (list, kind) in [("error", "OperationOutcome"), ("deleted", "Bundle")] {
        let (found, url, count) = files(&manifest, list)[0];
        assert_eq!((found, count), (kind, 1));
        assert_eq!(json(&client.send(url, &[]).1)["resourceType"], kind);
    }
}

#[test]
fn delete_cancels_a_job_only_if_allowed() {
    for (flags, status, afterwards) in [(&[][..], 403, 202), (&["--allow-cancel"], 202, 404)] {
        let client = Client::start(flags);
        let job = client.kick_off(&format!("{BASE}/$export"));
        assert_eq!(client.send(&job, &["-X", "DELETE"]).0, status);
        assert_eq!(client.send(&job, &[]).0, afterwards);
    }
}

#[test]
fn tenant_only_rejects_other_tenants() {
    let client = Client::start(&["--tenant-only", "lion", "--tenant-only", "bear"]);
    for (tenant, expected) in [("lion", 202), ("bear", 202), ("bison", 403)] {
        let path = format!("/v1/{tenant}/bulk-export/bulk-data/r4/$export");
        assert_eq!(client.send(&path, &ASYNC).0, expected, "{tenant}");
    }
    let (_, body, _) = curl(&client.sandbox, "/v1/lion/bulk-export/bulk-data/r4/metadata", &[]);
    let resources = json(&body)["rest"][0]["resource"].clone();
    let group = resources.as_array().expect("resources").iter().find(|one| one["type"] == "Group");
    assert_eq!(group.expect("Group")["operation"][0]["name"], "export");
}

#[test]
fn member_match_needs_its_own_scope() {
    let sandbox = Sandbox::start(&[]);
    let token = |scope: &str| {
        let form = format!("grant_type=client_credentials&{CLIENT}&scope={scope}");
        json(&curl(&sandbox, TOKEN, &["-d", &form]).1)["access_token"].as_str().expect("a token").to_owned()
    };
    let body = |family: &str| {
        let patient =
            json!({ "resourceType": "Patient", "name": [{ "family": family }], "birthDate": "1950-10-19" });
        let coverage = json!({ "resourceType": "Coverage", "subscriberId": "123456789123" });
        json!({ "resourceType": "Parameters", "parameter": [
            { "name": "MemberPatient", "resource": patient }, { "name": "CoverageToMatch", "resource": coverage },
        ] })
        .to_string()
    };
    let send = |token: &str, path: &str, body: &str| {
        let bearer = format!("Authorization: Bearer {token}");
        curl(&sandbox, path, &["-H", &bearer, "-H", "Content-Type: application/fhir+json", "-d", body])
    };
    let (export, matching) = (token("bulk-data%7Cuser/*.rs"), token("member-match-sandbox"));
    for path in ["/r4/Patient/$member-match", "/v1/bison/r4/Patient/$member-match"] {
        let (status, response, _) = send(&matching, path, &body("Allen"));
        assert_eq!(status, 200, "{response}");
        let identifier = &json(&response)["parameter"][0]["valueIdentifier"];
        assert_eq!(identifier["value"], "123456789123");
        // The code is defined by HRex; HL7's own table of identifier types has no UMB.
        let system = &identifier["type"]["coding"][0]["system"];
        assert_eq!(*system, "http://hl7.org/fhir/us/davinci-hrex/CodeSystem/hrex-temp");
    }
    let path = "/r4/Patient/$member-match";
    assert_eq!(send(&matching, path, &body("Nobody")).0, 422);
    assert_eq!(send(&matching, path, "{}").0, 400);
    assert_eq!(send(&export, path, &body("Allen")).0, 403);
    let bearer = format!("Authorization: Bearer {matching}");
    let kick_off = curl(&sandbox, &format!("{BASE}/$export"), &["-H", &bearer, ASYNC[0], ASYNC[1]]);
    assert_eq!(kick_off.0, 403, "an export needs its own scope");
}

#[test]
fn sizes_are_as_requested_and_ranges_resume() {
    let client = Client::start(&["--export-size", "3MB", "--export-files", "4"]);
    let manifest = client.manifest(&format!("{BASE}/$export?_type=ExplanationOfBenefit"));
    let output = files(&manifest, "output");
    assert_eq!(output.len(), 4);
    let mut total = 0;
    for (_, url, count) in &output {
        let text = client.send(url, &[]).1;
        assert_eq!(text.lines().count() as u64, *count);
        total += text.len();
    }
    assert!((3_000_000..3_010_000).contains(&total), "{total}");
    let url = output[0].1;
    let (_, head, _) = client.send(url, &["-I"]);
    let etag = head.lines().find_map(|line| line.strip_prefix("etag: ")).expect("an ETag").trim().to_owned();
    let whole = client.send(url, &[]).1;
    let (status, rest, _) = client.send(url, &["-r", "1000-", "-H", &format!("If-Range: {etag}")]);
    assert!(status == 206 && whole[1000..] == rest, "the rest of the file");
    let (status, again, _) = client.send(url, &["-r", "1000-", "-H", "If-Range: \"old\""]);
    assert!(status == 200 && again == whole, "another ETag gets the whole file");
    assert_eq!(client.send(url, &["-r", "99999999-"]).0, 416);
}

#[test]
fn file_faults_are_as_described() {
    let path = format!("{BASE}/$export?_type=Patient");
    let url_in = |manifest: &Value| files(manifest, "output")[0].1.to_owned();

    let client = Client::start(&["--fail", "cut-file=1", "--fail", "short-file=1", "--fail", "no-range=1"]);
    let url = url_in(&client.manifest(&path));
    let cut = client.send(&url, &[]).1;
    let short = client.send(&url, &[]).1;
    let (status, whole, _) = client.send(&url, &["-r", "10-"]);
    assert!(status == 200 && whole.starts_with(&cut) && whole.starts_with(short.trim_end()));
    assert!(cut.len() < whole.len() && short.len() < whole.len());

    let client = Client::start(&["--fail", "wrong-count=1"]);
    let counts = [(); 2].map(|()| client.manifest(&path)["output"][0]["count"].as_u64());
    assert_eq!(counts, [Some(13), Some(12)]);

    let client = Client::start(&["--fail", "redirect-file"]);
    let (status, _, redirect) = client.send(&url_in(&client.manifest(&path)), &[]);
    assert!(status == 302 && redirect.starts_with("http://localhost:"), "{status} {redirect}");
    assert_eq!(client.send(&redirect, &[]).0, 400, "a file store rejects the token");
    assert_eq!(curl(&client.sandbox, &redirect, &[]).0, 200);
    assert_eq!(curl(&client.sandbox, redirect.split('?').next().expect("a URL"), &[]).0, 403);

    let client = Client::start(&["--fail", "file-store"]);
    let manifest = client.manifest(&path);
    assert_eq!(manifest["requiresAccessToken"], false);
    assert_eq!(curl(&client.sandbox, &url_in(&manifest), &[]).0, 200);
}

#[test]
fn job_faults_are_as_described() {
    let path = format!("{BASE}/$export?_type=Patient");
    let client =
        Client::start(&["--fail", "manifest-200=1", "--fail", "job-failed=1", "--fail", "job-gone=1"]);
    let (status, body, _) = client.send(&path, &ASYNC);
    assert_eq!((status, files(&json(&body), "output").len()), (200, 1));
    let job = client.kick_off(&path);
    assert_eq!(client.send(&job, &[]).0, 500);
    assert_eq!(client.send(&job, &[]).0, 404);
    assert_eq!(client.send(&job, &[]).0, 404);
}

#[test]
fn token_is_rejected_after_its_uses() {
    let client = Client::start(&["--fail", "401-after=2", "--fail", "fhir-503=1"]);
    let statuses = [(); 4].map(|()| client.send("/r4/Patient", &[]).0);
    assert_eq!(statuses, [503, 200, 200, 401]);
    let bearer = format!("Authorization: Bearer {}", provider_token(&client.sandbox));
    assert_eq!(curl(&client.sandbox, "/r4/Patient", &["-H", &bearer]).0, 200, "a new token is valid");
}
