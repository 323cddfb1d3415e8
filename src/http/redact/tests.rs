use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::*;
use crate::oauth::grant::{Client, ClientAuthentication, Grant};

fn form(secret: &str, authentication: ClientAuthentication) -> TokenRequest {
    let client = Client { id: "svc".into(), secret: Some(Secret::new(secret)), authentication, signer: None };
    let grant = Grant::RefreshToken { token: Secret::new("r3fresh-0f-svc"), scope: String::new() };
    client.token_request(&grant, 0).expect("a form")
}

fn redact(secret: &str, text: &str) -> String {
    Redactor::for_form(&form(secret, ClientAuthentication::Post)).redact(text)
}

fn escape_json(text: &str) -> String {
    text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect()
}

fn percent_encode(text: &str, upper: bool) -> String {
    text.bytes().map(|byte| if upper { format!("%{byte:02X}") } else { format!("%{byte:02x}") }).collect()
}

fn form_encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn escape_html(text: &str) -> String {
    let escape = |c| match c {
        '&' => "&amp;".into(),
        '<' => "&lt;".into(),
        '>' => "&gt;".into(),
        '"' => "&quot;".into(),
        '\'' => "&#39;".into(),
        '/' => "&#x2F;".into(),
        c => c.to_string(),
    };
    text.chars().map(escape).collect()
}

/// The ways in which servers repeat a secret.
const ENCODINGS: [fn(&str) -> String; 15] = [
    str::to_owned,
    form_encode,
    |text| form_encode(text).to_lowercase(),
    |text| percent_encode(text, true),
    |text| percent_encode(text, false),
    |text| form_encode(&form_encode(text)),
    |text| Value::from(text).to_string().trim_matches('"').to_owned(),
    |text| Value::from(text).to_string().trim_matches('"').replace('/', "\\/"),
    |text| Value::from(Value::from(text).to_string()).to_string(),
    escape_json,
    escape_html,
    |text| escape_html(&escape_html(text)),
    |text| text.chars().map(|c| format!("&#{};", u32::from(c))).collect(),
    |text| STANDARD.encode(text),
    |text| URL_SAFE_NO_PAD.encode(format!("svc:{}", form_encode(text))),
];

#[test]
fn masks_each_spelling() {
    let secret = "p&a\"s/s+w %\\wörd<😀>";
    for (index, encode) in ENCODINGS.iter().enumerate() {
        // Lower-casing the form encoding would change letters of another secret; here there are none.
        let text = format!("bad {} here", encode(secret));
        let redacted = redact(secret, &text);
        // The last encoding begins with the client ID, which stays.
        assert!(redacted.contains("***") && redacted.len() < 24, "{index}: {text}: {redacted}");
    }
}

#[test]
fn masks_secrets_that_look_encoded_themselves() {
    for secret in ["a!a!%00a!!!!", "a!a!&#33;!!!!", "a!a!\\u0021!!!!"] {
        for (index, encode) in ENCODINGS.iter().enumerate() {
            let text = format!("bad {} here", encode(secret));
            let redacted = redact(secret, &text);
            assert!(redacted.contains("***") && redacted.len() < 24, "{index}: {text}: {redacted}");
        }
    }
}

#[test]
fn masks_the_authorization_header_and_its_password() {
    let form = form("p&a ss", ClientAuthentication::Basic);
    let header = form.authorization.as_ref().expect("Basic").expose().to_owned();
    let text = format!("no svc:p&a ss, p%26a+ss, {header}");
    assert_eq!(Redactor::for_form(&form).redact(&text), "no svc:***, ***, Basic ***");
}

#[test]
fn masks_every_secret_field_and_no_public_one() {
    assert_eq!(redact("p&a ss", "r3fresh-0f-svc p&a ss svc refresh_token"), "*** *** svc refresh_token");
}

#[test]
fn masks_parts() {
    let secret = "0123456789abcdef";
    for (text, redacted) in [
        ("x01234567", "x***"),
        ("89abcdefx", "***x"),
        ("3456789a.", "***."),
        ("0123456 9abcdef", "0123456 9abcdef"),
        ("0123456789abcdef0123456789abcdef", "***"),
    ] {
        assert_eq!(redact(secret, text), redacted);
    }
    assert_eq!(redact("12345", "1234 12345"), "1234 ***");
    let redactor = Redactor::for_form(&form(secret, ClientAuthentication::Post));
    assert_eq!(redactor.redact_whole("0123456789 0123456789abcdef"), "0123456789 ***");
}

