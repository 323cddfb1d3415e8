//! The authorization code flow at a real Keycloak. Its login page is filled in by a real Chromium, and by curl, which keeps
//! cookies and follows no redirect.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command};

use crate::support::{Chromium, Home, KEYCLOAK_SECRET as SECRET, Oneup, keycloak};

fn login(home: &Home, gateway: &str) -> Oneup {
    home.oneup()
        .args(["login", "patient", "--gateway", gateway, "--client-id", "patient-app", "--no-browser"])
        .args(["--redirect-uri", "http://localhost:0/callback", "--scope", "openid patient/*.read"])
        .env("ONEUP_CLIENT_SECRET", SECRET)
}

/// The URL that a login prints for the user.
fn printed_url(child: &mut Child) -> String {
    let stderr = BufReader::new(child.stderr.take().expect("piped"));
    let mut lines = stderr.lines().map_while(Result::ok);
    let url = lines.find_map(|line| Some(line[line.find("http")?..].trim().to_owned()));
    // The rest is read too, or the process would wait for a reader.
    std::thread::spawn(move || lines.count());
    url.expect("the login prints its URL on stderr")
}

/// Sends one request with curl and the cookies of `home`; returns the page and the redirect.
fn browse(home: &Home, flags: &[&str], url: &str) -> (String, String) {
    let jar = home.path("cookies");
    let output = Command::new("curl")
        .args(["-sS", "--noproxy", "*", "-w", "\n%{redirect_url}"])
        .args(["-b".as_ref(), jar.as_os_str(), "-c".as_ref(), jar.as_os_str()])
        .args(flags)
        .arg(url)
        .output()
        .expect("curl runs");
    assert!(output.status.success(), "{url}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (page, next) = text.rsplit_once('\n').expect("curl writes the redirect last");
    (page.to_owned(), next.to_owned())
}

/// Fills in Keycloak's login page; returns the URL that the browser is redirected to.
fn sign_in(home: &Home, url: &str) -> String {
    let (page, _) = browse(home, &[], url);
    let action = page.split("action=\"").nth(1).and_then(|rest| rest.split('"').next());
    let action = action.unwrap_or_else(|| panic!("no form in {page}"));
    let action = action.replace("&amp;", "&");
    browse(home, &["-d", "username=john.allen", "-d", "password=allen"], &action).1
}

#[test]
fn user_logs_in_and_the_token_is_refreshed_until_logout() {
    let Some(gateway) = keycloak() else { return };
    let home = Home::new();
    let mut child = login(&home, &gateway).spawn();
    let back = sign_in(&home, &printed_url(&mut child));
    assert!(back.starts_with("http://localhost:") && back.contains("code="), "{back}");
    browse(&home, &[], &back);
    assert!(child.wait().expect("oneup ends").success());

    let show = |flags: &[&str]| home.oneup().args(["token", "show"]).args(flags).never(SECRET).run().stdout;
    let first = show(&[]);
    assert_eq!(first.trim_end().split('.').count(), 3);
    assert_ne!(show(&["--refresh"]), first, "refreshed with the refresh token");
    home.oneup().args(["status", "--check"]).run();
    home.oneup().arg("logout").stderr_has("").run();
    home.oneup().args(["token", "show"]).status(4).run();
}

#[test]
fn user_logs_in_with_a_real_browser() {
    let Some(gateway) = keycloak() else { return };
    let home = Home::new();
    let Some(chromium) = Chromium::start(&home, 1100) else { return };
    let mut child = login(&home, &gateway).args(["--realm", "dev-portal"]).spawn();
    chromium.go(&printed_url(&mut child));
    for (password, shown) in
        [("mistyped", "Invalid username or password"), ("allen", "You can close this tab")]
    {
        chromium.fill_in("#username", "john.allen");
        chromium.fill_in("#password", password);
        chromium.picture(&format!("keycloak-{password}.png"));
        chromium.click("#kc-login");
        chromium.expect(shown);
    }
    let address = chromium.address();
    assert!(address.starts_with("http://localhost:"), "{address}");
    assert!(child.wait().expect("oneup ends").success());

    let profile = std::fs::read_to_string(home.profile_file("patient")).expect("a profile");
    assert!(profile.contains("realm = \"dev-portal\"") && !profile.contains(SECRET), "{profile}");
    let show = |flags: &[&str]| home.oneup().args(["token", "show"]).args(flags).never(SECRET).run().stdout;
    let first = show(&[]);
    assert_eq!(show(&[]), first, "a valid token is reused");
    let second = show(&["--refresh"]);
    assert!(
        second != first && show(&["--refresh"]) != second,
        "refreshed with the refresh token, and with the next one"
    );
    home.oneup().args(["token", "inspect", "--verify"]).stdout_has("client patient-app").run();
    home.oneup().args(["status", "--format", "json"]).stdout_has("\"refreshable\": true").run();
}

#[test]
fn code_is_exchanged_once() {
    let Some(gateway) = keycloak() else { return };
    let home = Home::new();
    // The code of a login without a listener, pasted.
    let redirect = "http://localhost:9/callback";
    let endpoint = format!("{gateway}/auth/realms/dev-portal/protocol/openid-connect/auth");
    let request = "response_type=code&client_id=patient-app&scope=openid%20patient%2F*.read&state=s";
    let back = sign_in(&home, &format!("{endpoint}?{request}&redirect_uri={redirect}"));
    let code = back.split("code=").nth(1).and_then(|rest| rest.split('&').next()).expect("a code").to_owned();
    let exchange = |home: &Home| {
        home.oneup()
            .args(["login", "patient", "--gateway", &gateway, "--client-id", "patient-app", "--code", "-"])
            .args(["--no-pkce", "--redirect-uri", redirect, "--scope", "openid patient/*.read"])
            .env("ONEUP_CLIENT_SECRET", SECRET)
            .stdin(format!("{code}\n"))
            .never(&code)
            .never(SECRET)
    };
    exchange(&home).stdout("").run();
    exchange(&Home::new()).status(4).stderr_has("hint: oneup login patient").run();
}
