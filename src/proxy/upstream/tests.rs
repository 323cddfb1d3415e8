use proptest::prelude::*;

use super::*;

const PUBLIC: &str = "http://127.0.0.1:4000/k3y";

fn upstream() -> Upstream {
    let hosts = Hosts::for_tests(&["https://api.plan.example/r4", "https://auth.plan.example"], false);
    Upstream::new("https://api.plan.example/r4/", hosts, PUBLIC.into()).expect("a valid base")
}

fn on_loopback() -> Upstream {
    let hosts = Hosts::for_tests(&["http://127.0.0.1:80"], true);
    Upstream::new("http://127.0.0.1:9000/r4", hosts, PUBLIC.into()).expect("a valid base")
}

#[test]
fn paths_lead_to_the_fhir_base_and_to_other_hosts() {
    for (path, query, url) in [
        ("", None, "https://api.plan.example/r4"),
        ("/", None, "https://api.plan.example/r4/"),
        ("/Patient", Some("_count=1&a=%2e%2e"), "https://api.plan.example/r4/Patient?_count=1&a=%2e%2e"),
        ("", Some("x"), "https://api.plan.example/r4?x"),
        ("/$export", None, "https://api.plan.example/r4/$export"),
        ("//evil.example/x", None, "https://api.plan.example/r4//evil.example/x"),
        ("/@evil.example", None, "https://api.plan.example/r4/@evil.example"),
        ("/a%2Fb/x..y/...", None, "https://api.plan.example/r4/a%2Fb/x..y/..."),
        ("/~auth.plan.example/userinfo", None, "https://auth.plan.example/userinfo"),
        ("/%7Eauth.plan.example:8443", Some("x"), "https://auth.plan.example:8443/?x"),
        ("/Patient/~1", None, "https://api.plan.example/r4/Patient/~1"),
    ] {
        let target = upstream().target(path, query).map(String::from);
        assert_eq!(target.as_deref(), Ok(url), "{path}");
    }
    let target = on_loopback().target("/~localhost:81/x", None).map(String::from);
    assert_eq!(target.as_deref(), Ok("http://localhost:81/x"));
}

#[test]
fn paths_with_two_readings_and_other_hosts_are_refused() {
    for (path, status) in [
        ("/..", 400),
        ("/Patient/../x", 400),
        ("/Patient/%2e%2E/x", 400),
        ("/Patient/.%2e", 400),
        ("/./x", 400),
        ("/..;/x", 400),
        ("/x%2f..%2fy", 400),
        ("/x\\y", 400),
        ("/x%5cy", 400),
        ("/~auth.plan.example/../x", 400),
        ("/~", 400),
        ("/~/x", 400),
        ("/~user@auth.plan.example/", 400),
        ("/~auth.plan.example:0/", 400),
        ("/~https://auth.plan.example/", 400),
        ("/~evil.example/", 403),
        ("/~api.plan.example.evil.example/", 403),
        ("/~x.plan.example/", 403),
        ("/~127.0.0.1:4000/k3y/Patient", 403),
    ] {
        let refusal = upstream().target(path, None).expect_err(path);
        assert_eq!(refusal.status.as_u16(), status, "{path}: {}", refusal.text);
    }
    let own = on_loopback().target("/~127.0.0.1:4000/k3y/Patient", None).expect_err("the proxy itself");
    assert_eq!(own.status.as_u16(), 403);
}

#[test]
fn urls_of_the_profile_become_urls_of_the_proxy() {
    for (url, public) in [
        ("https://api.plan.example/r4", Some("http://127.0.0.1:4000/k3y")),
        ("https://api.plan.example:443/r4/Patient?a=b#c", Some("http://127.0.0.1:4000/k3y/Patient?a=b#c")),
        ("HTTPS://API.plan.example/r4?a", Some("http://127.0.0.1:4000/k3y?a")),
        ("https://api.plan.example/r4b/x", Some("http://127.0.0.1:4000/k3y/~api.plan.example/r4b/x")),
        ("https://api.plan.example/r4/~x/", Some("http://127.0.0.1:4000/k3y/~api.plan.example/r4/~x/")),
        ("https://api.plan.example:8443/r4", Some("http://127.0.0.1:4000/k3y/~api.plan.example:8443/r4")),
        ("https://auth.plan.example", Some("http://127.0.0.1:4000/k3y/~auth.plan.example")),
        ("http://api.plan.example/r4", None),
        ("https://evil.example/?u=https://api.plan.example/r4", None),
        ("https://user@api.plan.example/r4", None),
        ("https://api.plan.example/r4/../x", None),
        ("api.plan.example/r4", None),
        ("Patient/1", None),
        ("/r4/Patient/1", None),
        ("urn:uuid:1", None),
        ("https://api.plan.example/r4 ", None),
        ("", None),
    ] {
        assert_eq!(upstream().to_public(url).as_deref(), public, "{url}");
    }
    let loopback = on_loopback();
    assert_eq!(loopback.to_public("https://127.0.0.1:9000/r4"), None);
    assert_eq!(loopback.to_public("http://127.0.0.1:4000/k3y/Patient"), None);
    assert_eq!(
        loopback.to_public("http://[::1]:81/x").as_deref(),
        Some("http://127.0.0.1:4000/k3y/~[::1]:81/x")
    );
}

#[test]
fn references_in_headers_are_resolved() {
    let url = Url::parse("https://api.plan.example/r4/Patient").expect("a URL");
    for (reference, public) in [
        ("/r4/Patient/1", Some("http://127.0.0.1:4000/k3y/Patient/1")),
        ("Patient/1/_history/2", Some("http://127.0.0.1:4000/k3y/Patient/1/_history/2")),
        ("//auth.plan.example/x", Some("http://127.0.0.1:4000/k3y/~auth.plan.example/x")),
        ("//evil.example/x", None),
        ("https://evil.example/x", None),
        ("mailto:a@api.plan.example", None),
    ] {
        assert_eq!(upstream().reference_to_public(&url, reference).as_deref(), public, "{reference}");
    }
}

proptest! {
    #[test]
    fn rewritten_urls_lead_back_to_where_they_came_from(
        host in "(api|auth|x)\\.plan\\.example(:443|:8443)?",
        path in "(/r4)?(/[A-Za-z0-9$~._-]{1,8}){0,3}/?",
        query in proptest::option::of("[a-z0-9=&%2_-]{0,12}"),
    ) {
        let upstream = upstream();
        let url = format!("https://{host}{path}{}", query.map(|query| format!("?{query}")).unwrap_or_default());
        let Some(public) = upstream.to_public(&url) else {
            let is_other = host.starts_with('x');
            prop_assert!(is_other || path.split('/').any(|segment| matches!(segment, "." | "..")), "{url}");
            return Ok(());
        };
        let below = public.strip_prefix(PUBLIC).expect("the proxy's");
        let (path, query) = below.split_once('?').map_or((below, None), |(path, query)| (path, Some(query)));
        prop_assert_eq!(upstream.target(path, query).expect("allowed"), Url::parse(&url).expect("a URL"));
    }
}
