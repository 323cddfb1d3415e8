//! Whole command lines: what reaches curl, and what is refused.

use std::ffi::OsString;
use std::path::Path;

use crate::curl::arguments::parse;
use crate::curl::command_line::{Additions, arguments, config};
use crate::curl::hosts::Hosts;
use crate::curl::policy::Policy;
use crate::error::Result;
use crate::oauth::secret::Secret;

/// Returns curl's command line for a profile at plan.example (or on loopback), with the configuration as `<…>`.
fn command_line(words: &str, loopback: bool) -> Result<String> {
    let base = if loopback { "http://127.0.0.1:8080" } else { "https://api.plan.example" };
    let args: Vec<OsString> = words.split(' ').map(OsString::from).collect();
    let hosts = Hosts::for_tests(&[base], loopback);
    let fhir_base = format!("{base}/r4");
    let plan = Policy { fhir_base: &fhir_base, hosts: &hosts, verbose: false }.plan(parse(&args)?)?;
    let lines = config(&plan, &Secret::new("HEADER"));
    let config = (!plan.urls.is_empty()).then_some(Path::new("CONFIG"));
    let words = arguments(&plan, &Additions { config, no_proxy: Some("NO_PROXY"), ..Additions::default() });
    let words: Vec<_> = words.into_iter().map(|word| word.into_string().expect("UTF-8")).collect();
    let lines = lines.expose().trim_end().replace('\n', ";").replace("--header \"HEADER\";", "");
    Ok(words.join(" ").replace("--config CONFIG", &format!("<{lines}>")))
}

const LIMITS: &str = "--proto =https --proto-redir =https";

#[test]
fn header_and_urls_are_in_the_config() {
    for (words, line) in [
        ("/Patient", r#"-q <--url "https://api.plan.example/r4/Patient"> LIMITS"#),
        ("-sSo out api.plan.example", r#"-q <--url "https://api.plan.example"> -s -S -o out LIMITS"#),
        (
            "-L --proxy http://proxy.example:3128 /x",
            r#"-q <--url "https://api.plan.example/r4/x"> -L --proxy http://proxy.example:3128 LIMITS"#,
        ),
        (
            "/a -o 1 --remote-name-all /b",
            r#"-q <--url "https://api.plan.example/r4/a";--remote-name-all;--url "https://api.plan.example/r4/b"> -o 1 LIMITS"#,
        ),
        (
            "--resolve api.plan.example:443:127.0.0.1 /a",
            r#"-q <--url "https://api.plan.example/r4/a"> --resolve api.plan.example:443:127.0.0.1 LIMITS"#,
        ),
        (
            "-H Authorizations:x -H X-Authorization:y /a",
            r#"-q <--url "https://api.plan.example/r4/a"> -H Authorizations:x -H X-Authorization:y LIMITS"#,
        ),
        (
            "-H Host:API.plan.example:443 --cacert x /a",
            r#"-q <--url "https://api.plan.example/r4/a"> -H Host:API.plan.example:443 --cacert x LIMITS"#,
        ),
        (
            "--no-insecure --no-location-trusted /a",
            r#"-q <--url "https://api.plan.example/r4/a"> --no-insecure --no-location-trusted LIMITS"#,
        ),
        ("-V", "-q -V"),
        ("--help all", "-q --help all"),
        ("-s", "-q -s"),
    ] {
        assert_eq!(command_line(words, false).expect(line), line.replace("LIMITS", LIMITS), "{words}");
    }
}

#[test]
fn refuses_hosts_of_others() {
    for words in ["evil.example", "/a evil.example", "/a -o x -- evil.example"] {
        let refused = command_line(words, false).expect_err(words).to_string();
        assert!(refused.contains("evil.example is not one of this profile's hosts"), "{refused}");
    }
}

#[test]
fn refuses_options_that_send_the_token_elsewhere() {
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
        "--expand-user-agent x /a",
        "--expand-noproxy x /a",
        "-H @file /a",
        "-H Host:evil.example /a",
        "-H host;evil.example /a",
        "-HHost: /a",
        "-H X:y\r\nHost:evil.example /a",
        "-A x\nHost:evil.example /a",
        "-X GET\n /a",
        "--cacert x --connect-to ::evil.example: /a",
        "--resolve api.plan.example:443:192.0.2.1 --capath x /a",
        "-x proxy.example --cacert x /a",
        "--trace - /a",
        "--trace-ascii x /a",
        "--libcurl x /a",
        "-v --stderr x /a",
        "--stderr x -sv /a",
        "--expand-url {{x}}",
        "--url http://api.plan.example/",
        "http://api.plan.example/",
        "ftp://api.plan.example/",
        "https://api.plan.example@evil.example/",
        "https://api.plan.example\\@evil.example/",
        "api.plan.example.",
        "https://{api,evil}.plan.example/",
        "-g https://[::1]/",
        "http://127.0.0.1/",
        "https://localhost/",
        "/a --url evil.example",
        "@urls",
        "-x proxy.example evil.example",
        "--connect-to ::evil.example: -k /a",
    ] {
        assert!(command_line(words, false).is_err(), "{words}: {:?}", command_line(words, false));
    }
}

#[test]
fn refuses_config_files_and_further_requests_with_a_hint() {
    for words in ["-K file /a", "-Kfile", "--config=file /a", "--expand-config x /a", "/a -: /b", "/a -s: /b"]
    {
        let refused = command_line(words, false).expect_err(words).to_string();
        assert!(
            refused.contains("hint: run curl itself: oneup token show --format header | curl"),
            "{refused}"
        );
    }
}

#[test]
fn passwords_in_refused_urls_are_masked() {
    let refused = command_line("https://me:pw@a.example/x", false).expect_err("a password").to_string();
    assert!(refused.contains("\"https://***@a.example/x\" contains a user name"), "{refused}");
}

#[test]
fn plain_http_is_for_loopback() {
    let line = command_line("/a", true).expect("loopback");
    let limits = "--proto =http,https --proto-redir =http,https --noproxy";
    assert_eq!(line, format!(r#"-q <--url "http://127.0.0.1:8080/r4/a"> {limits} NO_PROXY,127.0.0.1"#));
    for (user, hosts) in
        [("x.example", "x.example,127.0.0.1,localhost"), ("*", "*"), ("", "127.0.0.1,localhost")]
    {
        let line =
            command_line(&format!("/a http://localhost:1/ /b --noproxy={user}"), true).expect("loopback");
        assert!(line.ends_with(&format!("{limits} {hosts}")), "{line}");
    }
    let line = command_line("--proto =https --proto-redir -http /a", true).expect("loopback");
    assert!(line.contains("--proto =https --proto-redir =https --noproxy"), "{line}");
    assert!(command_line("-k https://localhost:8443/", true).is_ok());
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
        assert!(command_line(words, true).is_err(), "{words}");
    }
}
