//! `oneup curl`: what curl sends, and to which host.

use std::time::Duration;

use crate::support::{Home, Oneup, Request, TokenEndpoint, redirect, requires_program, text_response};

const TOKEN: &str = "tok-3n.SECRET";

/// Starts a token endpoint that returns the path for everything else; `/redirect` leads to `elsewhere`.
fn server(elsewhere: &str) -> TokenEndpoint {
    let elsewhere = elsewhere.to_owned();
    let resources = move |request: &Request| match request.target() {
        "/r4/redirect" => redirect("302 Found", &elsewhere),
        "/r4/missing" => text_response("404 Not Found", "no"),
        "/r4/slow" => {
            std::thread::sleep(Duration::from_secs(3));
            text_response("200 OK", "late")
        }
        path => text_response("200 OK", format!("{path}\n")),
    };
    TokenEndpoint::builder().token(TOKEN).lifetime(300).resources(resources).start()
}

/// A home that is logged in at such a server; `None` without curl.
fn logged_in() -> Option<(Home, TokenEndpoint)> {
    let server = server("");
    requires_program("curl").then(|| (Home::logged_in(&server), server))
}

/// The URL of a server by its other name.
fn localhost(server: &TokenEndpoint) -> String {
    server.url().replace("127.0.0.1", "localhost")
}

/// Returns the requests after the login, as `METHOD PATH auth|bare`.
fn requests(server: &TokenEndpoint) -> Vec<String> {
    let requests = server.resource_requests().into_iter().map(|request| {
        let count = request.matches(&format!("Authorization: Bearer {TOKEN}\r\n")).count();
        format!("{} {} {}", request.method(), request.target(), ["bare", "auth", "twice"][count.min(2)])
    });
    requests.collect()
}

fn curl(home: &Home, words: &str) -> Oneup {
    home.oneup().arg("curl").args(words.split(' ')).never(TOKEN)
}

#[test]
fn every_request_has_the_token() {
    let Some((home, server)) = logged_in() else { return };
    let url = server.url();
    curl(&home, "-sS /a").stdout("/r4/a\n").stderr("").run();
    curl(&home, &format!("-s /b {url}/c --url /d")).stdout("/r4/b\n/c\n/r4/d\n").run();
    curl(&home, "-sS -d @- -X PUT -H Content-Type:x /e").stdin("{\"x\": 1}").stdout("/r4/e\n").run();
    curl(&home, "-sSo out -w %{http_code} /f").stdout("200").run();
    assert_eq!(std::fs::read_to_string(home.path("out")).expect("curl's file"), "/r4/f\n");
    curl(&home, "-sf /missing").status(22).run();
    let all = ["GET /r4/a", "GET /r4/b", "GET /c", "GET /r4/d", "PUT /r4/e", "GET /r4/f", "GET /r4/missing"];
    assert_eq!(requests(&server), all.map(|line| format!("{line} auth")));
    assert!(server.requests().iter().any(|request| request.ends_with("\r\n\r\n{\"x\": 1}")), "stdin arrived");
}

#[test]
fn verbose_masks_the_token() {
    let Some((home, _server)) = logged_in() else { return };
    curl(&home, "-sv /a").stdout("/r4/a\n").stderr_has("> Authorization: Bearer ***").run();
    home.oneup().args(["-v", "curl", "-s", "/a"]).never(TOKEN).stderr_has("GET /r4/a").run();
    curl(&home, "-vsf /missing").status(22).stderr_has("404").run();
}

