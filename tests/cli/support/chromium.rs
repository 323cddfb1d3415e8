//! A real Chromium, driven through ChromeDriver's HTTP interface (W3C WebDriver). `ONEUP_SCREENSHOTS=DIR` keeps
//! pictures of the pages.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::blocking::Client;
use serde_json::{Value, json};

use super::{Home, requires_program};

/// A browser without a window; closed when dropped.
pub(crate) struct Chromium {
    driver: Child,
    /// Kept open: a closed one would end it.
    _stdout: BufReader<ChildStdout>,
    http: Client,
    session: String,
    /// The home of its profile.
    _home: Home,
}

impl Chromium {
    /// Starts one that keeps everything in this home; `None` without Chromium, as [`super::requires`] does.
    pub(crate) fn start(home: &Home, width: u32) -> Option<Self> {
        if !(requires_program("chromedriver") && requires_program("chromium")) {
            return None;
        }
        // Chromium leaves files in the temporary directory.
        let temporary = home.path("tmp");
        std::fs::create_dir_all(&temporary).expect("a directory in the home");
        let (driver, stdout, port) = driver(home, &temporary);
        let http = Client::builder().no_proxy().timeout(Duration::from_secs(60)).build().expect("a client");
        let session = format!("http://127.0.0.1:{port}/session");
        let mut chromium = Self { driver, _stdout: stdout, http, session, _home: home.clone() };
        let size = format!("--window-size={width},800");
        let id = (0..3).find_map(|number| chromium.session(&size, &home.path(format!("chromium{number}"))));
        chromium.session = format!("{}/{}", chromium.session, id.expect("Chromium starts"));
        Some(chromium)
    }

    /// The ID of a new session; `None` if Chromium does not start.
    fn session(&self, size: &str, profile: &Path) -> Option<String> {
        let profile = format!("--user-data-dir={}", profile.display());
        let flags =
            ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", size, &profile];
        let capabilities = json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": {"args": flags}}}});
        match self.try_post("", &capabilities) {
            Ok(session) => session["sessionId"].as_str().map(str::to_owned),
            Err(error) => {
                eprintln!("Chromium did not start: {error}");
                None
            }
        }
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        self.try_post(path, body).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    fn try_post(&self, path: &str, body: &Value) -> Result<Value, String> {
        let request = self.http.post(format!("{}{path}", self.session)).body(body.to_string());
        value(request.header("Content-Type", "application/json").send())
    }

    fn get(&self, path: &str) -> Value {
        value(self.http.get(format!("{}{path}", self.session)).send()).expect(path)
    }

    /// Opens a URL.
    pub(crate) fn go(&self, url: &str) {
        self.post("/url", &json!({ "url": url }));
    }

    /// Clicks on the first element of this CSS selector.
    pub(crate) fn click(&self, selector: &str) {
        self.post(&format!("{}/click", self.element(selector)), &json!({}));
    }

    /// Types into the first element of this CSS selector.
    pub(crate) fn fill_in(&self, selector: &str, text: &str) {
        let element = self.element(selector);
        self.post(&format!("{element}/clear"), &json!({}));
        self.post(&format!("{element}/value"), &json!({ "text": text }));
    }

    fn element(&self, selector: &str) -> String {
        let found = self.post("/element", &json!({"using": "css selector", "value": selector}));
        let id = found.as_object().and_then(|it| it.values().next()).and_then(Value::as_str);
        format!("/element/{}", id.unwrap_or_else(|| panic!("{selector} is there: {found}")))
    }

    /// The URL that it shows.
    pub(crate) fn address(&self) -> String {
        self.get("/url").as_str().expect("an address").to_owned()
    }

    /// Waits until the page has this text; returns all of its text.
    pub(crate) fn expect(&self, text: &str) -> String {
        let begun = Instant::now();
        loop {
            let script = json!({"script": "return document.body ? document.body.innerText : ''", "args": []});
            // While it loads another page, the script fails.
            let shown = match self.try_post("/execute/sync", &script) {
                Ok(shown) => shown.as_str().unwrap_or_default().to_owned(),
                Err(error) => error,
            };
            if shown.contains(text) {
                return shown;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "no {text:?} in {shown:?}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Keeps a screenshot, if a variable asks for it.
    pub(crate) fn picture(&self, name: &str) {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let Some(dir) = std::env::var_os("ONEUP_SCREENSHOTS") else { return };
        let image = self.get("/screenshot");
        let bytes = STANDARD.decode(image.as_str().unwrap_or_default()).expect("base64");
        std::fs::write(std::path::Path::new(&dir).join(name), bytes).expect("a writable directory");
    }
}

/// Starts ChromeDriver; returns its port too. On a busy machine it sometimes exits at its start, so it is started again.
fn driver(home: &Home, temporary: &Path) -> (Child, BufReader<ChildStdout>, u16) {
    let mut output = String::new();
    for _ in 0..5 {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .env("HOME", home.path(""))
            .env("TMPDIR", temporary)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver starts");
        let mut stdout = BufReader::new(driver.stdout.take().expect("piped"));
        // It prints port 0 first, as requested, and then its own.
        for line in stdout.by_ref().lines().map_while(Result::ok) {
            let port = line.split("on port ").nth(1).and_then(|text| text.trim_end_matches('.').parse().ok());
            match port {
                Some(port @ 1..) => return (driver, stdout, port),
                _ => output += &format!("{line}\n"),
            }
        }
        let ended = driver.wait().expect("it is ours");
        output += &format!("{ended}\n");
        std::thread::sleep(Duration::from_millis(500));
    }
    panic!("chromedriver printed no port: {output}");
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = self.http.delete(&self.session).send();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// The value of a response, or its error.
fn value(response: reqwest::Result<reqwest::blocking::Response>) -> Result<Value, String> {
    let text = response.and_then(|response| response.text()).map_err(|error| error.to_string())?;
    let whole: Value = serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))?;
    if whole["value"]["error"].is_null() { Ok(whole["value"].clone()) } else { Err(text) }
}
