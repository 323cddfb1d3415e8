//! A real Chromium, driven through ChromeDriver's HTTP interface (W3C WebDriver): the person's click on Allow, and
//! the page that they see at the end. `ONEUP_SCREENSHOTS=DIR` keeps pictures of the pages.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::blocking::Client;
use serde_json::{Value, json};

use super::browser::{Login, parameter};
use crate::support::{Home, Sandbox, requires_program};

struct Chromium {
    driver: Child,
    /// Held open: a closed one would end it.
    _stdout: BufReader<ChildStdout>,
    http: Client,
    session: String,
}

impl Chromium {
    fn start(width: u32) -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts");
        let mut stdout = BufReader::new(driver.stdout.take().expect("piped"));
        // It says port 0 first, as it was asked, and then the one that it got.
        let port = stdout
            .by_ref()
            .lines()
            .map_while(Result::ok)
            .filter_map(|line| line.split("on port ").nth(1)?.trim_end_matches('.').parse::<u16>().ok())
            .find(|port| *port != 0)
            .expect("chromedriver names its port");
        let http = Client::builder().no_proxy().timeout(Duration::from_secs(60)).build().expect("a client");
        let mut chromium =
            Self { driver, _stdout: stdout, http, session: format!("http://127.0.0.1:{port}/session") };
        let size = format!("--window-size={width},800");
        let flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", &size];
        let asked = json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": {"args": flags}}}});
        let session = chromium.post("", &asked);
        let id = session["sessionId"].as_str().unwrap_or_else(|| panic!("a session: {session}")).to_owned();
        chromium.session = format!("{}/{id}", chromium.session);
        chromium
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.http.post(format!("{}{path}", self.session)).body(body.to_string());
        value(request.header("Content-Type", "application/json").send())
    }

    fn get(&self, path: &str) -> Value {
        value(self.http.get(format!("{}{path}", self.session)).send())
    }

    fn go(&self, url: &str) {
        self.post("/url", &json!({ "url": url }));
    }

    fn click(&self, selector: &str) {
        let found = self.post("/element", &json!({"using": "css selector", "value": selector}));
        let id = found.as_object().and_then(|it| it.values().next()).and_then(Value::as_str);
        let id = id.unwrap_or_else(|| panic!("{selector} is there: {found}"));
        self.post(&format!("/element/{id}/click"), &json!({}));
    }

    /// The page's text, once it has this.
    fn expect(&self, text: &str) -> String {
        let begun = Instant::now();
        loop {
            let script = json!({"script": "return document.body.innerText", "args": []});
            let shown = self.post("/execute/sync", &script).as_str().unwrap_or_default().to_owned();
            if shown.contains(text) {
                return shown;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "{text:?} never came, but {shown:?}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Keeps a picture, where somebody wants to look.
    fn picture(&self, name: &str) {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let Some(dir) = std::env::var_os("ONEUP_SCREENSHOTS") else { return };
        let image = self.get("/screenshot");
        let bytes = STANDARD.decode(image.as_str().unwrap_or_default()).expect("base64");
        std::fs::write(std::path::Path::new(&dir).join(name), bytes).expect("a writable directory");
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = self.http.delete(&self.session).send();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

fn value(answer: reqwest::Result<reqwest::blocking::Response>) -> Value {
    let text = answer.and_then(|answer| answer.text()).expect("chromedriver answers");
    let whole: Value = serde_json::from_str(&text).expect("JSON");
    assert!(whole["value"]["error"].is_null(), "{text}");
    whole["value"].clone()
}

#[test]
fn a_person_allows_in_a_real_browser_and_reads_that_the_tab_can_be_closed() {
    if !(requires_program("chromedriver") && requires_program("chromium")) {
        return;
    }
    let (home, sandbox) = (Home::new(), Sandbox::start(&[]));
    let chromium = Chromium::start(1100);
    let login = Login::begin(&home, &sandbox, &["--redirect-uri", "http://localhost:0/callback"]);
    chromium.go(&parameter(&login.url, "redirect_uri"));
    chromium.expect("There is no login in this address");
    chromium.picture("unusable.png");
    chromium.go(&format!("{}?code=x&state=y", parameter(&login.url, "redirect_uri")));
    chromium.expect("This belongs to another login");
    chromium.picture("state.png");
    chromium.go(&login.url);
    chromium.picture("plan.png");
    chromium.click("button[value=allow]");
    let page = chromium.expect("You can close this tab");
    assert!(page.contains("Access granted"), "{page}");
    chromium.picture("received.png");
    let ended = login.end();
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
    home.oneup().args(["token", "show"]).run();
}

#[test]
fn a_person_denies_in_a_real_browser() {
    if !(requires_program("chromedriver") && requires_program("chromium")) {
        return;
    }
    let (home, sandbox) = (Home::new(), Sandbox::start(&[]));
    let chromium = Chromium::start(500);
    let login = Login::begin(&home, &sandbox, &["--redirect-uri", "http://127.0.0.1:0/"]);
    chromium.go(&login.url);
    chromium.click("button[value=deny]");
    chromium.expect("Access was not granted");
    chromium.picture("denied.png");
    assert_eq!(login.end().status, Some(4));
}
