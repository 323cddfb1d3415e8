//! The response of a token endpoint.

use serde_json::{Map, Value};

use super::{NOW, assert_presentable, dev_portal};
use crate::cli::TokenFormat;
use crate::http::HttpResponse;
use crate::http::redact::Redactor;
use crate::oauth::grant::Grant;
use crate::oauth::secret::Secret;
use crate::oauth::token::Token;
use crate::oauth::token_response;
use crate::output::secret_format::render;
use crate::session::token_error;
use crate::store::{self, StoredCredentials};

const STATUSES: [u16; 8] = [200, 201, 200, 400, 401, 403, 404, 500];

/// The first byte chooses the status; the rest is the body.
pub fn token_response(bytes: &[u8]) {
    let Some((first, body)) = bytes.split_first() else { return };
    let status = STATUSES[usize::from(*first) % STATUSES.len()];
    match token_response::parse_response(status, body, NOW) {
        Ok(token) => {
            assert!((200..300).contains(&status));
            as_the_server_said(&token, body);
            never_lives_longer(&token);
            survives_the_store(&token);
            fits_every_format(&token);
        }
        Err(rejection) => {
            let response = HttpResponse {
                status,
                content_type: None,
                date: None,
                body: body.to_vec(),
                redactor: Redactor::default(),
            };
            let grant = Grant::ClientCredentials { scope: String::new() };
            let valid = !matches!(rejection, token_response::TokenError::Invalid(_));
            let error = token_error::into_error(&dev_portal(), &grant, None, &rejection, &response, NOW);
            assert_eq!(error.kind().exit().code(), if valid { 4 } else { 3 });
            assert_presentable(&error);
        }
    }
}

fn as_the_server_said(token: &Token, body: &[u8]) {
    let members: Map<String, Value> = serde_json::from_slice(body).expect("an object");
    assert!(members.get("error").and_then(Value::as_str).is_none_or(str::is_empty));
    assert_eq!(members["access_token"], token.access_token.expose());
    assert!(members["token_type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("Bearer")));
    let refresh = token.refresh_token.as_ref().map(Secret::expose);
    assert_eq!(refresh, members.get("refresh_token").and_then(Value::as_str).filter(|text| !text.is_empty()));
    for (name, value) in &token.launch_context {
        assert_eq!(&members[name], value);
        assert!(!name.contains("token"), "{name} is no launch context");
    }
}

fn never_lives_longer(token: &Token) {
    assert_eq!(token.lifetime.issued_at, NOW);
    assert_eq!(token.lifetime.remaining(NOW), token.lifetime.expires_in);
    assert!(token.lifetime.expires_in.is_none_or(|lifetime| lifetime <= 100 * 366 * 86_400));
    assert!(!token.lifetime.is_fresh(token.lifetime.expires_at().unwrap_or(NOW + 300), Some(0)));
    assert!(!token.lifetime.is_fresh(NOW - 60, Some(0)), "issued in the future");
}

fn survives_the_store(token: &Token) {
    let item = StoredCredentials {
        client_secret: Some(Secret::new("s3cr3t")),
        token: Some(token.clone()),
        ..StoredCredentials::default()
    };
    let binding = store::Binding::default();
    let bytes = store::encode(&binding, &item).expect("it encodes");
    assert_eq!(store::decode(&bytes, &binding, "here", "repair").expect("it decodes"), Some(item));
}

/// One line each, and the token in it alone: it can end neither the line, nor the quotes around it.
fn fits_every_format(token: &Token) {
    let text = token.access_token.expose();
    let shown = |format| render(token, None, format, NOW);
    assert_eq!(shown(TokenFormat::Raw).strip_suffix('\n'), Some(text));
    for format in [
        TokenFormat::Header,
        TokenFormat::Env,
        TokenFormat::Export,
        TokenFormat::Fish,
        TokenFormat::PowerShell,
        TokenFormat::Github,
        TokenFormat::Azure,
    ] {
        let line = shown(format);
        assert_eq!(line.find(char::is_control), Some(line.len() - 1));
    }
    assert!(!text.contains(['\'', '"', '$', '`', '\\', '%', ';', ' ']));
    let quoted = shown(TokenFormat::Export);
    let quoted =
        quoted.trim_end().strip_prefix("export ONEUP_TOKEN='").and_then(|rest| rest.strip_suffix('\''));
    assert_eq!(quoted.expect("in quotes").replace(r"'\''", "'"), text);
    let json: Value = serde_json::from_str(&shown(TokenFormat::Json)).expect("JSON");
    assert_eq!(json["access_token"], text);
}
