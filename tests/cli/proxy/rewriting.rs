//! URLs of the profile's hosts become URLs of the proxy, and clients that follow them get every page and file.

use serde_json::Value;

use super::{Proxy, home_at};
use crate::support::{Sandbox, TokenEndpoint, gzip, response};

#[test]
fn pages_of_a_search_are_followed_to_the_end_across_expired_tokens() {
    let sandbox = Sandbox::start(&["--fail", "401-after=3"]);
    let proxy = Proxy::start(&home_at(&sandbox), &["--profile", "r4"]);
    let mut url = format!("{}/Patient?_count=1", proxy.url);
    let mut count = 0;
    loop {
        assert!(url.starts_with(&proxy.url), "{url}");
        let response = proxy.client.get(&url).send().expect("a response");
        assert_eq!(response.status(), 200);
        let page: Value = serde_json::from_str(&response.text().expect("a body")).expect("a Bundle");
        count += page["entry"].as_array().map_or(0, Vec::len);
        let full_url = page["entry"][0]["fullUrl"].as_str().expect("a URL");
        assert!(full_url.starts_with(&proxy.url), "{full_url}");
        let links = page["link"].as_array().expect("links");
        match links.iter().find(|link| link["relation"] == "next") {
            Some(next) => next["url"].as_str().expect("a URL").clone_into(&mut url),
            None => break,
        }
    }
    assert_eq!(count, 12);
    assert!(sandbox.count("/token") >= 5, "{}", sandbox.count("/token"));
}

/// Runs an export as a client without a token does, and returns its files.
fn export(proxy: &Proxy) -> Vec<String> {
    let kick_off = proxy.client.get(format!("{}/$export?_type=Patient,Coverage", proxy.url));
    let response = kick_off.header("Prefer", "respond-async").send().expect("a response");
    assert_eq!(response.status(), 202);
    let job = response.headers()["content-location"].to_str().expect("a URL").to_owned();
    assert!(job.starts_with(&proxy.url), "{job}");
    let manifest = loop {
        let response = proxy.client.get(&job).send().expect("a response");
        match response.status().as_u16() {
            200 => break response.text().expect("a body"),
            status => assert_eq!(status, 202),
        }
    };
    let manifest: Value = serde_json::from_str(&manifest).expect("a manifest");
    assert!(manifest["request"].as_str().expect("a URL").starts_with(&proxy.url));
    let files = manifest["output"].as_array().expect("files").iter();
    files
        .map(|file| {
            let mut url = file["url"].as_str().expect("a URL").to_owned();
            loop {
                let response = proxy.client.get(&url).send().expect("a response");
                if response.status().is_redirection() {
                    response.headers()["location"].to_str().expect("a URL").clone_into(&mut url);
                    continue;
                }
                assert_eq!(response.status(), 200, "{url}");
                break response.text().expect("a body");
            }
        })
        .collect()
}

#[test]
fn export_works_through_the_proxy_with_expiring_tokens_and_other_file_stores() {
    for faults in [
        &["--fail", "401-after=2"][..],
        &["--fail", "file-store"],
        &["--fail", "redirect-file"],
        &["--fail", "gzip"],
    ] {
        let sandbox = Sandbox::start(faults);
        let proxy = Proxy::start(&home_at(&sandbox), &["--profile", "provider"]);
        let files = export(&proxy);
        assert_eq!(files.len(), 2, "{faults:?}");
        if faults[1] != "gzip" {
            for file in files {
                let lines = file.lines().map(|line| serde_json::from_str::<Value>(line).expect("a resource"));
                assert_eq!(lines.count(), 12, "{faults:?}");
            }
        }
    }
}

#[test]
fn documents_keep_every_byte_but_the_urls() {
    let endpoint = TokenEndpoint::builder()
        .resources(|request| {
            let host = request.header("host");
            let document = format!(
                " {{ \"total\" : 1.0E+2,\"link\":[ {{\"url\":\"http:\\/\\/{host}\\/r4?p=2\"}} ] ,\"resourceType\":\"Bundle\",\"x\":\"http://{host}/r4\" }}\n"
            );
            if !request.starts_with("GET /r4/gzip") {
                return response("200 OK", &[("Content-Type", "application/fhir+json;charset=utf-8")], document);
            }
            let headers = [("Content-Type", "application/json"), ("Content-Encoding", "gzip")];
            response("200 OK", &headers, gzip(document.as_bytes()))
        })
        .start();
    let proxy = Proxy::at(&endpoint, &[]);
    let expected = format!(
        " {{ \"total\" : 1.0E+2,\"link\":[ {{\"url\":\"{}?p=2\"}} ] ,\"resourceType\":\"Bundle\",\"x\":\"{}/r4\" }}\n",
        proxy.url,
        endpoint.url()
    );
    for path in ["/plain", "/gzip"] {
        let response = proxy.client.get(format!("{}{path}", proxy.url)).header("Accept-Encoding", "gzip, br");
        let response = response.send().expect("a response");
        assert!(!response.headers().contains_key("content-encoding"));
        assert_eq!(response.headers()["content-length"], expected.len().to_string().as_str());
        assert_eq!(response.text().expect("a body"), expected, "{path}");
    }
    let head = proxy.client.head(format!("{}/plain", proxy.url)).send().expect("a response");
    assert_eq!((head.status().as_u16(), head.headers().get("content-length")), (200, None));
}

#[test]
fn documents_over_the_limit_pass_with_a_warning() {
    let endpoint = TokenEndpoint::builder()
        .resources(|request| {
            let size = if request.contains("/small") { 30 } else { 33 };
            let text = "x".repeat(size << 20);
            let kind = if request.contains("/binary") { "Binary" } else { "Bundle" };
            let host = request.header("host");
            let body = format!(
                r#"{{"resourceType":"{kind}","text":"{text}","link":[{{"url":"http://{host}/r4/next"}}]}}"#
            );
            response("200 OK", &[("Content-Type", "application/fhir+json")], body)
        })
        .start();
    let proxy = Proxy::at(&endpoint, &[]);
    let (own, original) = (format!("{}/next", proxy.url), format!("{}/r4/next", endpoint.url()));
    for (path, url) in [("/small", &own), ("/binary", &original), ("/large", &original)] {
        let body = proxy.get(path).text().expect("a body");
        assert!(body.ends_with(&format!("\"link\":[{{\"url\":\"{url}\"}}]}}")), "{path}");
    }
    let (_, stderr) = proxy.end("TERM");
    assert_eq!(stderr.matches("more than 32 MiB").count(), 1, "{stderr}");
}
