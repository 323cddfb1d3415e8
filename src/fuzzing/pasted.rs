//! A redirect URL or a code that a user pasted.

use super::assert_presentable;
use super::callback::{STATE, waiting};
use crate::callback::into_code;
use crate::oauth::authorize::{AuthorizationResponse, interpret_pasted_code};

/// Takes the pasted text, which is then also the code of a URL with wrapped lines.
pub fn pasted(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let response = waiting().interpret_paste(text);
    if let AuthorizationResponse::Code(code) = &response {
        is_a_code(code.expose());
        // A URL needs the state; text without parameters is the code itself.
        let joined: String = text.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
        assert!(carries_the_state(text) || !joined.contains("code="), "{text:?}");
    }
    if let Err(error) = into_code(response) {
        assert_presentable(&error);
    }
    if let AuthorizationResponse::Code(code) = interpret_pasted_code(text) {
        is_a_code(code.expose());
    }
    survives_wrapping(text);
}

fn is_a_code(code: &str) {
    assert!(!code.is_empty() && code.len() <= 16 * 1024);
    assert!(code.bytes().all(|byte| matches!(byte, 0x20..=0x7e)));
}

/// Returns whether the text contains the state, with anything between its letters, percent-encoded up to twice.
fn carries_the_state(text: &str) -> bool {
    let letters = |text: &str| text.replace(|c: char| !c.is_ascii_alphanumeric() && c != '%', "");
    let mut text = letters(text);
    for _ in 0..3 {
        if text.contains(STATE) {
            return true;
        }
        text = letters(&decoded(&text));
    }
    false
}

/// Decodes each valid `%XX`.
fn decoded(text: &str) -> String {
    let mut pieces = text.split('%');
    let mut decoded = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        match piece.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                decoded.push(char::from(byte));
                decoded.push_str(&piece[2..]);
            }
            None => decoded.push_str(piece),
        }
    }
    decoded
}

/// Any code is found in its URL, wherever a terminal wraps the line.
fn survives_wrapping(code: &str) {
    let code: String = code.chars().filter(char::is_ascii_alphanumeric).take(400).collect();
    if code.is_empty() {
        return;
    }
    let url = format!("http://localhost:8484/callback?code={code}&state={STATE}");
    for width in [7, 40, 80] {
        let lines: Vec<&str> =
            url.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
        for wrapped in [lines.join("\n"), lines.join("\r\n  ")] {
            match waiting().interpret_paste(&wrapped) {
                AuthorizationResponse::Code(found) => assert_eq!(found.expose(), code),
                other => panic!("{wrapped:?}: {other:?}"),
            }
        }
    }
}