#[test]
fn leaves_ordinary_text_alone() {
    for text in
        ["Invalid client or Invalid client credentials", "", "100 % + \\ & &amp; %zz \\u12 &#;", "wörd 😀"]
    {
        assert_eq!(redact("s3cr3t-of-the-client", text), text);
        assert_eq!(Redactor::default().redact(text), text);
    }
    assert_eq!(redact("abc", "abc"), "abc", "too short to mask");
}

#[test]
fn redacts_json_after_decoding() {
    let secret = "p\"a/s";
    let value: Value =
        serde_json::from_str(r#"{"a":["x p\u0022a\/s"],"p\"a/s":{"b":"p%22a%2Fs"},"n":1}"#).expect("JSON");
    let redactor = Redactor::for_form(&form(secret, ClientAuthentication::Post));
    assert_eq!(redactor.redact_json(value), serde_json::json!({"a":["x ***"],"***":{"b":"***"},"n":1}));
}

#[test]
fn long_secrets_and_texts_take_no_noticeable_time() {
    let start = std::time::Instant::now();
    for secret in ["a".repeat(10_000), "xyz%41".repeat(1_000)] {
        for text in ["a".repeat(10_000), "%".repeat(10_000), "\\".repeat(10_000), secret.clone()] {
            assert!(redact(&secret, &text).len() <= MAX_TEXT_LEN);
        }
    }
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

proptest! {
    /// Secrets × encodings × places × cuts: no part of a secret remains that has eight characters, however the text
    /// is decoded.
    #[test]
    fn no_part_of_a_secret_remains(
        secret in r"([!-~]|%[0-7][0-9a-f]|&#[4-9][0-9];|&amp;|\\u00[4-7][0-9a-f]|%25){8,24}",
        encoding in 0..ENCODINGS.len(),
        place in 0..6_usize,
        from in 0..30_usize,
        to in 0..30_usize,
    ) {
        let encoded = ENCODINGS[encoding](&secret);
        // Cut at characters, as a server that logs or quotes does.
        let chars: Vec<char> = encoded.chars().collect();
        let end = chars.len().saturating_sub(to);
        let cut: String = chars[from.min(end)..end].iter().collect();
        let text = match place {
            0 => cut,
            1 => format!("{{\"error_description\":\"no {cut}\"}}"),
            2 => format!("https://a.example/?client_secret={cut}&x=1"),
            3 => format!("<p title='{cut}'>"),
            4 => format!("grant_type=client_credentials&client_secret={cut}"),
            _ => format!("{cut}{cut}"),
        };
        let redactor = Redactor::for_form(&form(&secret, ClientAuthentication::Post));
        let redacted = redactor.redact(&text);
        let limit = MAX_VISIBLE_PART_LEN + 1;
        for window in secret.as_bytes().windows(limit) {
            let part = std::str::from_utf8(window).expect("ASCII");
            let leaked = decodings(&redacted).any(|decoded| decoded.contains(part));
            prop_assert!(!leaked, "{:?} remains of {:?} in {:?}", part, secret, redacted);
        }
    }

    #[test]
    fn hostile_text_neither_panics_nor_keeps_the_secret(secret in ".{4,30}", text in "[%&#;x+\\\\u0-9a-f\"é😀]{0,60}") {
        let text = format!("{text}{secret}{text}");
        prop_assert!(!redact(&secret, &text).contains(&secret));
    }
}

/// The text as it is, and decoded once in each way.
fn decodings(text: &str) -> impl Iterator<Item = String> {
    let percent = |text: &str| {
        form_urlencoded::parse(text.replace('+', "%2B").replace('&', "%26").replace('=', "%3D").as_bytes())
            .next()
            .map_or(String::new(), |(name, _)| name.into_owned())
    };
    let json = serde_json::from_str::<String>(&format!("\"{text}\"")).unwrap_or_default();
    [text.to_owned(), percent(text), percent(&percent(text)), json].into_iter()
}
