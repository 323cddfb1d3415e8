//! The pages that a person sees at the plan: consent, and what went wrong. They load nothing from elsewhere.

use axum::http::StatusCode;
use axum::response::Response;

use super::grants::{Ask, Server};
use super::{response, scope};

const STYLE: &str = include_str!("consent.css");

/// Asks the synthetic member for consent.
pub(crate) fn consent(ask: &Ask, ticket: &str, action: &str) -> Response {
    let words: Vec<String> = ask.scope.split_whitespace().map(scope::in_words).collect();
    let items: String = match words.as_slice() {
        [] => "<li>Know that you logged in</li>".to_owned(),
        words => words.iter().map(|words| format!("<li>{}</li>", escape(words))).collect(),
    };
    let place = origin(&ask.redirect_uri);
    let title = if ask.server == Server::Plan { "Demo Health Plan" } else { "Demo Gateway" };
    let body = format!(
        r#"<h1><span class="app">{client}</span> asks to see your health record</h1>
<section class="member" aria-label="Logged in as">
<span class="face" aria-hidden="true">JA</span>
<div><strong>John Allen</strong><br>Born October 19, 1950 · ZIP 02114<br>Member 123456789123</div>
</section>
<h2>If you allow it, this app can</h2>
<ul>{items}</ul>
<details><summary>As the app asked for it</summary><code>{scope}</code></details>
<form method="post" action="{action}">
<input type="hidden" name="ticket" value="{ticket}">
<button class="allow" name="decision" value="allow">Allow</button>
<button name="decision" value="deny">Deny</button>
</form>
<p class="next">Then you go back to <b>{place}</b></p>"#,
        client = escape(&ask.client),
        scope = escape(&ask.scope),
        action = escape(action),
        place = escape(&place),
    );
    // Browsers hold the redirect that follows the form to this rule too.
    response::html(StatusCode::OK, frame(title, &body), &format!("'self' {place}"))
}

/// Says to the person what can't be said to the app.
pub(crate) fn refusal(title: &str, why: &str) -> Response {
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
<footer>oneup sandbox, on this machine only. John Allen is made up, and so is all of his data.</footer>
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
    fn markup_is_shown_and_not_obeyed() {
        assert_eq!(escape(r#"<a href="x">&"#), "&lt;a href=&quot;x&quot;&gt;&amp;");
    }

    #[test]
    fn the_person_sees_where_they_go_next() {
        assert_eq!(origin("http://localhost:8484/callback?x=1"), "http://localhost:8484");
        assert_eq!(origin("http://[::1]:1/"), "http://[::1]:1");
    }
}
