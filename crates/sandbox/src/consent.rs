//! The pages for the resource owner: consent, and errors. They load nothing from elsewhere.

use axum::http::StatusCode;
use axum::response::Response;

use super::grants::{AuthServer, AuthorizationRequest};
use super::{response, scope};

const STYLE: &str = include_str!("consent.css");

/// Asks the synthetic member for consent; the form with `ticket` is posted to `action`.
pub(crate) fn consent_page(request: &AuthorizationRequest, ticket: &str, action: &str) -> Response {
    let descriptions: Vec<String> = request.scope.split_whitespace().map(scope::describe).collect();
    let items: String = match descriptions.as_slice() {
        [] => "<li>See that you logged in</li>".to_owned(),
        items => items.iter().map(|text| format!("<li>{}</li>", escape(text))).collect(),
    };
    let origin = origin(&request.redirect_uri);
    let title = if request.server == AuthServer::Plan { "Demo Health Plan" } else { "Demo Gateway" };
    let body = format!(
        r#"<h1><span class="app">{client}</span> requests access to your health record</h1>
<section class="member" aria-label="Logged in as">
<span class="face" aria-hidden="true">JA</span>
<div><strong>John Allen</strong><br>Born October 19, 1950 · ZIP 02114<br>Member 123456789123</div>
</section>
<h2>If you allow it, this app can</h2>
<ul>{items}</ul>
<details><summary>Requested scope</summary><code>{scope}</code></details>
<form method="post" action="{action}">
<input type="hidden" name="ticket" value="{ticket}">
<button class="allow" name="decision" value="allow">Allow</button>
<button name="decision" value="deny">Deny</button>
</form>
<p class="next">Next, you return to <b>{origin}</b></p>"#,
        client = escape(&request.client),
        scope = escape(&request.scope),
        action = escape(action),
        origin = escape(&origin),
    );
    // Browsers apply `form-action` to the redirect after the form too.
    response::html(StatusCode::OK, frame(title, &body), &format!("'self' {origin}"))
}

/// Shows an error that must not be sent to the client.
pub(crate) fn error_page(title: &str, why: &str) -> Response {
    let body = format!("<h1>{}</h1>\n<p>{}</p>", escape(title), escape(why));
    response::html(StatusCode::BAD_REQUEST, frame("Demo Health Plan", &body), "'none'")
}

fn frame(title: &str, body: &str) -> String {
    format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<header><span class="mark" aria-hidden="true"></span>{title}</header>
{body}
</main>
<footer>oneup sandbox, on this machine only. John Allen and all data are synthetic.</footer>
</body>
</html>
"#
    )
}

fn origin(uri: &str) -> String {
    url::Url::parse(uri).map(|url| url.origin().ascii_serialization()).unwrap_or_default()
}

/// Text for HTML, attributes in double quotes included.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_markup() {
        assert_eq!(escape(r#"<a href="x">&"#), "&lt;a href=&quot;x&quot;&gt;&amp;");
    }

    #[test]
    fn origin_has_scheme_host_and_port() {
        assert_eq!(origin("http://localhost:8484/callback?x=1"), "http://localhost:8484");
        assert_eq!(origin("http://[::1]:1/"), "http://[::1]:1");
    }
}
