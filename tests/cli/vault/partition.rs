//! A network partition: one machine in a network namespace of its own, whose link goes down while it refreshes.
//!
//! Plain http is allowed on loopback only, so a relay on each side leads from the namespace's loopback to the host's.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::fleet::wait_for_requests;
use super::{ITEM, fixture, join, show};
use crate::support::{Home, Oneup, TokenEndpoint, requires, requires_program};

const HOST: &str = "10.203.77.1";
const MACHINE: &str = "10.203.77.2";

/// Accepts on ADDRESS and each PORT, and copies both ways to the same port of TARGET.
const RELAY: &str = r#"
import socket, sys, threading
def copy(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    for end in (source, target):
        try: end.shutdown(socket.SHUT_RDWR)
        except OSError: pass
def connect(client, port):
    try:
        server = socket.create_connection((sys.argv[2], port))
    except OSError:
        return client.close()
    threading.Thread(target=copy, args=(client, server), daemon=True).start()
    copy(server, client)
def serve(port):
    listener = socket.create_server((sys.argv[1], port))
    print("listening", flush=True)
    while True:
        client, _ = listener.accept()
        threading.Thread(target=connect, args=(client, port), daemon=True).start()
for port in sys.argv[3:]:
    threading.Thread(target=serve, args=(int(port),)).start()
"#;

/// A namespace with a link to the host; deleted when dropped.
struct Namespace {
    name: String,
    relays: Vec<Child>,
}

impl Namespace {
    /// `None` without the right to make one.
    fn new() -> Option<Self> {
        let name = format!("oneup-{}", std::process::id());
        let is_added = Command::new("ip").args(["netns", "add", &name]).stderr(Stdio::null()).status();
        let is_added = is_added.is_ok_and(|status| status.success());
        requires("root, for a network namespace", is_added).then_some(())?;
        let namespace = Self { name, relays: Vec::new() };
        let link = format!("oneup{}", std::process::id());
        let name = namespace.name.as_str();
        ip(&["link", "add", &link, "type", "veth", "peer", "name", "uplink", "netns", name]);
        ip(&["addr", "add", &format!("{HOST}/30"), "dev", &link]);
        ip(&["link", "set", &link, "up"]);
        for command in [
            &["addr", "add", &format!("{MACHINE}/30"), "dev", "uplink"][..],
            &["link", "set", "uplink", "up"],
            &["link", "set", "lo", "up"],
        ] {
            ip(&[&["netns", "exec", name, "ip"], command].concat());
        }
        Some(namespace)
    }

    /// Makes these ports of the host's loopback available at the namespace's loopback.
    fn relay(&mut self, ports: &[String]) {
        let relays: [(&[&str], [&str; 2]); 2] =
            [(&[], [HOST, "127.0.0.1"]), (&["ip", "netns", "exec", &self.name], ["127.0.0.1", HOST])];
        let relays = relays.map(|(prefix, addresses)| {
            let words = [prefix, &["python3", "-c", RELAY], &addresses].concat();
            let mut relay = Command::new(words[0])
                .args(&words[1..])
                .args(ports)
                .stdout(Stdio::piped())
                .spawn()
                .expect("a relay");
            let lines = std::io::BufRead::lines(std::io::BufReader::new(relay.stdout.take().expect("piped")));
            assert_eq!(lines.take(ports.len()).filter_map(Result::ok).count(), ports.len());
            relay
        });
        self.relays.extend(relays);
    }

    fn set_link(&self, state: &str) {
        ip(&["netns", "exec", &self.name, "ip", "link", "set", "uplink", state]);
    }

    fn run(&self, home: &Home) -> Oneup {
        home.oneup_under(&["ip", "netns", "exec", &self.name]).args(["token", "show"])
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        for relay in &mut self.relays {
            let _ = relay.kill();
            let _ = relay.wait();
        }
        let _ = Command::new("ip").args(["netns", "del", &self.name]).status();
    }
}

#[track_caller]
fn ip(args: &[&str]) {
    let status = Command::new("ip").args(args).status().expect("ip runs");
    assert!(status.success(), "ip {}", args.join(" "));
}

fn port(url: &str) -> String {
    url.rsplit(':').next().expect("a port").to_owned()
}

#[test]
fn partitioned_machine_delays_the_others_by_its_claim() {
    if !requires_program("ip") || !requires_program("python3") {
        return;
    }
    let Some(mut namespace) = Namespace::new() else { return };
    let endpoint = TokenEndpoint::builder().delay(Duration::from_secs(2)).start();
    let Some((bao, endpoint, first)) = fixture(endpoint) else { return };
    namespace.relay(&[port(&bao.url()), port(&endpoint.url())]);
    let machine = Home::new();
    join(&bao, &machine).run();
    bao.configure(namespace.run(&machine)).stdout("token-0\n").run();

    // Cut off between the request and the response, with a claim of 5 s.
    bao.expire_token(ITEM);
    let cut_off = bao.configure(namespace.run(&machine)).args(["--timeout", "10"]).spawn();
    wait_for_requests(&endpoint, 2);
    namespace.set_link("down");
    let begun = Instant::now();
    show(&bao, &first).stdout("token-2\n").run();
    assert!(begun.elapsed() < Duration::from_secs(14), "{:?}", begun.elapsed());
    let output = cut_off.wait_with_output().expect("it ends");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{stderr}");

    // Cut off from the beginning.
    bao.configure(namespace.run(&machine))
        .args(["--timeout", "3"])
        .status(5)
        .stderr_has("can't be reached")
        .run();
    namespace.set_link("up");
    ip(&["netns", "exec", &namespace.name, "ip", "link", "set", "lo", "up"]);
    bao.configure(namespace.run(&machine)).stdout("token-2\n").run();
    assert_eq!(endpoint.count(), 3, "two for the interrupted refresh, none for the machine that came back");
}
