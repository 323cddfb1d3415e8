//! The pipe with the token: no option of curl reads the token again, and a curl that can't read the pipe makes no request.

use std::process::Command;

use super::{Fixture, TOKEN, options_of_curl};
use crate::support::{FaultReport, Kind, Oneup, requires, size};

impl Fixture {
    /// Prepares a run with a shell script instead of curl; `REAL` in it is the installed curl.
    fn with_curl(&self, script: &str, words: &[&str]) -> Oneup {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let real = std::env::split_paths(&path).map(|dir| dir.join("curl")).find(|file| file.is_file());
        let real = real.expect("curl is installed").display().to_string();
        self.home.write_script("bin/curl", &script.replace("REAL", &real));
        let dirs = [self.home.path("bin")].into_iter().chain(std::env::split_paths(&path));
        self.curl(words).env("PATH", std::env::join_paths(dirs).expect("no colons"))
    }

    /// Returns the name of the pipe, such as `/dev/fd/3`.
    fn pipe(&self) -> String {
        let script = r#"case "$*" in *--version) exec REAL --version;; esac; printf '%s\n' "$@""#;
        let words = self.with_curl(script, &["/a"]).run().stdout;
        let mut words = words.lines().skip_while(|word| *word != "--config");
        let name = words.nth(1).expect("a configuration file");
        assert!(name.starts_with("/dev/fd/"), "{name}");
        name.to_owned()
    }

    /// Returns the number of requests that the profile's server got, those for a token not counted.
    fn requests(&self) -> usize {
        self.ours.resource_requests().len()
    }
}

/// Every option of the installed curl that takes a value names the pipe, with a proxy of another party and with a local file.
#[test]
fn options_do_not_read_the_token_again() {
    let Some(fixture) = Fixture::start() else { return };
    let mut report =
        FaultReport::new(Kind::Input, "options of the installed curl that name the token's pipe");
    let pipe = fixture.pipe();
    let alias = pipe.replace("/dev/", "/proc/self/");
    let at = format!("@{pipe}");
    let values = size(vec![pipe.as_str(), &at], vec![&pipe, &at, &alias]);
    let options = options_of_curl();
    let options: Vec<String> = options
        .into_iter()
        .filter(|(_, takes_value)| *takes_value)
        .map(|(name, _)| format!("--{name}"))
        .collect();
    assert!(options.len() > 100, "{} options", options.len());
    let mut cases: Vec<Vec<String>> = Vec::new();
    for option in &options {
        cases.extend(values.iter().map(|value| vec![option.clone(), (*value).to_owned()]));
    }
    for words in [
        ["-F", "x=@PIPE"],
        ["-F", "x=<PIPE"],
        ["--data-urlencode", "x@PIPE"],
        ["--url-query", "x@PIPE"],
        ["-b", "PIPE"],
        ["-HX:y", "--proxy-header=@PIPE"],
    ] {
        cases.push(words.map(|word| word.replace("PIPE", &pipe)).to_vec());
    }
    for case in &cases {
        let case: Vec<&str> = case.iter().map(String::as_str).collect();
        for (before, after) in [
            (["-x", "http://OTHER"], ["-m3", "https://gateway.1up.health/x"]),
            (["-D", "head"], ["-w%{url}", "/a"]),
        ] {
            let words = [&before[..], &case, &after].concat();
            if !fixture.keeps_the_token(&words, &mut report) {
                return report.finish();
            }
        }
    }
    let doubled = fixture.ours.requests().into_iter().find(|request| request.matches(TOKEN).count() > 1);
    doubled.iter().for_each(|request| report.failed(request.to_string()));
    assert!(fixture.authorized() > 20, "too few requests: {}", fixture.authorized());
    let proxied = fixture.other.requests().iter().filter(|request| request.starts_with("CONNECT ")).count();
    assert!(proxied > 100, "too few requests to the proxy: {proxied}");
    report.finish();
}

#[test]
fn without_the_pipe_no_request_is_made() {
    let Some(fixture) = Fixture::start() else { return };
    let closed = "exec 3<&- 4<&- 5<&- 6<&- 7<&- 8<&- 9<&-; exec REAL \"$@\"";
    let other = "exec 3</dev/null 4</dev/null 5</dev/null 6</dev/null; exec REAL \"$@\"";
    let twice = "case \"$*\" in *--config*) cat /dev/fd/[3-9] >/dev/null;; esac; exec REAL \"$@\"";
    for script in [closed, other, twice] {
        for words in [&["/a"][..], &["-v", "/a"], &["-o", "x", "/a", "/b"], &["-L", "/a", "-d", "x"]] {
            let outcome = fixture.with_curl(script, words).outcome();
            assert!(!matches!(outcome.status, None | Some(0)), "{words:?}: {:?}", outcome.status);
        }
    }
    assert_eq!(fixture.requests(), 0);
    fixture.with_curl("exec REAL \"$@\"", &["/a"]).run();
    assert_eq!((fixture.requests(), fixture.authorized()), (1, 1));
}

#[test]
fn without_proc_no_request_is_made() {
    let Some(fixture) = Fixture::start() else { return };
    let script = "mount -t tmpfs none /proc && exec \"$0\" \"$@\"";
    let unshare = ["unshare", "-rm", "sh", "-c", script];
    let works = Command::new(unshare[0]).args(&unshare[1..]).arg("true").output();
    if !requires("user namespaces", works.is_ok_and(|output| output.status.success())) {
        return;
    }
    for words in [&["/a"][..], &["-v", "/a"]] {
        let run = fixture.home.oneup_under(&unshare).arg("curl").args(["--"]).args(words);
        run.status(125).stderr_has("could not pass the token").stderr_has("/dev/fd/").run();
    }
    assert_eq!(fixture.requests(), 0);
}
