//! Whole command lines and their verdicts: what reaches curl, and what never does.

use std::ffi::{OsStr, OsString};

use crate::curl::arguments::parse;
use crate::curl::hosts::Hosts;
use crate::curl::policy::Policy;
use crate::curl::write::{Word, command_line};
use crate::error::Result;

/// curl's command line for a profile at plan.example (or on loopback), with `@HEADER` where the token goes.
fn judge(words: &[&str], rc: &str, elsewhere: bool, loopback: bool) -> Result<String> {
    let base = if loopback { "http://127.0.0.1:8080" } else { "https://api.plan.example" };
    let args: Vec<OsString> = words.iter().map(OsString::from).collect();
    let rc_name = (!rc.is_empty()).then_some(OsStr::new("rc"));
    let read = &mut |name: &OsStr| Ok(if name == "rc" { rc.to_owned() } else { name.display().to_string() });
    let hosts = Hosts::at(&[base], loopback);
    let fhir_base = format!("{base}/r4");
    let policy =
        Policy { fhir_base: &fhir_base, hosts: &hosts, no_auth_elsewhere: elsewhere, verbose: false };
    let judged = policy.judge(&parse(&args, rc_name, read)?)?;
    let show = |word: Word| match word {
        Word::Plain(text) => text.into_string().expect("UTF-8"),
        Word::Config(text) => format!("<{}>", text.trim_end().replace('\n', ";")),
        Word::Header => "@HEADER".into(),
    };
    Ok(command_line(&judged, None).into_iter().map(show).collect::<Vec<_>>().join(" "))
}

const TAIL: &str = "--proto =https --proto-redir =https --proto-default https";
const LOCAL: &str = "--proto =http,https --proto-redir =http,https --proto-default https --noproxy *";

#[test]
fn the_token_goes_to_the_profile() {
    for (words, line) in [
        ("/Patient", "-q --url https://api.plan.example/r4/Patient T --header @HEADER"),
        ("-sSo out api.plan.example", "-q -s -S -o out --url https://api.plan.example/ T --header @HEADER"),
        (
            "-L --proxy http://proxy.example:3128 /x",
            "-q -L --proxy http://proxy.example:3128 --url https://api.plan.example/r4/x T --header @HEADER",
        ),
        (
            "/a -: /b",
            "-q --url https://api.plan.example/r4/a T --header @HEADER --next --url https://api.plan.example/r4/b T --header @HEADER",
        ),
        (
            "--resolve api.plan.example:443:127.0.0.1 /a",
            "-q --resolve api.plan.example:443:127.0.0.1 --url https://api.plan.example/r4/a T --header @HEADER",
        ),
        (
            "-H Authorizations:x -H X-Authorization:y /a",
            "-q -H Authorizations:x -H X-Authorization:y --url https://api.plan.example/r4/a T --header @HEADER",
        ),
        (
            "--no-insecure --no-location-trusted /a",
            "-q --no-insecure --no-location-trusted --url https://api.plan.example/r4/a T --header @HEADER",
        ),
        ("-K silent /a", "-q --config <--silent> --url https://api.plan.example/r4/a T --header @HEADER"),
        ("-K url=/b", "-q --config <--url \"https://api.plan.example/r4/b\"> T --header @HEADER"),
        ("-V", "-q -V"),
        ("--help all", "-q --help all"),
    ] {
        let words: Vec<&str> = words.split(' ').collect();
        assert_eq!(judge(&words, "", false, false).expect(line), line.replace('T', TAIL), "{words:?}");
    }
}

