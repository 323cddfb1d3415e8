//! Whether a profile's token endpoint answers, by a TLS that holds, and how far its clock is from ours.

use super::Check;
use super::check::Finding;
use crate::context::Context;
use crate::http::{Http, HttpResponse};
use crate::output::duration;
use crate::profile::Profile;
use crate::system::clock::now;

/// A skew that nobody notices, in seconds.
const HARMLESS_SKEW: u64 = 60;

/// One check for each token endpoint that a profile names.
pub(super) fn endpoints(context: &Context, profiles: &[Profile]) -> Vec<Check> {
    let mut urls: Vec<&str> = profiles.iter().map(|profile| profile.token_url.as_str()).collect();
    urls.sort_unstable();
    urls.dedup();
    urls.into_iter()
        .map(|url| -> Check {
            let (context, url) = (context.clone(), url.to_owned());
            ("endpoint", Box::new(move || endpoint(&context, &url)))
        })
        .collect()
}

/// A GET: no token endpoint takes one, and the refusal is the sign of life that is wanted.
fn endpoint(context: &Context, url: &str) -> Vec<Finding> {
    let before = now();
    match Http::new(context).and_then(|http| http.get(url)) {
        Ok(answer) => vec![alive(url, &answer), clock(answer.date, before, now())],
        Err(error) => vec![Finding::error("endpoint", &error)],
    }
}

fn alive(url: &str, answer: &HttpResponse) -> Finding {
    match answer.status {
        404 => Finding::failure("endpoint", format!("{url} isn't there (HTTP 404)"))
            .fix("log in again with the right --gateway and --realm, --plan, or --token-url"),
        403 => {
            Finding::warning("endpoint", format!("{url} answers HTTP 403: a firewall may stand before it"))
                .fix("if logins fail too, ask 1up whether your address is blocked")
        }
        status => Finding::ok("endpoint", format!("{url} answers (HTTP {status} to a GET, as it should)")),
    }
}

/// `Date` has whole seconds and was written somewhere between the two readings of our clock.
fn clock(date: Option<i64>, before: i64, after: i64) -> Finding {
    let Some(date) = date else { return Finding::ok("clock", "not compared: the server sends no Date") };
    let skew = if date < before { before - date } else { (date - after).max(0) };
    let apart = duration(skew.unsigned_abs());
    if skew.unsigned_abs() <= HARMLESS_SKEW {
        return Finding::ok("clock", format!("within {apart} of the server's"));
    }
    let way = if date < before { "ahead of" } else { "behind" };
    Finding::warning("clock", format!("this machine's clock is {apart} {way} the server's"))
        .fix("set the clock, for example with NTP")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::doctor::check::{Status, text};

    #[test]
    fn a_skew_is_named_with_its_direction() {
        for (date, status, words) in [
            (Some(1_000), Status::Ok, "within 0 s"),
            (Some(1_002), Status::Ok, "within 0 s"),
            (Some(1_062), Status::Ok, "within 1 min of"),
            (Some(400), Status::Warning, "10 min ahead of the server's"),
            (Some(1_602), Status::Warning, "10 min behind the server's"),
            (None, Status::Ok, "not compared: the server sends no Date"),
        ] {
            let finding = clock(date, 1_000, 1_002);
            assert_eq!(finding.status, status, "{date:?}");
            assert!(text(&[finding]).contains(words), "{date:?}");
        }
    }
}
