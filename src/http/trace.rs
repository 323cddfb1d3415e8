//! `--verbose`: each exchange on stderr, with every secret masked.

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::Value;
use url::form_urlencoded;

use super::HttpResponse;
use super::redact::{MASK, PUBLIC_FIELDS};
use crate::oauth::grant::TokenRequest;
use crate::text::sanitize;

/// The longest segment of a path that is shown whole: longer than any FHIR ID (64).
const MAX_SEGMENT_LEN: usize = 80;

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
        let shown = if PUBLIC_FIELDS.contains(&&*name) { sanitize(&value, 300) } else { MASK.into() };
        lines.push(format!(">   {name}={shown}"));
    }
    lines.join("\n")
}

/// Returns the request line of a streaming request, without the query.
pub fn bare_request(method: &str, url: &str) -> String {
    format!("> {method} {}", bare_path(url))
}

/// Returns a URL or a path for a message, without the query: it can contain patient data.
pub fn bare_path(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    // Some servers put a token into the path of a file.
    let segments =
        path.split('/').map(|segment| if segment.len() > MAX_SEGMENT_LEN { MASK } else { segment });
    sanitize(&segments.collect::<Vec<_>>().join("/"), 300)
}

/// Returns status and content type of a streamed response.
pub fn head(status: u16, headers: &HeaderMap) -> String {
    let kind = headers
        .get(CONTENT_TYPE)
        .map_or("no content type".into(), |kind| sanitize(&String::from_utf8_lossy(kind.as_bytes()), 80));
    format!("< HTTP {status}, {kind}")
}

/// Returns status, content type and size, and the members of a JSON body in response to a form.
pub fn response(response: &HttpResponse) -> String {
    let kind = response.redacted(response.content_type.as_deref().unwrap_or("no content type"), 80);
    let mut lines = vec![format!("< HTTP {}, {kind}, {} bytes", response.status, response.body.len())];
    if response.redactor.has_secrets()
        && let Ok(Value::Object(members)) = serde_json::from_slice(&response.body)
    {
        for (name, value) in &members {
            let shown = if SHOWN_MEMBERS.contains(&name.as_str()) {
                response.redacted(&value.to_string(), 300)
            } else {
                MASK.into()
            };
            lines.push(format!("<   {}: {shown}", response.redacted(name, 80)));
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::redact::Redactor;
    use crate::oauth::grant::{Client, ClientAuthentication, Grant};
    use crate::oauth::secret::Secret;

    fn form() -> TokenRequest {
        Client {
            id: "svc".into(),
            secret: Some(Secret::new("p&a\"ss")),
            authentication: ClientAuthentication::Post,
            signer: None,
        }
        .token_request(&Grant::RefreshToken { token: Secret::new("r3fresh"), scope: String::new() }, 0)
        .expect("a form")
    }

    #[test]
    fn shows_names_and_masks_values() {
        assert_eq!(
            request("POST", "https://a.example/token", Some(&form())),
            "> POST https://a.example/token\n>   grant_type=refresh_token\n>   refresh_token=***\n\
             >   client_id=svc\n>   client_secret=***"
        );
        let body = br#"{"access_token":"t0ken","expires_in":60,"patient":"p1"}"#.to_vec();
        let redactor = Redactor::for_form(&form());
        let shown = response(&HttpResponse { status: 200, content_type: None, date: None, body, redactor });
        assert_eq!(
            shown,
            "< HTTP 200, no content type, 55 bytes\n<   access_token: ***\n<   expires_in: 60\n<   patient: ***"
        );
    }
}