#[test]
fn other_hosts_and_options_that_send_the_token_there_are_errors() {
    let Some((home, server)) = logged_in() else { return };
    let fails = |words: &str| curl(&home, words).status(125);
    fails("-s evil.example").stderr_has("evil.example is not one of this profile's hosts").run();
    fails("-s evil.example").stderr_has("--allow-host evil.example").run();
    fails("-s patient").stderr_has("begins with a slash, such as /Patient").run();
    fails("-s http://api.1up.health/").stderr_has("is not https").run();
    fails("-s https://api.1up.health@evil.example/").stderr_has("user name").run();
    fails("--location-trusted /a").stderr_has("redirect").run();
    fails("-x 192.0.2.1:80 /a").stderr_has("plain http").run();
    fails("--connect-to ::192.0.2.1: /a").run();
    fails("--trace-ascii - /a").run();
    fails("-H Authorization:x /a").run();
    fails("--frobnicate /a").stderr_has("unknown curl option --frobnicate").run();
    fails("--no-auth-elsewhere /a").stderr_has("unknown curl option --no-auth-elsewhere").run();
    let plain_curl = "hint: run curl itself: oneup token show --format header | curl -H @- URL\n";
    fails("-s /a -: /b").stderr_has("curl's -: (--next) is not supported").stderr_has(plain_curl).run();
    fails("-K x /a").stderr_has("curl's -K (--config) is not supported").stderr_has(plain_curl).run();
    home.oneup().args(["curl", "--allow-host", "*.example", "/a"]).status(125).run();
    assert!(requests(&server).is_empty(), "{:?}", requests(&server));
}

#[test]
fn allow_host_sends_the_token_to_that_host() {
    let Some((home, server)) = logged_in() else { return };
    let other = self::server("");
    // With another token endpoint, the address of the FHIR server is the only one of loopback that is the profile's.
    home.move_token_endpoint("https://gateway.1up.health/token");
    let url = localhost(&other);
    curl(&home, &format!("-s {url}/x")).status(125).stderr_has("localhost is not one of").run();
    curl(&home, &format!("-s /a {url}/x")).status(125).run();
    curl(&home, &format!("--allow-host localhost -s /a {url}/z")).stdout("/r4/a\n/z\n").run();
    assert_eq!(
        (requests(&server), requests(&other)),
        (vec!["GET /r4/a auth".into()], vec!["GET /z auth".into()])
    );
}

#[test]
fn redirect_to_another_host_drops_the_token() {
    if !requires_program("curl") {
        return;
    }
    let other = server("");
    let server = server(&format!("{}/x", localhost(&other)));
    let home = Home::logged_in(&server);
    curl(&home, "-sL /redirect").stdout("/x\n").run();
    assert_eq!(
        (requests(&server), requests(&other)),
        (vec!["GET /r4/redirect auth".into()], vec!["GET /x bare".into()])
    );
}

#[test]
fn curlrc_is_not_read() {
    let Some((home, server)) = logged_in() else { return };
    home.write(".curlrc", "user-agent = \"from a file\"\nurl = https://evil.example\nlocation-trusted\n");
    for words in ["-s /a", "-- -q -s /a", "-s /a -q"] {
        curl(&home, words).stdout("/r4/a\n").stderr("").run();
    }
    assert_eq!(requests(&server).len(), 3);
    assert!(!server.requests().iter().any(|request| request.contains("from a file")));
}

#[test]
fn loopback_requests_use_no_proxy() {
    let Some((home, server)) = logged_in() else { return };
    let proxy = self::server("");
    let run = ["http_proxy", "https_proxy", "all_proxy"]
        .into_iter()
        .fold(curl(&home, "-s /a"), |run, name| run.env(name, proxy.url()));
    run.stdout("/r4/a\n").run();
    assert!(proxy.requests().is_empty(), "{:?}", proxy.requests());
    assert_eq!(requests(&server), ["GET /r4/a auth"]);
}

#[test]
fn exits_125_without_a_login_and_127_without_curl() {
    let home = Home::new();
    curl(&home, "/a").status(125).stderr_has("oneup login").run();
    curl(&Home::logged_in(&server("")), "/a")
        .env("PATH", "/nonexistent")
        .status(127)
        .stderr_has("install curl")
        .run();
}

/// Samples /proc while curl waits.
#[test]
#[cfg(target_os = "linux")]
fn token_is_in_no_argument_list_or_environment() {
    let Some((home, server)) = logged_in() else { return };
    let mut child = home.oneup().args(["curl", "-s", "/slow", "/slow"]).spawn();
    let (mut lines, mut environs) = (Vec::new(), Vec::new());
    while child.try_wait().expect("our child").is_none() {
        lines.push(std::fs::read(format!("/proc/{}/cmdline", child.id())).unwrap_or_default());
        environs.push(std::fs::read(format!("/proc/{}/environ", child.id())).unwrap_or_default());
        std::thread::sleep(Duration::from_millis(5));
    }
    let has = |bytes: &[u8], text: &str| String::from_utf8_lossy(bytes).contains(text);
    assert!(lines.iter().any(|line| has(line, "/dev/fd/")), "curl was seen");
    assert!(!lines.iter().chain(&environs).any(|bytes| has(bytes, TOKEN)), "the token was seen");
    assert_eq!(requests(&server), ["GET /r4/slow auth", "GET /r4/slow auth"]);
}

