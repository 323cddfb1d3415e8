//! Requests of web pages in a real Chromium: rejected, unless their origin is allowed.

use super::Proxy;
use crate::support::{Chromium, Home, RawServer, TokenEndpoint, html_response, text_response};

/// A page that fetches a URL in each way that pages can, and shows the responses.
fn page(url: &str) -> Vec<u8> {
    let script = format!(
        "const url = '{url}'; const show = text => document.body.innerText += text + '\\n';
        const get = (name, options) => fetch(url, options).then(async r => show(name + ' ' + r.type + ' ' + r.status + ' ' + await r.text()), e => show(name + ' failed'));
        (async () => {{
            await get('cors', {{}});
            await get('header', {{headers: {{'X-Custom': 'a'}}}});
            await get('put', {{method: 'PUT', body: '{{}}'}});
            await get('opaque', {{mode: 'no-cors'}});
            await new Promise(done => {{ const i = new Image(); i.onload = i.onerror = done; i.src = url + '?image'; }});
            show('end');
        }})();"
    );
    html_response("200 OK", format!("<!doctype html><body><script>{script}</script>"))
}

#[test]
fn fetch_from_a_page_is_rejected_unless_its_origin_is_allowed() {
    let home = Home::new();
    let Some(chromium) = Chromium::start(&home, 600) else { return };
    let endpoint = TokenEndpoint::builder().resources(|_| text_response("200 OK", "pat1ent")).start();
    let url = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let shared = std::sync::Arc::clone(&url);
    let site = RawServer::start(move |_, _, _| page(&shared.lock().expect("no panic")));
    // Even with the key, which a page does not have.
    let proxy = Proxy::at(&endpoint, &[]);
    *url.lock().expect("no panic") = format!("{}/Patient", proxy.url);
    chromium.go(&site.url());
    let shown = chromium.expect("end");
    assert!(!shown.contains("pat1ent"), "{shown}");
    for name in ["cors", "header", "put"] {
        assert!(shown.contains(&format!("{name} failed")), "{shown}");
    }
    assert_eq!(endpoint.resource_requests().len(), 0, "{:?}", endpoint.requests());
    // DNS rebinding: the page's own host name leads to the proxy.
    let rebound = proxy.url.replace("127.0.0.1", "rebound.localhost");
    chromium.go(&format!("{rebound}/Patient"));
    assert!(chromium.expect("oneup proxy").contains("Host header"));
    assert_eq!(endpoint.resource_requests().len(), 0);

    let proxy = Proxy::at(&endpoint, &["--allow-origin", &site.url()]);
    *url.lock().expect("no panic") = format!("{}/Patient", proxy.url);
    chromium.go(&site.url());
    let shown = chromium.expect("end");
    for name in ["cors", "header", "put"] {
        assert!(shown.contains(&format!("{name} cors 200 pat1ent")), "{shown}");
    }
    // The user who types the URL sees the response.
    chromium.go(&format!("{}/Patient", proxy.url));
    chromium.expect("pat1ent");
}
