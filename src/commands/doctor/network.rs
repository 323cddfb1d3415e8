//! Whether a token endpoint responds, over valid TLS, and how far its clock is from this machine's.

use std::collections::BTreeSet;

use super::Checks;
use super::check::Finding;
use crate::context::Context;
use crate::http::{Http, HttpResponse};
use crate::output::duration;
use crate::profile::Profile;
use crate::system::clock::now;

/// The largest clock skew without a warning, in seconds.
const MAX_CLOCK_SKEW: u64 = 60;

/// Starts a check for each token endpoint of the profiles.
pub(super) fn start(checks: &mut Checks, profiles: &[Profile]) {
    let urls: BTreeSet<&str> = profiles.iter().map(|profile| profile.token_url.as_str()).collect();
    for url in urls.into_iter().map(str::to_owned) {
        checks.start("endpoint", move |context| endpoint(context, &url));
    }
}

/// Sends a GET, which every token endpoint rejects: any response shows that it is there.
fn endpoint(context: &Context, url: &str) -> Vec<Finding> {
    let before = now();
    match Http::new(context).and_then(|http| http.get(url)) {
        Ok(response) => vec![status(url, &response), clock(response.date, before, now())],
        Err(error) => vec![Finding::error("endpoint", &error)],
    }
}

fn status(url: &str, response: &HttpResponse) -> Finding {
    match response.status {
        404 => Finding::failure("endpoint", format!("{url} not found (HTTP 404)"))
            .fix("log in again with the right --gateway and --realm, --plan, or --token-url"),
        403 => Finding::warning("endpoint", format!("{url} responds with HTTP 403"))
            .fix("if logins fail too: 1up blocks clients outside the United States; a firewall or proxy may block you"),
        status => Finding::ok("endpoint", format!("{url} responds (HTTP {status} to a GET, as expected)")),
    }
}

/// Compares `Date`, which was written between `before` and `after` and has whole seconds.
fn clock(date: Option<i64>, before: i64, after: i64) -> Finding {
    let Some(date) = date else { return Finding::ok("clock", "not compared: the server sends no Date") };
    let skew = if date < before { before - date } else { (date - after).max(0) };
    let difference = duration(skew.unsigned_abs());
    if skew.unsigned_abs() <= MAX_CLOCK_SKEW {
        return Finding::ok("clock", format!("within {difference} of the server's"));
    }
    let direction = if date < before { "ahead of" } else { "behind" };
    Finding::warning("clock", format!("this machine's clock is {difference} {direction} the server's"))
        .fix("set the clock: sudo timedatectl set-ntp true; in WSL: sudo hwclock -s")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::check::{Severity, text};

    #[test]
    fn clock_skew_has_a_direction() {
        for (date, severity, words) in [
            (Some(1_000), Severity::Ok, "within 0 s"),
            (Some(1_002), Severity::Ok, "within 0 s"),
            (Some(1_062), Severity::Ok, "within 1 min of"),
            (Some(400), Severity::Warning, "10 min ahead of the server's"),
            (Some(1_602), Severity::Warning, "10 min behind the server's"),
            (None, Severity::Ok, "not compared: the server sends no Date"),
        ] {
            let finding = clock(date, 1_000, 1_002);
            assert_eq!(finding.severity, severity, "{date:?}");
            assert!(text(&[finding]).contains(words), "{date:?}");
        }
    }
}
