//! `token inspect --format json` against snapshots: programs rely on each member. After an intended change, review what
//! `INSTA_UPDATE=always cargo test inspect_json` writes to `snapshots/`.

use serde_json::{Value, json};

use crate::realm::{Realm, Signer};
use crate::support::{Home, Oneup, TokenEndpoint};

/// Until the year 2100.
const EXP: u64 = 4_102_444_800;

/// Compares the JSON with its snapshot. The time, ports and directories of the test are replaced.
#[track_caller]
fn assert_matches(name: &str, run: &str, replacements: &[(&str, &str)]) {
    let text = replacements.iter().fold(run.to_owned(), |text, (place, word)| text.replace(place, word));
    let mut report: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let times = report["times"].as_object_mut().expect("times");
    let now = times["now"]["epoch"].as_i64().expect("the present");
    for time in times.values_mut() {
        let near = time["epoch"].as_i64().is_some_and(|at| at.abs_diff(now) < 86_400);
        if near {
            *time = json!({"epoch": "near the present", "rfc3339": "near the present"});
        }
    }
    if times["expires_in"].is_i64() {
        times["expires_in"] = "a number".into();
    }
    insta::assert_snapshot!(name, format!("{report:#}"));
}

fn stdin(token: &str) -> String {
    Oneup::new().args(["token", "inspect", "-", "--format", "json"]).stdin(token).stderr("").run().stdout
}

#[test]
fn a_jwt() {
    let all: Value = serde_json::from_str(include_str!("../vectors/jose.json")).expect("a fixture");
    assert_matches("jwt", &stdin(all["tokens"][0]["token"].as_str().expect("a token")), &[]);
}

#[test]
fn tokens_that_cannot_be_decoded() {
    assert_matches("opaque", &stdin("8f2d61c04ab9e7"), &[]);
    assert_matches("malformed", &stdin("eyJhbGciOiJSUzI1NiJ9.e30"), &[]);
    // {"alg":"RSA-OAEP","enc":"A256GCM"}
    assert_matches("encrypted", &stdin("eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.a.b.c.d"), &[]);
}

#[test]
fn an_opaque_token_of_a_profile() {
    let plan = TokenEndpoint::builder()
        .lifetime(7199)
        .token("8f2d61c04ab9e7")
        .members(r#""patient":"p1","scope":"patient/Patient.read openid""#)
        .start();
    let home = Home::new();
    home.oneup()
        .args(["login", "patient", "--code", "-", "--client-id", "app"])
        .args(["--plan", &format!("{}/test", plan.url())])
        .args(["--scope", "patient/*.read openid"])
        .env("ONEUP_CLIENT_SECRET", "s3cret")
        .stdin("c0de")
        .run();
    let run = home.oneup().args(["token", "inspect", "--format", "json"]).never("8f2d61c04ab9e7").run();
    home.oneup()
        .args(["token", "inspect"])
        .stdout_has("Status     valid for 1 h 59 min")
        .stdout_has("\nSubject    client app\n           patient p1\nIssuer     health plan ")
        .stdout_has("\nMissing    requested but not granted: patient/*.read\n")
        .stdout_has("\nDetails    opaque token (not a JWT)\n")
        .run();
    assert_matches("opaque_of_a_profile", &run.stdout, &[(&plan.url(), "PLAN")]);
}

#[test]
fn verification_and_introspection() {
    let (ours, forged) = (Signer::new("k"), Signer::new("k"));
    let realm = Realm::new(&[&ours]);
    let claims = json!({"iss": realm.issuer(), "azp": "c", "sub": "u1", "aud": ["c"], "scope": "user/*.rs", "iat": 0,
        "exp": EXP, "jti": "1", "resource_access": {}});
    let inspect = |token: &str, flags: &[&str], status| {
        realm
            .inspect(token)
            .args(["--format", "json"])
            .args(flags)
            .status(status)
            .stdout_has("{")
            .run()
            .stdout
    };
    let url = realm.url();
    let replacements = [(url.as_str(), "REALM")];
    let good = ours.sign(&claims);
    assert_matches("verified", &inspect(&good, &["--verify"], 0), &replacements);
    assert_matches("forged", &inspect(&forged.sign(&claims), &["--verify"], 7), &replacements);
    let other = ours.sign(&json!({"iss": "https://other.example", "exp": EXP}));
    assert_matches("unknown_issuer", &inspect(&other, &["--verify", "--introspect"], 7), &replacements);
    realm.change(|state| {
        state.introspection =
            json!({"active": true, "scope": "user/*.rs", "client_id": "c", "sub": "u1", "exp": EXP});
    });
    assert_matches("introspected", &inspect(&good, &["--introspect"], 0), &replacements);
    assert_matches("opaque_introspected", &inspect("8f2d61c04ab9e7", &["--introspect"], 0), &replacements);
    realm.change(|state| state.introspection = json!({"active": false}));
    assert_matches("inactive", &inspect(&good, &["--introspect"], 7), &replacements);
}