#[test]
fn a_foreign_url_takes_the_token_from_its_section() {
    for (words, line) in [
        ("evil.example", "-q --url https://evil.example/ T"),
        ("/a evil.example", "-q --url https://api.plan.example/r4/a --url https://evil.example/ T"),
        (
            "/a -: evil.example -k -u x:y --location-trusted",
            "-q --url https://api.plan.example/r4/a T --header @HEADER --next --url https://evil.example/ -k -u x:y --location-trusted T",
        ),
    ] {
        let words: Vec<&str> = words.split(' ').collect();
        assert_eq!(judge(&words, "", true, false).expect(line), line.replace('T', TAIL), "{words:?}");
        let refused = judge(&words, "", false, false).expect_err(line).to_string();
        assert!(refused.contains("evil.example is none of the profile's hosts"), "{refused}");
    }
}

#[test]
fn what_would_carry_the_token_away_is_refused() {
    for words in [
        "--location-trusted /a",
        "-sk /a",
        "--insec /a",
        "-u x:y /a",
        "-ux:y /a",
        "--oauth2-bearer x /a",
        "-H Authorization:x /a",
        "-HAUTHORIZATION:x /a",
        "-H authorization; /a",
        "--expand-header x /a",
        "--trace - /a",
        "--trace-ascii x /a",
        "--libcurl x /a",
        "-v --stderr x /a",
        "--stderr x -sv /a",
        "--expand-url {{x}}",
        "--url http://api.plan.example/",
        "http://api.plan.example/",
        "ftp://api.plan.example/",
        "-K location-trusted /a",
        "-K - -K insecure /a",
        "-K next /a",
        "-K url=evil.example /a",
        "-K expand-url=x /a",
        "https://api.plan.example@evil.example/",
        "https://api.plan.example\\@evil.example/",
        "api.plan.example.",
        "https://{api,evil}.plan.example/",
        "-g https://[::1]/",
        "http://127.0.0.1/",
        "https://localhost/",
        "-: evil.example",
        "/a -: evil.example",
        "/a --url evil.example",
        "/a -- evil.example",
        "@urls",
        "-o x evil.example",
        "/a -s: --location-trusted /b",
        "-x proxy.example evil.example",
        "--connect-to ::evil.example: -k /a",
    ] {
        let words: Vec<&str> = words.split(' ').collect();
        assert!(judge(&words, "", false, false).is_err(), "{words:?}: {:?}", judge(&words, "", false, false));
    }
}

#[test]
fn plain_http_stays_on_this_machine() {
    let line = judge(&["/a"], "", false, true).expect("loopback");
    assert_eq!(line, format!("-q --url http://127.0.0.1:8080/r4/a {LOCAL} --header @HEADER"));
    assert!(judge(&["-k", "https://localhost:8443/"], "", false, true).is_ok());
    for words in [
        "-x evil.example:80 /a",
        "--connect-to ::evil.example: /a",
        "--resolve localhost:80:192.0.2.1 /a",
        "--socks5 evil.example /a",
        "--unix-socket /x /a",
        "-k --connect-to ::evil.example: https://localhost/",
        "--preproxy evil.example /a",
        "--doh-url https://evil.example/ http://localhost/",
    ] {
        let words: Vec<&str> = words.split(' ').collect();
        assert!(judge(&words, "", false, true).is_err(), "{words:?}");
    }
}

#[test]
fn the_rc_file_is_judged_and_handed_over() {
    let line = judge(&["/a"], "# mine\nsilent\nproxy = \"http://u:p@proxy.example\"\n", false, false);
    assert_eq!(
        line.expect("harmless"),
        format!(
            "-q --config <--silent;--proxy \"http://u:p@proxy.example\"> --url https://api.plan.example/r4/a {TAIL} --header @HEADER"
        )
    );
    for rc in [
        "location-trusted",
        "-k",
        "url = evil.example",
        "next",
        "user = a:b",
        "header = \"Authorization: x\"",
        "trace-ascii = log",
        "config = other",
        "what is this",
    ] {
        let refused = judge(&["/a"], rc, false, false).expect_err(rc).to_string();
        assert!(refused.contains("configuration file rc"), "{refused}");
        assert!(judge(&["-q", "/a"], rc, false, false).is_ok(), "{rc}");
    }
}