/// Puts a script in the place of curl that prints its version, or runs `then`.
#[cfg(unix)]
fn with_version(home: &Home, run: Oneup, version: &str, then: &str) -> Oneup {
    let script = format!("case \"$*\" in *--version*) echo 'curl {version} (x)'; exit;; esac\n{then}");
    home.write_script("bin/curl", &script);
    run.env("PATH", format!("{}:/usr/bin:/bin", home.path("bin").display()))
}

#[test]
#[cfg(unix)]
fn old_curl_is_an_error_or_a_warning() {
    let home = Home::logged_in(&server(""));
    let run = |version, words| with_version(&home, curl(&home, words), version, "echo ran");
    run("7.54.1", "/a").status(125).stderr_has("curl 7.54 is too old").run();
    run("7.55.0", "/a").stdout("ran\n").stderr("").run();
    run("7.57.0", "-L /a").status(125).stderr_has("another host").run();
    run("7.58.0", "-L /a").stdout("ran\n").stderr_has("CVE-2022-27776").run();
    run("7.82.0", "-L /a").stdout("ran\n").stderr_has("CVE-2022-27776").run();
    run("7.83.0", "-L /a").stdout("ran\n").stderr("").run();
    run("unknown", "/a").status(125).stderr_has("could not determine curl's version").run();
}

#[test]
#[cfg(target_os = "linux")]
fn version_is_determined_again_after_curl_was_replaced() {
    let Some((home, _server)) = logged_in() else { return };
    curl(&home, "-s /a").stdout("/r4/a\n").run();
    let cache = home.state().join("curl-version");
    let text = std::fs::read_to_string(&cache).expect("the version was saved");
    assert!(text.lines().nth(2).is_some_and(|line| line.starts_with("curl ")), "{text}");
    let old = text.replace(text.lines().nth(2).expect("a line"), "curl 7.1.0");
    home.write("state/curl-version", &old);
    curl(&home, "-s /a").status(125).stderr_has("curl 7.1 is too old").run();
    let (path, rest) = old.split_once('\n').expect("lines");
    home.write("state/curl-version", format!("{path}\n1{rest}"));
    curl(&home, "-s /a").stdout("/r4/a\n").run();
    assert_eq!(std::fs::read_to_string(&cache).expect("the version"), text);
}

#[test]
#[cfg(unix)]
fn curl_leaves_no_core_dump() {
    let home = Home::logged_in(&server(""));
    with_version(&home, curl(&home, "/a"), "8.0.0", "ulimit -c").stdout("0\n").run();
}

#[test]
fn host_spelling_and_urls_reach_curl_unchanged() {
    let Some((home, server)) = logged_in() else { return };
    let url = localhost(&server).replace("localhost", "LocalHost");
    curl(&home, &format!("-s -w %{{url}} {url}")).stdout(format!("/\n{url}")).run();
    let host = url.replace("http://", "Host: ");
    assert!(server.requests().iter().any(|request| request.contains(&host)), "{host}");
}

#[test]
fn token_over_64_kib_is_an_error() {
    let endpoint = TokenEndpoint::builder().prefix(&"x".repeat(70_000)).start();
    let home = Home::logged_in(&endpoint);
    home.oneup().args(["curl", "/a"]).status(125).stderr_has("too long for a header").run();
    let endpoint = TokenEndpoint::builder()
        .prefix(&"x".repeat(60_000))
        .resources(|_| text_response("200 OK", "ok"))
        .start();
    let home = Home::logged_in(&endpoint);
    home.oneup().args(["curl", "-sv", "/a"]).stdout("ok").never("x".repeat(16)).run();
}
