//! `--verbose`: each exchange on stderr, with every secret masked.

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::Value;
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::HttpResponse;
use crate::oauth::grant::TokenRequest;
use crate::text::sanitize;

const MASK: &str = "***";

/// The longest segment of a path that is shown whole: longer than any FHIR ID (64).
const MAX_SEGMENT_LEN: usize = 80;

/// Form fields whose values are shown; all others are masked, so that a new field is safe by default.
const SHOWN_FIELDS: [&str; 5] = ["grant_type", "client_id", "scope", "redirect_uri", "token_type_hint"];

/// Members of a response whose values are shown.
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

/// Returns the request line and the form, a field a line.
pub fn request(method: &str, url: &str, form: Option<&TokenRequest>) -> String {
    let mut lines = vec![format!("> {method} {}", sanitize(url, 300))];
    let Some(form) = form else { return lines.remove(0) };
    if form.authorization.is_some() {
        lines.push(format!("> Authorization: Basic {MASK}"));
    }
    for (name, value) in form_urlencoded::parse(form.body.expose().as_bytes()) {
        let shown = if SHOWN_FIELDS.contains(&&*name) { sanitize(&value, 300) } else { MASK.into() };
        lines.push(format!(">   {name}={shown}"));
    }
    lines.join("\n")
}

/// Returns the request line of a streaming request, without the query: it can contain patient data.
pub fn bare_request(method: &str, url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    // Some servers put a token into the path of a file.
    let segments =
        path.split('/').map(|segment| if segment.len() > MAX_SEGMENT_LEN { MASK } else { segment });
    format!("> {method} {}", sanitize(&segments.collect::<Vec<_>>().join("/"), 300))
}

/// Returns status and content type of a streamed response.
pub fn head(status: u16, headers: &HeaderMap) -> String {
    let kind = headers
        .get(CONTENT_TYPE)
        .map_or("no content type".into(), |kind| sanitize(&String::from_utf8_lossy(kind.as_bytes()), 80));
    format!("< HTTP {status}, {kind}")
}

/// Returns status, content type and size, and the members of a JSON body in response to a form.
pub fn response(response: &HttpResponse, to_form: bool) -> String {
    let kind = response.content_type.as_deref().unwrap_or("no content type");
    let mut lines =
        vec![format!("< HTTP {}, {}, {} bytes", response.status, sanitize(kind, 80), response.body.len())];
    if to_form && let Ok(Value::Object(members)) = serde_json::from_slice(&response.body) {
        for (name, value) in &members {
            let shown = if SHOWN_MEMBERS.contains(&name.as_str()) {
                sanitize(&value.to_string(), 300)
            } else {
                MASK.into()
            };
            lines.push(format!("<   {}: {shown}", sanitize(name, 80)));
        }
    }
    lines.join("\n")
}

/// Masks every secret that was sent, wherever the answer is not a token: some servers repeat what they were given. A
/// token answer may bring the refresh token that was sent, and must stay whole.
pub fn mask_sent(answer: &mut HttpResponse, form: &TokenRequest) {
    if is_success(answer) {
        return;
    }
    for secret in sent(form).into_iter().filter(|secret| secret.len() >= 4) {
        let text = String::from_utf8_lossy(&answer.body);
        let encoded: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let quoted = Value::from(secret.as_str()).to_string();
        let masked = text
            .replace(quoted.trim_matches('"'), MASK)
            .replace(secret.as_str(), MASK)
            .replace(&encoded, MASK);
        // What is no text stays as it came.
        if masked != text {
            answer.body = masked.into_bytes();
        }
    }
}

fn is_success(answer: &HttpResponse) -> bool {
    let members = serde_json::from_slice::<Value>(&answer.body);
    (200..=299).contains(&answer.status)
        && members.is_ok_and(|value| value.as_object().is_some_and(|all| !all.contains_key("error")))
}

/// The secrets of a request, in the body or in the header (RFC 6749 §2.3.1).
fn sent(form: &TokenRequest) -> Vec<Zeroizing<String>> {
    let fields = form_urlencoded::parse(form.body.expose().as_bytes());
    let secret = fields.filter(|(name, _)| !SHOWN_FIELDS.contains(&&**name));
    let mut all: Vec<_> = secret.map(|(_, value)| Zeroizing::new(value.into_owned())).collect();
    if let Some(basic) = form.authorization.as_ref().and_then(|header| header.expose().strip_prefix("Basic "))
    {
        let pair = Zeroizing::new(STANDARD.decode(basic).unwrap_or_default());
        let secret = pair.splitn(2, |byte| *byte == b':').nth(1).unwrap_or_default();
        // A name without a value is decoded as one of a form.
        let decoded = form_urlencoded::parse(secret).map(|(name, _)| Zeroizing::new(name.into_owned()));
        all.extend(decoded);
        all.push(Zeroizing::new(basic.to_owned()));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::grant::{Client, ClientAuthentication, Grant};
    use crate::oauth::secret::Secret;

    fn form() -> TokenRequest {
        Client {
            id: "svc".into(),
            secret: Some(Secret::new("p&a\"ss")),
            authentication: ClientAuthentication::Post,
        }
        .token_request(&Grant::RefreshToken(Secret::new("r3fresh")))
    }

    #[test]
    fn shows_names_and_masks_values() {
        assert_eq!(
            request("POST", "https://a.example/token", Some(&form())),
            "> POST https://a.example/token\n>   grant_type=refresh_token\n>   refresh_token=***\n\
             >   client_id=svc\n>   client_secret=***"
        );
        let body = br#"{"access_token":"t0ken","expires_in":60,"patient":"p1"}"#.to_vec();
        let shown = response(&HttpResponse { status: 200, content_type: None, date: None, body }, true);
        assert_eq!(
            shown,
            "< HTTP 200, no content type, 55 bytes\n<   access_token: ***\n<   expires_in: 60\n<   patient: ***"
        );
    }

    #[test]
    fn an_error_answer_that_repeats_the_secret_is_masked() {
        let error = r#"{"error":"x","error_description":"not p&a\"ss, p%26a%22ss or r3fresh"}"#;
        let masked = r#"{"error":"x","error_description":"not ***, *** or ***"}"#;
        assert_eq!(repeated(400, error, &form()), masked);
        assert_eq!(repeated(200, error, &form()), masked);
        assert_eq!(repeated(200, "<p>client_secret=p%26a%22ss", &form()), "<p>client_secret=***");
        let token = r#"{"access_token":"t","refresh_token":"r3fresh"}"#;
        assert_eq!(repeated(200, token, &form()), token, "a token answer stays whole");
    }

    fn repeated(status: u16, body: &str, form: &TokenRequest) -> String {
        let mut answer = HttpResponse { status, content_type: None, date: None, body: body.into() };
        mask_sent(&mut answer, form);
        String::from_utf8(answer.body).expect("UTF-8")
    }

    #[test]
    fn a_secret_of_the_header_is_masked_too() {
        let client = Client {
            id: "svc".into(),
            secret: Some(Secret::new("p&a ss")),
            authentication: ClientAuthentication::Basic,
        };
        let form = client.token_request(&Grant::ClientCredentials { scope: String::new() });
        let header = form.authorization.as_ref().expect("Basic").expose().to_owned();
        let told = repeated(401, &format!("no svc:p&a ss, p%26a+ss, {header}"), &form);
        assert_eq!(told, "no svc:***, ***, Basic ***");
    }
}
