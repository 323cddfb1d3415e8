//! The installed curl and this module must see the same hosts: curl is given a proxy that records the requested
//! authority and refuses the request, so that no name is resolved and nothing leaves this machine.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::arguments::{CurlOption, parse};
use super::options::Role;
use super::url;

const BASE: &str = "https://api.plan.example/r4";

/// Returns whether there is a curl to compare with.
fn curl_is_installed() -> bool {
    let installed = Command::new("curl").arg("--version").stdout(Stdio::null()).status().is_ok();
    if !installed {
        let _ = writeln!(std::io::stderr().lock(), "skipped: needs curl");
    }
    installed
}

/// Starts a proxy that refuses each request and sends the authority of its request line.
fn proxy() -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (tx, rx) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(&stream);
            let mut first = String::new();
            let _ = reader.read_line(&mut first);
            // The rest of the head, or closing would reset the connection.
            let _ = reader.lines().map_while(Result::ok).find(String::is_empty);
            let target = first.split(' ').nth(1).unwrap_or_default();
            // A query can hold a URL of its own.
            let rest = target.split_once("://").map_or(target, |(_, rest)| rest);
            let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
            if tx.send(authority.to_owned()).is_err() {
                return;
            }
            let _ = (&stream).write_all(b"HTTP/1.1 403 no\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    (address, rx)
}

/// Returns the hosts that curl requests from the proxy.
fn requested_hosts(words: &[OsString], address: SocketAddr, rx: &Receiver<String>) -> Vec<String> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let proxy = format!("http://{address}");
    let mut command = Command::new("curl");
    command.arg("-q").args(words).current_dir(dir.path());
    for name in ["http_proxy", "https_proxy", "ALL_PROXY"] {
        command.env(name, &proxy);
    }
    command.env_remove("NO_PROXY").env_remove("no_proxy");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().expect("curl runs");
    let mut hosts = Vec::new();
    while let Ok(authority) = rx.recv_timeout(Duration::from_millis(1)) {
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
            _ => &authority,
        };
        hosts.push(host.trim_matches(['[', ']']).to_ascii_lowercase());
    }
    hosts
}

/// Returns ten times as many cases in a full-size run.
fn scaled(cases: u32) -> u32 {
    if std::env::var_os("ONEUP_FULL_SIZE").is_some() { 10 * cases } else { cases }
}

/// Writes a line for the table of `tests/run-fault-injection`.
fn tally(what: &str, tried: usize) {
    let Some(file) = std::env::var_os("ONEUP_FAULT_REPORT") else { return };
    let file = std::fs::File::options().append(true).create(true).open(file);
    let line = format!("input\t{what}\t{tried}\t0\n");
    file.and_then(|mut file| file.write_all(line.as_bytes())).expect("ONEUP_FAULT_REPORT can be written");
}

fn run(cases: u32, strategy: impl Strategy<Value = Vec<String>>, check: impl Fn(Vec<String>)) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let outcome = runner.run(&strategy, |pieces| {
        check(pieces);
        Ok(())
    });
    outcome.expect("no counterexample");
}

#[test]
fn curl_requests_the_parsed_host() {
    if !curl_is_installed() {
        return;
    }
    let (address, rx) = proxy();
    let pieces = proptest::sample::select(vec![
        "a.example",
        "b.example",
        "127.0.0.1",
        "localhost",
        "https:",
        "http:",
        "//",
        "/",
        "\\",
        "@",
        ":",
        ":80",
        "?",
        "#",
        ".",
        "%2f",
        "%40",
        "%00",
        "{",
        "}",
        "[",
        "]",
        "[::1]",
        "0x7f.1",
        ";",
        "a",
        "1",
        "\u{3002}",
        "..",
        ",",
    ]);
    let compared = std::cell::Cell::new(0);
    let urls = prop_oneof![
        prop::collection::vec(pieces.clone(), 1..7),
        (pieces.clone(), prop::collection::vec(pieces, 0..5))
            .prop_map(|(piece, rest)| { [vec!["https://", "a.example", piece], rest].concat() }),
    ];
    run(scaled(400), urls.prop_map(|pieces| vec![pieces.concat()]), |text| {
        let Ok(url) = url::parse(&text[0], BASE) else { return };
        let words = ["-s", "--max-time", "5", "--url", &url.text].map(OsString::from);
        for host in requested_hosts(&words, address, &rx) {
            assert_eq!(host, url.host, "{} became {}", text[0], url.text);
            compared.set(compared.get() + 1);
        }
    });
    assert!(compared.get() > 40, "only {} hosts were compared", compared.get());
    tally("hosts of invented URLs, as curl and as oneup read them", compared.get());
}

#[test]
fn curl_requests_no_url_that_was_missed() {
    if !curl_is_installed() {
        return;
    }
    let (address, rx) = proxy();
    let compared = std::cell::Cell::new(0);
    let words = proptest::sample::select(vec![
        "a.example",
        "https://b.example/x",
        "c.example",
        "d.example",
        "--url",
        "-o",
        "out",
        "-sS",
        "-sSo",
        "-sfoout",
        "-:",
        "--next",
        "-H",
        "X: y",
        "-d",
        "--data",
        "--",
        "-s:",
        "--no-silent",
        "-XGET",
        "-X",
        "--max-time",
        "5",
        "-e",
        "--refer",
        "-u",
        "--user",
        "-w",
        "-fLo",
        "--output",
        "-G",
        "--hea",
        "-A",
        "-b",
        "--connect-timeout",
    ]);
    run(scaled(250), prop::collection::vec(words.prop_map(String::from), 1..9), |words| {
        let words: Vec<OsString> = words.into_iter().map(OsString::from).collect();
        let Ok(options) = parse(&words) else { return };
        let host = |option: &CurlOption| {
            let text = option.value_text().filter(|_| option.spec.role() == Role::Url)?;
            url::parse(text, BASE).ok().map(|url| url.host)
        };
        let parsed: Vec<String> = options.iter().filter_map(host).collect();
        let scheme = ["--proto-default", "https"].map(OsString::from);
        let real = requested_hosts(&[&scheme[..], &words].concat(), address, &rx);
        compared.set(compared.get() + real.len());
        let missed: Vec<_> =
            real.iter().filter(|host| host.ends_with(".example") && !parsed.contains(host)).collect();
        assert!(missed.is_empty(), "{words:?}: curl requested {real:?}, oneup parsed {parsed:?}");
    });
    assert!(compared.get() > 40, "only {} hosts were compared", compared.get());
    tally("hosts of invented command lines, as curl and as oneup read them", compared.get());
}
