//! Many requests over many tokens.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::{Proxy, home_at};
use crate::support::{Sandbox, size};

#[test]
fn no_401_reaches_the_client_over_many_tokens() {
    let lifetime = "2";
    let sandbox = Sandbox::start(&["--token-lifetime", lifetime]);
    let proxy = Proxy::start(&home_at(&sandbox), &["--profile", "r4"]);
    let (count, least) = (size(1_500, 10_000), Duration::from_secs(size(5, 15)));
    let (sent, begun) = (AtomicUsize::new(0), Instant::now());
    let tokens = sandbox.count("/token");
    let (client, url) = (proxy.client.clone(), format!("{}/Patient/123456789123", proxy.url));
    std::thread::scope(|threads| {
        for _ in 0..8 {
            threads.spawn(|| {
                while sent.fetch_add(1, Ordering::Relaxed) < count || begun.elapsed() < least {
                    let response = client.get(&url).send().expect("a response");
                    assert_eq!(response.status(), 200);
                    response.bytes().expect("a body");
                }
            });
        }
    });
    let (tokens, elapsed) = (sandbox.count("/token") - tokens, begun.elapsed().as_secs());
    assert!(tokens >= 2, "{tokens}");
    // A token is requested when one expires, and not by each of the clients.
    assert!(tokens <= elapsed / 2 + 3, "{tokens} tokens in {elapsed} s");
}
