//! Attacks on the host rule of `oneup curl`: the real curl and two servers on this machine, one of which is the profile's.
//! The token never reaches the other server or a file.
#![cfg(target_os = "linux")]

mod attacks;
mod pipe;

use std::path::Path;
use std::process::Command;

use attacks::ATTACKS;

use crate::support::{
    FaultReport, Home, Kind, Oneup, RawServer, Request, TokenEndpoint, requires_program, response, size,
    text_response,
};

const TOKEN: &str = "tok-3n.F0R-0NE-H0ST";

/// A home, the server of its profile, and a server of another party.
struct Fixture {
    home: Home,
    ours: TokenEndpoint,
    other: RawServer,
}

impl Fixture {
    /// Logs in to a profile whose FHIR server is 127.0.0.1, and whose token endpoint is not on loopback.
    fn start() -> Option<Self> {
        if !requires_program("curl") {
            return None;
        }
        let other = RawServer::start_at("127.0.0.2", |_, _, _| text_response("200 OK", "other\n"));
        let elsewhere = other.url();
        let resources = move |request: &Request| {
            if !request.target().starts_with("/r4/redirect") {
                return text_response("200 OK", "ours\n");
            }
            let (location, refresh) = (format!("{elsewhere}/"), format!("0;url={elsewhere}"));
            let headers =
                [("Location", &*location), ("Alt-Svc", "h2=\"127.0.0.2:1\""), ("Refresh", &refresh)];
            response("307 Temporary Redirect", &headers, "")
        };
        let ours = TokenEndpoint::builder().token(TOKEN).resources(resources).start();
        let home = Home::logged_in(&ours);
        home.move_token_endpoint("https://gateway.1up.health/token");
        std::fs::create_dir(home.path("here")).expect("a directory");
        Some(Self { home, ours, other })
    }

    /// Replaces `OURS`, `OTHER` (`ADDRESS:PORT` each) and `PORT` (the other one).
    fn words(&self, words: &[&str]) -> Vec<String> {
        let (ours, other) = (self.ours.address(), self.other.address());
        let fill = |word: &&str| {
            word.replace("OURS", &ours.to_string())
                .replace("OTHER", &other.to_string())
                .replace("PORT", &other.port().to_string())
        };
        words.iter().map(fill).collect()
    }

    /// Prepares a run of curl in the directory `here`, which [`leak`](Self::leak) searches.
    fn curl(&self, words: &[&str]) -> Oneup {
        let limits = ["-sS", "--max-time", "5", "--connect-timeout", "2"];
        let run = self.home.oneup_under(&["env", "-C", self.home.path("here").to_str().expect("UTF-8")]);
        run.arg("curl").args(["--"]).args(limits).args(self.words(words))
    }

    /// Runs curl with these arguments, and returns whether the token reached neither the other server nor a file.
    fn keeps_the_token(&self, words: &[&str], report: &mut FaultReport) -> bool {
        let outcome = self.curl(words).outcome();
        report.check(!outcome.shows(TOKEN), format!("{words:?} prints it"), &outcome);
        let leak = self.leak();
        leak.iter().for_each(|leak| report.failed(format!("{words:?}: {leak}")));
        leak.is_none()
    }

    /// Returns where the token leaked: a request to the other server, or a file.
    fn leak(&self) -> Option<String> {
        let sent = self.other.requests().into_iter().find(|request| request.contains(TOKEN));
        sent.map(|request| request.to_string()).or_else(|| {
            let here = self.home.path("here");
            holds(&here).then(|| format!("a file in {}", here.display()))
        })
    }

    /// Returns the number of requests with the token that the profile's server got.
    fn authorized(&self) -> usize {
        self.ours.requests().iter().filter(|request| request.contains(&format!("Bearer {TOKEN}\r\n"))).count()
    }
}

fn holds(dir: &Path) -> bool {
    Command::new("grep").args(["-rqa", TOKEN]).arg(dir).status().expect("grep runs").success()
}

