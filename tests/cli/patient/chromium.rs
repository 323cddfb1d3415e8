//! A login with a real Chromium: the click on Allow or Deny, and the page that the user sees at the end.

use super::browser::{Login, parameter};
use crate::support::{Chromium, Home, Sandbox};

#[test]
fn user_allows_access_in_a_real_browser() {
    let home = Home::new();
    let Some(chromium) = Chromium::start(&home, 1100) else { return };
    let sandbox = Sandbox::start(&[]);
    let login = Login::begin(&home, &sandbox, &["--redirect-uri", "http://localhost:0/callback"]);
    chromium.go(&parameter(&login.url, "redirect_uri"));
    chromium.expect("This URL is not the end of a login");
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
    login.end().assert_success();
    home.oneup().args(["token", "show"]).run();
}

#[test]
fn user_denies_access_in_a_real_browser() {
    let home = Home::new();
    let Some(chromium) = Chromium::start(&home, 500) else { return };
    let sandbox = Sandbox::start(&[]);
    let login = Login::begin(&home, &sandbox, &["--redirect-uri", "http://127.0.0.1:0/"]);
    chromium.go(&login.url);
    chromium.click("button[value=deny]");
    chromium.expect("Access was not granted");
    chromium.picture("denied.png");
    assert_eq!(login.end().status, Some(4));
}
