//! Responses of a token endpoint that are valid HTTP and not always valid OAuth.

use super::{BEARER, TOKEN, check_responses, token};
use crate::support::{RawServer, base64url, html_response, json_response, response};

const BEARER_60: &str = r#","token_type":"Bearer","expires_in":60"#;

fn html(status: &str) -> Vec<u8> {
    html_response(status, "<html><b>no\x1b[31m</b>")
}

/// A token response with `text` as the access token.
fn token_like(text: &str) -> Vec<u8> {
    json_response("200 OK", format!(r#"{{"access_token":"{text}","token_type":"Bearer"}}"#))
}

#[test]
fn each_response_has_its_exit_code_and_message() {
    check_responses(
        "token responses",
        vec![
            ("plain", token(BEARER_60), 0, ""),
            ("html", html("200 OK"), 3, "HTTP 200, text/html, 20 bytes\n"),
            ("no JSON object", json_response("200 OK", "[]"), 3, "not a JSON object"),
            ("a string", json_response("200 OK", "\"t\""), 3, "not a JSON object"),
            ("nothing", json_response("200 OK", ""), 3, "not a JSON object"),
            ("204", b"HTTP/1.1 204 No Content\r\n\r\n".to_vec(), 3, "not a JSON object"),
            ("a firewall", html("403 Forbidden"), 4, "blocked the request"),
            ("400 without JSON", html("400 Bad Request"), 4, "without an OAuth error"),
            ("404", html("404 Not Found"), 4, "is not a token endpoint (HTTP 404)"),
            ("405", html("405 Method Not Allowed"), 4, "is not a token endpoint (HTTP 405)"),
            ("415", html("415 Unsupported Media Type"), 4, "is not a token endpoint (HTTP 415)"),
            ("418", html("418 I'm a teapot"), 4, "without an OAuth error"),
            ("500", html("500 Oops"), 5, "server error (HTTP 500)"),
            ("a captive portal", html("511 Network Authentication Required"), 5, "server error (HTTP 511)"),
            ("599", html("599 What"), 5, "server error (HTTP 599)"),
            ("999", html("999 No"), 5, "server error (HTTP 999)"),
            (
                "a 401 with its header alone",
                b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer error=\"x\"\r\nContent-Length: 0\r\n\r\n"
                    .to_vec(),
                4,
                "without an OAuth error",
            ),
            ("200 with an error", json_response("200 OK", r#"{"error":"invalid_client"}"#), 4, "invalid_client"),
            (
                "200 with a token and an error",
                token(r#","token_type":"Bearer","error":"access_denied""#),
                4,
                "access_denied",
            ),
            ("401 with a token", json_response("401 No", r#"{"access_token":"x","token_type":"Bearer"}"#), 4, "rejected"),
            ("an error that is a list", json_response("400 No", r#"{"error":["x"]}"#), 4, "without an OAuth error"),
            ("an empty error code", json_response("400 No", r#"{"error":""}"#), 4, ""),
            (
                "escapes everywhere",
                json_response(
                    "400 No",
                    r#"{"error":"\u001b]0;x\u0007","error_description":"\u001b[2J\u202e","error_uri":"\u001b[31m"}"#,
                ),
                4,
                "\\u{1b}",
            ),
        ],
    );
}

#[test]
fn each_member_is_validated() {
    let repeated = format!(r#"{{"access_token":"evil","access_token":"{TOKEN}"{BEARER_60}}}"#);
    let twice = format!(r#"{{"access_token":"{TOKEN}","token_type":"mac"{BEARER_60}}}"#);
    check_responses(
        "members of token responses",
        vec![
            (
                "no access token",
                json_response("200 OK", r#"{"token_type":"Bearer"}"#),
                3,
                "access_token is missing",
            ),
            (
                "a number",
                json_response("200 OK", r#"{"access_token":1,"token_type":"Bearer"}"#),
                3,
                "access_token",
            ),
            (
                "null",
                json_response("200 OK", r#"{"access_token":null,"token_type":"Bearer"}"#),
                3,
                "access_token",
            ),
            (
                "empty",
                json_response("200 OK", r#"{"access_token":"","token_type":"Bearer"}"#),
                3,
                "access_token",
            ),
            (
                "an object",
                json_response("200 OK", r#"{"access_token":{},"token_type":"Bearer"}"#),
                3,
                "access_token",
            ),
            ("two tokens", json_response("200 OK", repeated), 3, "access_token appears more than once"),
            ("two types", json_response("200 OK", twice), 3, "token_type appears more than once"),
            ("a NUL in it", token_like(r"to\u0000ken"), 3, "access_token"),
            ("a line break in it", token_like(r"to\r\nX-Evil: yes"), 3, "access_token"),
            ("a space in it", token_like("to ken"), 3, "access_token"),
            ("an escape in it", token_like(r"to\u001b[31m"), 3, "access_token"),
            ("more than ASCII in it", token_like("t\u{f6}ken"), 3, "access_token"),
            ("no type", token(""), 3, "token_type is missing"),
            ("mac", token(r#","token_type":"mac""#), 3, "token_type is mac"),
            ("DPoP", token(r#","token_type":"DPoP""#), 3, "token_type is DPoP"),
            ("a list of types", token(r#","token_type":["Bearer"]"#), 3, "token_type is missing"),
            (
                "a type with a line break",
                token(r#","token_type":"Bearer\r\nX: y""#),
                3,
                "token_type is Bearer X",
            ),
            ("lower case", token(r#","token_type":"bearer","expires_in":60"#), 0, ""),
            ("upper case", token(r#","token_type":"BEARER","expires_in":60"#), 0, ""),
            ("a lifetime in text", token(r#","token_type":"Bearer","expires_in":"60""#), 0, ""),
            ("a huge lifetime", token(r#","token_type":"Bearer","expires_in":9223372036854775808"#), 0, ""),
            ("a fraction", token(r#","token_type":"Bearer","expires_in":59.9"#), 0, ""),
            ("a negative lifetime", token(r#","token_type":"Bearer","expires_in":-1"#), 3, "already expired"),
            ("no lifetime", token(BEARER), 0, ""),
            ("a null lifetime", token(r#","token_type":"Bearer","expires_in":null"#), 0, ""),
            (
                "a lifetime that is not a number",
                token(r#","token_type":"Bearer","expires_in":"soon""#),
                0,
                "",
            ),
            ("a list of scopes", token(r#","token_type":"Bearer","scope":["a","b"]"#), 0, ""),
            (
                "a scope that moves the cursor",
                token(r#","token_type":"Bearer","scope":"\u001b[2J\u202e""#),
                0,
                "",
            ),
            ("a refresh token that is a number", token(r#","token_type":"Bearer","refresh_token":7"#), 0, ""),
            ("unknown members", token(r#","token_type":"Bearer","constructor":{},"__proto__":[]"#), 0, ""),
        ],
    );
}

#[test]
fn each_encoding_is_decoded_or_rejected() {
    let good = format!(r#"{{"access_token":"{TOKEN}"{BEARER_60}}}"#);
    let raw = |kind: &str, body: &[u8]| response("200 OK", &[("Content-Type", kind)], body);
    let utf16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let nested = format!(r#"{{"a":{}}}"#, "[".repeat(200_000));
    let many: String = (0..40_000).map(|number| format!(r#","m{number}":0"#)).collect();
    check_responses(
        "encodings of token responses",
        vec![
            ("no content type", [b"HTTP/1.1 200 OK\r\n\r\n", good.as_bytes()].concat(), 0, ""),
            ("another content type", raw("text/plain", good.as_bytes()), 0, ""),
            (
                "a byte order mark",
                raw("application/json", format!("\u{feff}{good}").as_bytes()),
                3,
                "not a JSON object",
            ),
            ("UTF-16", raw("application/json; charset=utf-16", &utf16), 3, "not a JSON object"),
            (
                "bytes that are not UTF-8",
                raw("application/json", b"{\"access_token\":\"\xff\xfe\"}"),
                3,
                "not a JSON object",
            ),
            (
                "more after it",
                raw("application/json", format!("{good}{good}").as_bytes()),
                3,
                "not a JSON object",
            ),
            ("a comment", raw("application/json", format!("/**/{good}").as_bytes()), 3, "not a JSON object"),
            ("half of it", raw("application/json", &good.as_bytes()[..30]), 3, "not a JSON object"),
            ("not a number", raw("application/json", b"{\"expires_in\":NaN}"), 3, "not a JSON object"),
            ("deeply nested", raw("application/json", nested.as_bytes()), 3, "not a JSON object"),
            (
                "forty thousand members",
                json_response("200 OK", format!(r#"{{"access_token":"{TOKEN}"{BEARER_60}{many}}}"#)),
                0,
                "",
            ),
            (
                "form-encoded",
                raw("application/x-www-form-urlencoded", b"access_token=t&token_type=Bearer"),
                3,
                "not a JSON object",
            ),
            ("a content type that moves the cursor", raw("\u{9b}2J", b"x"), 3, "not a JSON object"),
            ("over the limit", json_response("200 OK", "x".repeat(1_100_000)), 3, "response exceeds 1 MiB"),
        ],
    );
}

#[test]
fn prints_a_token_of_one_megabyte() {
    let long = "x".repeat(1_000_000);
    let response = token_like(&long);
    let server = RawServer::start(move |_, _, _| response.clone());
    super::login(&server).stdout(format!("{long}\n")).run();
}

/// RFC 6749 §5.1: the lifetime counts from the response, whatever `iat` and `Date` are.
#[test]
fn expiry_does_not_depend_on_the_servers_clock() {
    let now = || std::time::SystemTime::UNIX_EPOCH.elapsed().expect("after 1970").as_secs();
    for off in [-86_400, -600, 600, 86_400] {
        let issued = now().checked_add_signed(off).expect("a time");
        let claims = format!(r#"{{"iat":{issued},"nbf":{issued},"exp":{}}}"#, issued + 300);
        let jwt = format!("e30.{}.c2ln", base64url(claims));
        let body = format!(r#"{{"access_token":"{jwt}","token_type":"Bearer","expires_in":300}}"#);
        let response = response("200 OK", &[("Date", "Thu, 01 Jan 1970 00:00:00 GMT")], body);
        let server = RawServer::start(move |_, _, _| response.clone());
        let shown = super::login(&server).args(["--format", "json"]).run().stdout;
        let shown: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
        let expires = shown["expires_on"].as_u64().expect("a time");
        assert!((now() + 290..=now() + 300).contains(&expires), "{off}: {shown}");
    }
}
