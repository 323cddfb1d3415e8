//! The installed curl and this module must see the same hosts: curl is given a proxy that writes down where it is
//! asked to go and refuses, so that no name is looked up and nothing leaves this machine.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::arguments::{Arguments, Item, parse};
use super::options::Role;
use super::url;

const BASE: &str = "https://api.plan.example/r4";

/// Whether there is a curl to compare with.
fn curl_is_here() -> bool {
    let here = Command::new("curl").arg("--version").stdout(Stdio::null()).status().is_ok();
    if !here {
        let _ = writeln!(std::io::stderr().lock(), "skipped: needs curl");
    }
    here
}

/// A proxy that refuses; it sends the authority of each request line.
fn proxy() -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (asked, answers) = channel();
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
            if asked.send(authority.to_owned()).is_err() {
                return;
            }
            let _ = (&stream).write_all(b"HTTP/1.1 403 no\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    (address, answers)
}

/// The hosts that curl asks the proxy for.
fn asked(words: &[OsString], address: SocketAddr, answers: &Receiver<String>) -> Vec<String> {
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
    while let Ok(authority) = answers.recv_timeout(Duration::from_millis(1)) {
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
            _ => &authority,
        };
        hosts.push(host.trim_matches(['[', ']']).to_ascii_lowercase());
    }
    hosts
}

/// Ten times as many in a siege.
fn many(cases: u32) -> u32 {
    if std::env::var_os("ONEUP_FULL_SIZE").is_some() { 10 * cases } else { cases }
}

/// A line for the table of `tests/run-fault-injection`.
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
fn curl_connects_to_the_host_that_was_read() {
    if !curl_is_here() {
        return;
    }
    let (address, answers) = proxy();
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
    run(many(400), urls.prop_map(|pieces| vec![pieces.concat()]), |text| {
        let Ok(read) = url::read(&text[0], BASE) else { return };
        let words = ["-s", "--max-time", "5", "--url", &read.text].map(OsString::from);
        for host in asked(&words, address, &answers) {
            assert_eq!(host, read.host, "{} became {}", text[0], read.text);
            compared.set(compared.get() + 1);
        }
    });
    assert!(compared.get() > 40, "only {} hosts were compared", compared.get());
    tally("hosts of invented URLs, as curl and as oneup read them", compared.get());
}

#[test]
fn curl_fetches_the_urls_that_were_found() {
    if !curl_is_here() {
        return;
    }
    let (address, answers) = proxy();
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
    run(many(250), prop::collection::vec(words.prop_map(String::from), 1..9), |words| {
        let words: Vec<OsString> = words.into_iter().map(OsString::from).collect();
        let Ok(Arguments { items, .. }) = parse(&words, None, &mut |_| Ok(String::new())) else { return };
        let url = |item: &Item| {
            let text = item.value.as_ref().filter(|_| item.option.role() == Role::Url)?;
            url::read(text.to_str()?, BASE).ok().map(|url| url.host)
        };
        let ours: Vec<String> = items.iter().filter_map(url).collect();
        let scheme = ["--proto-default", "https"].map(OsString::from);
        let real = asked(&[&scheme[..], &words].concat(), address, &answers);
        compared.set(compared.get() + real.len());
        let foreign: Vec<_> =
            real.iter().filter(|host| host.ends_with(".example") && !ours.contains(host)).collect();
        assert!(foreign.is_empty(), "{words:?}: curl asked for {real:?}, oneup saw {ours:?}");
    });
    assert!(compared.get() > 40, "only {} hosts were compared", compared.get());
    tally("hosts of invented command lines, as curl and as oneup read them", compared.get());
}
