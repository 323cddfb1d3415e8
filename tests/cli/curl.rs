//! `oneup curl`: what curl sends, and to whom. The servers speak raw bytes and remember every request.

use std::time::Duration;

use crate::support::{Home, Oneup, RawServer, raw_server, requires_program};

const TOKEN: &str = "tok-3n.SECRET";

/// A token endpoint, and everything else: the path and `auth` or `bare`; `/redirect` leads to `elsewhere`.
fn server(elsewhere: Option<String>) -> RawServer {
    raw_server(move |_, request, _| {
        let path = request.split(' ').nth(1).unwrap_or_default();
        match path {
            "/token" => RawServer::answer(
                "200 OK",
                "application/json",
                &format!(r#"{{"access_token":"{TOKEN}","token_type":"Bearer","expires_in":300}}"#),
            ),
            "/r4/redirect" => format!(
                "HTTP/1.1 302 Found\r\nLocation: {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                elsewhere.clone().unwrap_or_default()
            )
            .into_bytes(),
            "/r4/missing" => RawServer::answer("404 Not Found", "text/plain", "no"),
            "/r4/slow" => {
                std::thread::sleep(Duration::from_secs(3));
                RawServer::answer("200 OK", "text/plain", "late")
            }
            path => RawServer::answer("200 OK", "text/plain", &format!("{path}\n")),
        }
    })
}

/// Somebody logged in at this server.
fn login(server: &RawServer) -> Home {
    let url = server.url();
    let home = Home::new();
    home.oneup()
        .args(["login", "provider", "--client-id", "id", "--store", "file"])
        .args(["--token-url", &format!("{url}/token"), "--fhir-base", &format!("{url}/r4")])
        .env("ONEUP_CLIENT_SECRET", "s3cr3t")
        .run();
    home
}

/// The requests after the login, as `METHOD PATH auth|bare`.
fn seen(server: &RawServer) -> Vec<String> {
    let show = |request: &String| {
        let line = request.lines().next().unwrap_or_default().replace(" HTTP/1.1", "");
        let auth = request.matches(&format!("Authorization: Bearer {TOKEN}\r\n")).count();
        format!("{line} {}", ["bare", "auth", "twice"][auth.min(2)])
    };
    server.requests().iter().filter(|request| !request.contains(" /token ")).map(show).collect()
}

fn curl(home: &Home, words: &str) -> Oneup {
    home.oneup().arg("curl").args(words.split(' ')).never(TOKEN)
}

#[test]
fn every_request_of_the_profile_has_the_token() {
    if !requires_program("curl") {
        return;
    }
    let server = server(None);
    let home = login(&server);
    let url = server.url();
    curl(&home, "-sS /a").stdout("/r4/a\n").stderr("").run();
    curl(&home, &format!("-s /b {url}/c -: -s --url /d")).stdout("/r4/b\n/c\n/r4/d\n").run();
    curl(&home, "-sS -d @- -X PUT -H Content-Type:x /e").stdin("{\"x\": 1}").stdout("/r4/e\n").run();
    curl(&home, "-sSo out -w %{http_code} /f").stdout("200").run();
    assert_eq!(std::fs::read_to_string(home.path("out")).expect("curl's file"), "/r4/f\n");
    curl(&home, "-sf /missing").status(22).run();
    let all = ["GET /r4/a", "GET /r4/b", "GET /c", "GET /r4/d", "PUT /r4/e", "GET /r4/f", "GET /r4/missing"];
    assert_eq!(seen(&server), all.map(|line| format!("{line} auth")));
    assert!(server.requests().iter().any(|request| request.ends_with("\r\n\r\n{\"x\": 1}")), "stdin arrived");
}

#[test]
fn verbose_shows_the_exchange_and_masks_the_token() {
    if !requires_program("curl") {
        return;
    }
    let server = server(None);
    let home = login(&server);
    curl(&home, "-sv /a").stdout("/r4/a\n").stderr_has("> Authorization: Bearer ***").run();
    home.oneup().args(["-v", "curl", "-s", "/a"]).never(TOKEN).stderr_has("GET /r4/a").run();
    curl(&home, "-vsf /missing").status(22).stderr_has("404").run();
}

#[test]
fn a_foreign_host_gets_no_token() {
    if !requires_program("curl") {
        return;
    }
    let server = server(None);
    let home = login(&server);
    let refused = |words: &str| curl(&home, words).status(125);
    refused("-s evil.example").stderr_has("evil.example is none of the profile's hosts").run();
    refused("-s /a -: https://evil.example/").stderr_has("--no-auth-elsewhere").run();
    refused("-s http://api.1up.health/").stderr_has("is not https").run();
    refused("-s https://api.1up.health@evil.example/").stderr_has("user name").run();
    refused("--location-trusted /a").stderr_has("redirect").run();
    refused("-x 192.0.2.1:80 /a").stderr_has("plain http").run();
    refused("--connect-to ::192.0.2.1: /a").run();
    refused("--trace-ascii - /a").run();
    refused("-H Authorization:x /a").run();
    refused("--frobnicate /a").stderr_has("oneup knows no option --frobnicate of curl").run();
    home.oneup().args(["curl", "--allow-host", "*.example", "/a"]).status(125).run();
    assert!(seen(&server).is_empty(), "{:?}", seen(&server));
}

#[test]
fn a_foreign_host_can_be_fetched_without_it() {
    if !requires_program("curl") {
        return;
    }
    let (ours, other) = (server(None), server(None));
    let home = login(&ours);
    // The profile is not on loopback any more, but for its own FHIR server's name.
    let file = std::fs::read_to_string(home.config().join("profiles/provider.toml")).expect("the profile");
    let moved = file.replace(&format!("{}/token", ours.url()), "https://gateway.1up.health/token");
    home.write("config/profiles/provider.toml", moved);
    let foreign = other.url().replace("127.0.0.1", "localhost");
    curl(&home, &format!("-s {foreign}/x")).status(125).stderr_has("localhost is none of").run();
    let words = format!("--no-auth-elsewhere -s /a -: -s {foreign}/x -u me:pw");
    curl(&home, &words).stdout("/r4/a\n/x\n").run();
    assert_eq!((seen(&ours), seen(&other)), (vec!["GET /r4/a auth".into()], vec!["GET /x bare".into()]));
    curl(&home, &format!("--no-auth-elsewhere -s /b {foreign}/y")).stderr_has("put --next between").run();
    assert_eq!((seen(&ours)[1].as_str(), seen(&other)[1].as_str()), ("GET /r4/b bare", "GET /y bare"));
    curl(&home, &format!("--allow-host localhost -s {foreign}/z")).stdout("/z\n").run();
    assert_eq!(seen(&other)[2], "GET /z auth");
}

#[test]
fn a_redirect_to_another_host_never_carries_it() {
    if !requires_program("curl") {
        return;
    }
    let other = server(None);
    let server = server(Some(format!("{}/x", other.url().replace("127.0.0.1", "localhost"))));
    let home = login(&server);
    curl(&home, "-sL /redirect").stdout("/x\n").run();
    assert_eq!(
        (seen(&server), seen(&other)),
        (vec!["GET /r4/redirect auth".into()], vec!["GET /x bare".into()])
    );
}

#[test]
fn curls_own_files_are_judged_too() {
    if !requires_program("curl") {
        return;
    }
    let server = server(None);
    let home = login(&server);
    home.write(".curlrc", "# mine\nsilent\nuser-agent = \"me \\\"x\\\"\"\n");
    curl(&home, "/a").stdout("/r4/a\n").stderr("").run();
    assert!(server.requests().iter().any(|request| request.contains("User-Agent: me \"x\"\r\n")));
    home.write("more", "url = /b\noutput = \"b out\"\n");
    curl(&home, "-K more").stdout("").stderr("").run();
    assert_eq!(std::fs::read_to_string(home.path("b out")).expect("curl's file"), "/r4/b\n");
    curl(&home, "-K -").stdin("url = /c\n").stdout("/r4/c\n").run();
    assert_eq!(seen(&server).len(), 3);
    for line in [
        "location-trusted",
        "url = https://evil.example",
        "proxy = evil.example",
        "trace = x",
        "header = \"authorization: x\"",
    ] {
        home.write(".curlrc", format!("silent\n{line}\n"));
        curl(&home, "/a").status(125).stderr_has(".curlrc, line 2").run();
    }
    assert_eq!(seen(&server).len(), 3);
    curl(&home, "-- -q -s /d").stdout("/r4/d\n").run();
}

#[test]
fn no_proxy_sees_plain_http() {
    if !requires_program("curl") {
        return;
    }
    let (server, proxy) = (server(None), server(None));
    let home = login(&server);
    let run = ["http_proxy", "https_proxy", "all_proxy"]
        .into_iter()
        .fold(curl(&home, "-s /a"), |run, name| run.env(name, proxy.url()));
    run.stdout("/r4/a\n").run();
    assert!(proxy.requests().is_empty(), "{:?}", proxy.requests());
}

#[test]
fn without_curl_or_a_login_the_exit_code_says_so() {
    let home = Home::new();
    curl(&home, "/a").status(125).stderr_has("oneup login").run();
    let server = server(None);
    curl(&login(&server), "/a").env("PATH", "/nonexistent").status(127).stderr_has("install curl").run();
}

/// Samples /proc while curl waits: the token stands in no argument, and is in no file below the home but the store.
#[test]
#[cfg(target_os = "linux")]
fn the_token_stands_in_no_argument() {
    if !requires_program("curl") {
        return;
    }
    let server = server(None);
    let home = login(&server);
    let mut child = home.oneup().args(["curl", "-s", "/slow", "-:", "/slow"]).spawn();
    let (mut lines, mut environs) = (Vec::new(), Vec::new());
    while child.try_wait().expect("our child").is_none() {
        lines.push(std::fs::read(format!("/proc/{}/cmdline", child.id())).unwrap_or_default());
        environs.push(std::fs::read(format!("/proc/{}/environ", child.id())).unwrap_or_default());
        std::thread::sleep(Duration::from_millis(5));
    }
    let has = |bytes: &[u8], text: &str| String::from_utf8_lossy(bytes).contains(text);
    assert!(lines.iter().any(|line| has(line, "@/dev/fd/")), "curl was seen");
    assert!(!lines.iter().chain(&environs).any(|bytes| has(bytes, TOKEN)), "the token was seen");
    assert_eq!(seen(&server), ["GET /r4/slow auth", "GET /r4/slow auth"]);
}