#[test]
fn attacks_send_the_token_to_no_other_host_and_no_file() {
    let Some(fixture) = Fixture::start() else { return };
    let mut report = FaultReport::new(Kind::Input, "attacks on the host rule, with the real curl");
    let other = fixture.other.url();
    for (name, text) in [
        ("urls", format!("url = {other}/\n")),
        ("hidden", format!("# x\n  --url\t=  \"{other}/\"\n")),
        ("next", format!("url = /a\nnext\nurl = {other}\n")),
        ("nested", "config = urls\n".to_owned()),
        ("list", format!("{other}/\n")),
        (
            "altsvc",
            format!(
                "h1 127.0.0.1 {} h1 127.0.0.2 {} \"20991231 00:00:00\" 0 0\n",
                fixture.ours.address().port(),
                fixture.other.address().port()
            ),
        ),
        ("hsts", "127.0.0.1 \"20991231 00:00:00\"\n".to_owned()),
    ] {
        fixture.home.write(&format!("here/{name}"), text);
    }
    for words in ATTACKS {
        if !fixture.keeps_the_token(words, &mut report) {
            return report.finish();
        }
    }
    assert!(fixture.authorized() > 20, "too few requests to the profile's server: {}", fixture.authorized());
    report.finish();
}

#[test]
fn curlrc_and_proxy_variables_send_the_token_nowhere_else() {
    let Some(fixture) = Fixture::start() else { return };
    let mut report = FaultReport::new(Kind::Input, "curl's own files and variables, against the host rule");
    let other = fixture.other.url();
    let lines = [
        format!("url = {other}/"),
        format!("proxy = {other}"),
        format!("connect-to = ::{}", fixture.other.address()),
        format!("next\nurl = {other}/"),
        "location-trusted".to_owned(),
        "location\nlocation-trusted".to_owned(),
        "trace = here/trace".to_owned(),
        "libcurl = here/code.c".to_owned(),
        format!("doh-url = {other}/"),
        format!("preproxy = {other}"),
        "-K urls".to_owned(),
    ];
    for line in lines {
        for place in [".curlrc", ".config/curlrc", "_curlrc"] {
            let file = fixture.home.write(place, &line);
            for words in [&["/a"][..], &["-L", "/redirect"]] {
                fixture.curl(words).outcome();
                report.tried(1);
            }
            std::fs::remove_file(file).expect("it is ours");
            if let Some(leak) = fixture.leak() {
                report.failed(format!("{line:?} in {place}: {leak}"));
                return report.finish();
            }
        }
    }
    for name in ["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        for scheme in ["http", "socks5", "socks4a"] {
            let proxy = format!("{scheme}://{}", fixture.other.address());
            fixture.curl(&["/a"]).env(name, proxy).stdout("ours\n").run();
            report.tried(1);
        }
    }
    fixture.leak().into_iter().for_each(|leak| report.failed(leak));
    report.finish();
}

/// Returns the names of the installed curl's options, and whether they take a value.
fn options_of_curl() -> Vec<(String, bool)> {
    let help = Command::new("curl").args(["-q", "--help", "all"]).output().expect("curl runs").stdout;
    let help = String::from_utf8(help).expect("text");
    let options = help.lines().filter_map(|line| line.split_once("--"));
    let options = options.map(|(_, rest)| rest.split_once(' ').unwrap_or((rest, "")));
    options.map(|(name, rest)| (name.to_owned(), rest.starts_with('<'))).collect()
}

/// Tries every option of the installed curl with values that name the other server.
#[test]
fn installed_curls_options_send_the_token_nowhere_else() {
    let Some(fixture) = Fixture::start() else { return };
    let mut report = FaultReport::new(Kind::Input, "options of the installed curl, against the host rule");
    let options = options_of_curl();
    assert!(options.len() > 200, "{} options", options.len());
    let values: &[&str] = size(&["OTHER"], &["OTHER", "http://OTHER/", "::OTHER", "here"]);
    for (name, takes_value) in options.iter().step_by(size(3, 1)) {
        let option = format!("--{name}");
        for value in if *takes_value { values } else { &[""] } {
            for path in size(&["/redirect"][..], &["/redirect", "http://OURS/x"]) {
                let words: Vec<&str> =
                    if *takes_value { vec!["-L", &option, value, path] } else { vec!["-L", &option, path] };
                if !fixture.keeps_the_token(&words, &mut report) {
                    return report.finish();
                }
            }
        }
    }
    assert!(fixture.authorized() > size(30, 200), "too few requests: {}", fixture.authorized());
    report.finish();
}
