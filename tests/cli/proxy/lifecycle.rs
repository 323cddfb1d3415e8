//! How a proxy starts and ends: its address, its key, its socket, and the command that it runs for.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use super::{Proxy, home_at};
use crate::support::{
    Home, Oneup, RawServer, Sandbox, TokenEndpoint, mode, send_signal, set_mode, text_response, used_port,
    wait_until,
};

#[test]
fn prints_only_its_url_and_needs_a_login() {
    Oneup::new().arg("proxy").status(4).stderr_has("hint: oneup login").run();
    Oneup::new().args(["proxy", "--", "true"]).status(125).run();
    Oneup::new().args(["proxy", "--prot", "1", "--", "true"]).status(125).run();
    Oneup::new().args(["proxy", "--prot", "1"]).status(2).run();
    let endpoint = TokenEndpoint::start();
    let home = Home::logged_in(&endpoint);
    home.oneup().args(["proxy", "--allow-host", "a/b"]).status(2).run();
    home.oneup().args(["proxy", "--allow-origin", "*"]).status(2).run();
    let (_listener, port) = used_port();
    let run = home.oneup().args(["proxy", "--port", &port.to_string()]).status(2);
    run.stderr_has(format!("port {port} is already in use")).run();
}

#[test]
fn key_file_keeps_the_url() {
    let endpoint = TokenEndpoint::start();
    let home = Home::logged_in(&endpoint);
    let key = home.path("proxy.key");
    let flags = ["--key-file", key.to_str().expect("UTF-8")];
    let first = Proxy::start(&home, &flags).key().to_owned();
    assert_eq!(mode(&key), 0o600);
    assert_eq!(Proxy::start(&home, &flags).key(), first);
    assert_ne!(Proxy::start(&home, &[]).key(), first);
    set_mode(&key, 0o644);
    home.oneup().arg("proxy").args(flags).status(1).stderr_has("chmod 600").run();
}

/// Sends a request to a Unix socket and returns the response.
fn ask(socket: &std::path::Path, path: &str) -> String {
    let mut stream = UnixStream::connect(socket).expect("it listens");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").expect("written");
    let mut response = String::new();
    stream.read_to_string(&mut response).expect("a response");
    response
}

#[test]
fn socket_is_private_needs_no_key_and_is_not_shared() {
    let sandbox = Sandbox::start(&[]);
    let home = home_at(&sandbox);
    let socket = home.path("proxy.sock");
    let flags = ["--profile", "r4", "--socket", socket.to_str().expect("UTF-8")];
    let proxy = Proxy::start(&home, &flags);
    assert_eq!(proxy.url, "http://localhost");
    assert_eq!(mode(&socket), 0o600);
    let response = ask(&socket, "/Patient?_count=1");
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    assert!(response.contains("\"http://localhost/Patient?_count=1&_offset=1\""), "{response}");
    let second = home.oneup().arg("proxy").args(flags).status(2);
    second.stderr_has("another process listens on").run();
    assert!(ask(&socket, "/Patient?_count=1").starts_with("HTTP/1.1 200"), "the first still listens");
    proxy.signal("KILL");
    drop(proxy);
    assert!(socket.exists(), "a killed process leaves its socket");
    let proxy = Proxy::start(&home, &flags);
    assert!(ask(&socket, "/Patient?_count=1").starts_with("HTTP/1.1 200"));
    assert_eq!(proxy.end("TERM").0, Some(143));
    assert!(!socket.exists());
}

#[test]
fn requests_in_progress_finish_before_the_end() {
    let server = RawServer::start(|_, _, _| {
        std::thread::sleep(Duration::from_millis(1500));
        text_response("200 OK", "done")
    });
    let endpoint = TokenEndpoint::start();
    let proxy = Proxy::at(&endpoint, &[]);
    let idle = proxy.connect();
    let url = format!("{}/~{}/slow", proxy.url, server.address());
    let client = proxy.client.clone();
    let request = std::thread::spawn(move || client.get(url).send().and_then(|response| response.text()));
    std::thread::sleep(Duration::from_millis(500));
    let (begun, address) = (Instant::now(), proxy.address().to_owned());
    proxy.signal("TERM");
    std::thread::sleep(Duration::from_millis(200));
    assert!(std::net::TcpStream::connect(&address).is_err(), "nothing new is accepted");
    assert_eq!(proxy.end("CONT").0, Some(143));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(request.join().expect("no panic").expect("a response"), "done");
    drop(idle);
}

#[test]
fn second_signal_ends_it_without_waiting() {
    let server = RawServer::start(|_, _, _| {
        std::thread::sleep(Duration::from_secs(20));
        Vec::new()
    });
    let proxy = Proxy::at(&TokenEndpoint::start(), &[]);
    let mut stream = proxy.connect();
    let (key, host) = (proxy.key(), proxy.address());
    write!(stream, "GET {key}/~{}/slow HTTP/1.1\r\nHost: {host}\r\n\r\n", server.address()).expect("written");
    std::thread::sleep(Duration::from_millis(500));
    let begun = Instant::now();
    proxy.signal("INT");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(proxy.end("INT").0, Some(130));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn command_gets_the_url_and_its_exit_code_is_the_proxys() {
    let sandbox = Sandbox::start(&[]);
    let home = home_at(&sandbox);
    let proxy = |script: &str| home.oneup().args(["--profile", "r4", "proxy", "--", "sh", "-c", script]);
    let outcome =
        proxy("echo $ONEUP_PROXY; curl -fsS \"$ONEUP_FHIR_BASE/Patient/123456789123\"; exit 42").status(42);
    let stdout = outcome.stdout_has("\"resourceType\"").run().stdout;
    let url = stdout.lines().next().expect("a line");
    assert!(url.starts_with("http://127.0.0.1:") && url.ends_with('/'), "{url}");
    assert!(stdout.starts_with(&format!("{url}\n{{")), "nothing else is printed: {stdout}");
    proxy("test -z \"$ONEUP_CLIENT_SECRET$ONEUP_TOKEN\"").env("ONEUP_TOKEN", "t0ken").run();
    proxy("kill -9 $$").status(137).run();
    home.oneup().args(["--profile", "r4", "proxy", "--", "/nonexistent"]).status(127).run();
    let address = url.trim_start_matches("http://").split('/').next().expect("an address");
    assert!(std::net::TcpStream::connect(address).is_err(), "it ends with the command");
    let socket = home.path("s");
    let script = "curl -fsS --unix-socket \"$ONEUP_PROXY\" \"$ONEUP_FHIR_BASE/Patient/123456789123\"";
    let flags = ["--profile", "r4", "proxy", "--socket", "s", "--", "sh", "-c", script];
    home.oneup().args(flags).stdout_has("\"resourceType\"").run();
    assert!(!socket.exists());
}

#[test]
fn signals_reach_the_command() {
    let endpoint = TokenEndpoint::start();
    let home = Home::logged_in(&endpoint);
    let socket = home.path("s");
    let script = "trap 'exit 7' TERM; touch started; while :; do sleep 0.1; done";
    let mut child = home.oneup().args(["proxy", "--socket", "s", "--", "sh", "-c", script]).spawn();
    wait_until("the command starts", || home.path("started").exists());
    assert!(socket.exists());
    send_signal(&child, "TERM");
    assert_eq!(child.wait().expect("it ends").code(), Some(7));
    assert!(!socket.exists());
}
