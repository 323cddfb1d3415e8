//! `--verbose`: each exchange on stderr, every secret masked; and the mask itself.

use serde_json::Value;
use url::form_urlencoded;

use super::Answer;
use crate::oauth::grant::Form;
use crate::output::plain;

const MASK: &str = "***";

/// Form fields whose values may be shown; every other one is masked, so that a new field is safe by default.
const SHOWN_FIELDS: [&str; 5] = ["grant_type", "client_id", "scope", "redirect_uri", "token_type_hint"];

/// Members of an answer that may be shown.
const SHOWN_MEMBERS: [&str; 10] = [
    "error",
    "error_description",
    "error_uri",
    "expires_in",
    "refresh_expires_in",
    "token_type",
    "scope",
    "not-before-policy",
    "active",
    "issuer",
];

/// The request line and the form, field by field.
pub fn request(method: &str, url: &str, form: Option<&Form>) -> String {
    let mut lines = vec![format!("> {method} {}", plain(url, 300))];
    let Some(form) = form else { return lines.remove(0) };
    if form.authorization.is_some() {
        lines.push(format!("> Authorization: Basic {MASK}"));
    }
    for (name, value) in form_urlencoded::parse(form.body.expose().as_bytes()) {
        let shown = if SHOWN_FIELDS.contains(&&*name) { plain(&value, 300) } else { MASK.into() };
        lines.push(format!(">   {name}={shown}"));
    }
    lines.join("\n")
}

/// The status, the content type and, where a form was answered, the members of a JSON body.
pub fn answer(answer: &Answer, of_a_form: bool) -> String {
    let kind = answer.content_type.as_deref().unwrap_or("no content type");
    let mut lines =
        vec![format!("< HTTP {}, {}, {} bytes", answer.status, plain(kind, 80), answer.body.len())];
    if of_a_form && let Ok(Value::Object(members)) = serde_json::from_slice(&answer.body) {
        for (name, value) in &members {
            let shown = if SHOWN_MEMBERS.contains(&name.as_str()) {
                plain(&value.to_string(), 300)
            } else {
                MASK.into()
            };
            lines.push(format!("<   {}: {shown}", plain(name, 80)));
        }
    }
    lines.join("\n")
}

/// Masks, in an error answer, every secret that was sent: some servers repeat what they were given.
pub fn mask_sent(body: &mut Vec<u8>, form: &Form) {
    for (name, value) in form_urlencoded::parse(form.body.expose().as_bytes()) {
        if SHOWN_FIELDS.contains(&&*name) || value.len() < 4 {
            continue;
        }
        let text = String::from_utf8_lossy(body);
        let encoded: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
        let quoted = Value::from(&*value).to_string();
        let masked =
            text.replace(quoted.trim_matches('"'), MASK).replace(&*value, MASK).replace(&encoded, MASK);
        *body = masked.into_bytes();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::grant::{Client, ClientAuthentication, Grant};
    use crate::oauth::secret::Secret;

    fn form() -> Form {
        Client {
            id: "svc".into(),
            secret: Some(Secret::new("p&a\"ss")),
            authentication: ClientAuthentication::Post,
        }
        .token_request(&Grant::RefreshToken(Secret::new("r3fresh")))
    }

    #[test]
    fn a_trace_shows_names_and_no_secret() {
        assert_eq!(
            request("POST", "https://a.example/token", Some(&form())),
            "> POST https://a.example/token\n>   grant_type=refresh_token\n>   refresh_token=***\n\
             >   client_id=svc\n>   client_secret=***"
        );
        let body = br#"{"access_token":"t0ken","expires_in":60,"patient":"p1"}"#.to_vec();
        let shown = answer(&Answer { status: 200, content_type: None, date: None, body }, true);
        assert_eq!(
            shown,
            "< HTTP 200, no content type, 55 bytes\n<   access_token: ***\n<   expires_in: 60\n<   patient: ***"
        );
    }

    #[test]
    fn an_error_answer_that_repeats_the_secret_is_masked() {
        let mut body = br#"{"error":"x","error_description":"not p&a\"ss, p%26a%22ss or r3fresh"}"#.to_vec();
        mask_sent(&mut body, &form());
        let text = String::from_utf8(body).expect("UTF-8");
        assert_eq!(text, r#"{"error":"x","error_description":"not ***, *** or ***"}"#);
    }
}
