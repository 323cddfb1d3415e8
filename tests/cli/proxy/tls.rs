//! Servers behind TLS and behind a company's proxy, by the rules of all other requests.

use super::Proxy;
use crate::support::{Home, TokenEndpoint, unused_address};
use crate::token_endpoint::tls::Ca;

#[test]
fn server_is_verified_with_the_additional_ca() {
    let Some(ca) = Ca::new() else { return };
    let fhir_base = format!("https://localhost:{}/r4", ca.serve("cert.pem", "key.pem"));
    let (endpoint, home) = (TokenEndpoint::start(), Home::new());
    home.oneup().login_provider(&endpoint.token_url()).args(["--fhir-base", &fhir_base]).run();
    let bundle = ca.path("ca.pem");
    let trusting = Proxy::start(&home, &["--cacert", bundle.to_str().expect("UTF-8")]);
    assert_eq!(trusting.get("/Patient").status(), 200);
    let response = Proxy::start(&home, &[]).get("/Patient");
    assert_eq!(response.status(), 502);
    let text = response.text().expect("a body");
    assert!(text.contains("issued by an unknown CA") && text.contains("--cacert FILE"), "{text}");
}

#[test]
fn requests_go_through_the_proxy_of_the_environment() {
    let home = Home::logged_in(&TokenEndpoint::start());
    let variable = format!("http://user:p4ss@{}", unused_address());
    let run = home.oneup().arg("proxy").env("HTTPS_PROXY", variable);
    let proxy = Proxy::of(&home, run);
    let response = proxy.get("/~api.1up.health/r4/Patient?name=Doe");
    assert_eq!(response.status(), 502);
    let text = response.text().expect("a body");
    assert!(text.contains("refused the connection") && text.contains("HTTPS_PROXY"), "{text}");
    assert!(!text.contains("p4ss") && !text.contains("Doe"), "{text}");
}
