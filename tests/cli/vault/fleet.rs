//! Many machines with one login: one token request, although one of them is killed or the server is sealed or restarted.

use std::time::{Duration, Instant};

use super::{ITEM, PATH, first_login, fixture, fixture_of_two, join, show};
use crate::support::{FaultReport, Home, Kind, OpenBao, TokenEndpoint, size, wait_until};

/// Waits until the endpoint has had this many requests.
pub(super) fn wait_for_requests(endpoint: &TokenEndpoint, count: usize) {
    wait_until("a token request", || endpoint.count() >= count);
}

fn wait_for_claim(bao: &OpenBao) {
    wait_until("a claim", || !bao.item(ITEM)["claim"].is_null());
}

#[test]
fn three_machines_make_one_token_request() {
    let endpoint = TokenEndpoint::builder().delay(Duration::from_millis(300)).start();
    let Some((bao, endpoint, first)) = fixture(endpoint) else { return };
    let homes = [first, Home::new(), Home::new()];
    for home in &homes[1..] {
        join(&bao, home).run();
    }
    let processes = size(8, 50);
    let mut report =
        FaultReport::new(Kind::Load, "machines that share a login in Vault, on an expired token");
    for round in 1..=size(1, 3) {
        bao.expire_token(ITEM);
        let children: Vec<_> = (0..processes)
            .flat_map(|_| &homes)
            .map(|home| show(&bao, home).args(["--timeout", "80"]).spawn())
            .collect();
        for child in children {
            let output = child.wait_with_output().expect("oneup ends");
            report.tried(1);
            let token = String::from_utf8_lossy(&output.stdout);
            if token != format!("token-{round}\n") {
                report.failed(format!("{token}{}", String::from_utf8_lossy(&output.stderr)));
            }
        }
        assert_eq!(endpoint.count(), round + 1, "one token request for all machines");
    }
    report.finish();
}

#[test]
fn killed_refresher_delays_the_others_by_its_claim() {
    let endpoint = TokenEndpoint::builder().delay(Duration::from_secs(2)).start();
    let Some((bao, endpoint, [first, second])) = fixture_of_two(endpoint) else { return };
    // A claim of 4 s.
    let mut refresher = show(&bao, &first).args(["--timeout", "8"]).spawn();
    wait_for_requests(&endpoint, 2);
    refresher.kill().expect("SIGKILL");
    refresher.wait().expect("it has ended");
    let begun = Instant::now();
    show(&bao, &second).run();
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(12), "{took:?}: the claim, then a request of 2 s");
    assert_eq!(endpoint.count(), 3);
    // No machine waits for a claim that has expired.
    bao.expire_token(ITEM);
    let begun = Instant::now();
    show(&bao, &first).run();
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
}

#[test]
fn failed_refresh_lets_the_others_try_immediately() {
    let Some((bao, endpoint, first)) = fixture(TokenEndpoint::start()) else { return };
    bao.expire_token(ITEM);
    endpoint.set_down(true);
    show(&bao, &first).args(["--timeout", "5"]).status(5).run();
    assert!(bao.item(ITEM)["claim"].is_null());
    endpoint.set_down(false);
    let begun = Instant::now();
    show(&bao, &first).run();
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn waiting_machine_times_out_with_a_message() {
    let endpoint = TokenEndpoint::builder().delay(Duration::from_secs(6)).start();
    let Some((bao, _endpoint, [first, second])) = fixture_of_two(endpoint) else { return };
    let refresher = show(&bao, &first).spawn();
    wait_for_claim(&bao);
    show(&bao, &second)
        .args(["--timeout", "2"])
        .status(1)
        .stderr_has("timed out after 2 s waiting for another machine to refresh secret/oneup/acme")
        .run();
    assert!(refresher.wait_with_output().expect("it ends").status.success());
    show(&bao, &second).stdout("token-1\n").run();
}

#[test]
fn server_that_is_sealed_or_restarted_during_a_refresh_loses_no_token() {
    let endpoint = TokenEndpoint::builder().delay(Duration::from_secs(3)).start();
    let Some((mut bao, endpoint, [first, second])) = fixture_of_two(endpoint) else { return };

    // Sealed between the claim and the write: the new token can't be stored, but it is valid.
    let refresher = show(&bao, &first).spawn();
    wait_for_requests(&endpoint, 2);
    bao.seal();
    let output = refresher.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "token-1\n");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.contains("could not be stored for the other machines") && stderr.contains("sealed"),
        "{stderr}"
    );
    show(&bao, &second).status(6).stderr_has("is sealed").run();
    bao.unseal();
    // The claim ends by itself.
    show(&bao, &second).stdout("token-2\n").run();

    // Restarted while one machine refreshes and the other waits.
    bao.expire_token(ITEM);
    let refresher = show(&bao, &first).args(["--timeout", "60"]).spawn();
    wait_for_requests(&endpoint, 4);
    let waiting = show(&bao, &second).args(["--timeout", "60"]).spawn();
    // By then, it waits.
    std::thread::sleep(Duration::from_millis(1_500));
    bao.restart();
    let outputs = [refresher, waiting].map(|child| child.wait_with_output().expect("it ends"));
    for output in &outputs {
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}");
    }
    assert!(endpoint.count() <= 5, "at worst the waiting machine requested its own token");
}

#[test]
fn two_concurrent_first_logins_leave_one() {
    let Some(bao) = OpenBao::start() else { return };
    let endpoint = TokenEndpoint::builder().delay(Duration::from_secs(1)).start();
    let homes = [Home::new(), Home::new()];
    let children = homes.each_ref().map(|home| first_login(&bao, &endpoint, home).spawn());
    let outputs = children.map(|child| child.wait_with_output().expect("it ends"));
    let codes: Vec<_> = outputs.iter().map(|output| output.status.code()).collect();
    assert!(codes.contains(&Some(0)), "{codes:?}");
    for (output, home) in outputs.iter().zip(&homes) {
        if !output.status.success() {
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(6), "{stderr}");
            assert!(stderr.contains(&format!("{PATH} in Vault was changed by another machine")), "{stderr}");
            first_login(&bao, &endpoint, home).stderr_has("Joined").run();
        }
    }
}

/// The token is in the kernel's cache while Vault can't be reached.
#[cfg(target_os = "linux")]
#[test]
fn cached_token_needs_no_server() {
    let Some((mut bao, endpoint, first)) = fixture(TokenEndpoint::start()) else { return };
    show(&bao, &first).with_cache().stdout("token-0\n").run();
    if !crate::support::requires("a kernel keyring", is_cached(&first)) {
        return;
    }
    bao.stop();
    first.oneup().args(["token", "show"]).with_cache().stdout("token-0\n").stderr("").run();
    show(&bao, &first).with_cache().arg("--refresh").status(5).run();
    assert_eq!(endpoint.count(), 1);
    bao.restart();
    bao.configure(first.oneup().with_cache().arg("logout")).run();
}

#[cfg(target_os = "linux")]
fn is_cached(home: &Home) -> bool {
    // Without Vault's variables, only the cache can be read.
    home.oneup().args(["token", "show"]).with_cache().outcome().status == Some(0)
}
