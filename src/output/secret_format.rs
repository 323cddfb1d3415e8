//! Formats a token for shells, CI systems and programs. The only module that prints a secret.

use serde_json::json;

use crate::cli::TokenFormat;
use crate::oauth::token::Token;
use crate::output::time::rfc3339;
use crate::profile::Profile;

/// The variable that the shell formats set.
const VARIABLE: &str = "ONEUP_TOKEN";

/// Returns the token in a format, with its newline. For `github`, it is the mask only; the variable goes to
/// `$GITHUB_ENV`.
pub fn render(token: &Token, profile: Option<&Profile>, format: TokenFormat, now: i64) -> String {
    let text = token.access_token.expose();
    match format {
        TokenFormat::Raw => format!("{text}\n"),
        TokenFormat::Header => format!("Authorization: Bearer {text}\n"),
        TokenFormat::Json => json(token, profile, now),
        TokenFormat::Env => format!("{VARIABLE}={text}\n"),
        TokenFormat::Export => format!("export {VARIABLE}={}\n", quoted(text, r"'\''")),
        TokenFormat::Fish => format!("set -gx {VARIABLE} {}\n", quoted(&text.replace('\\', r"\\"), r"\'")),
        TokenFormat::PowerShell => format!("$env:{VARIABLE} = {}\n", quoted(text, "''")),
        TokenFormat::Github => format!("::add-mask::{text}\n"),
        TokenFormat::Azure => format!("##vso[task.setvariable variable={VARIABLE};issecret=true]{text}\n"),
    }
}

/// Returns the text in single quotes, and single quotes in it as the shell needs them.
fn quoted(text: &str, quote: &str) -> String {
    format!("'{}'", text.replace('\'', quote))
}

fn json(token: &Token, profile: Option<&Profile>, now: i64) -> String {
    let expires_on = token.lifetime.expires_at();
    let expires_at = expires_on.and_then(rfc3339);
    let view = json!({
        "access_token": token.access_token.expose(),
        "token_type": "Bearer",
        "expires_in": token.lifetime.remaining(now),
        "expires_at": expires_at,
        "expires_on": expires_on,
        "scope": token.scope,
        "profile": profile.map(|profile| &profile.name),
        "product": profile.map(|profile| profile.product.name()),
    });
    crate::output::json(&view)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::secret::Secret;
    use crate::oauth::token::Lifetime;

    fn shown(text: &str, format: TokenFormat) -> String {
        let lifetime = Lifetime { issued_at: 0, expires_in: Some(60) };
        let token = Token { scope: Some("a b".into()), ..Token::new(Secret::new(text), lifetime) };
        render(&token, None, format, 10)
    }

    #[test]
    fn each_format_quotes_for_its_consumer() {
        for (format, line) in [
            (TokenFormat::Raw, "a'b\\c\n"),
            (TokenFormat::Header, "Authorization: Bearer a'b\\c\n"),
            (TokenFormat::Env, "ONEUP_TOKEN=a'b\\c\n"),
            (TokenFormat::Export, "export ONEUP_TOKEN='a'\\''b\\c'\n"),
            (TokenFormat::Fish, "set -gx ONEUP_TOKEN 'a\\'b\\\\c'\n"),
            (TokenFormat::PowerShell, "$env:ONEUP_TOKEN = 'a''b\\c'\n"),
            (TokenFormat::Github, "::add-mask::a'b\\c\n"),
            (TokenFormat::Azure, "##vso[task.setvariable variable=ONEUP_TOKEN;issecret=true]a'b\\c\n"),
        ] {
            assert_eq!(shown(r"a'b\c", format), line);
        }
    }

    #[test]
    fn json_has_the_expiry_in_three_forms() {
        let json: serde_json::Value = serde_json::from_str(&shown("t", TokenFormat::Json)).expect("JSON");
        assert_eq!(json["expires_in"], 50);
        assert_eq!(json["expires_on"], 60);
        assert_eq!(json["expires_at"], "1970-01-01T00:01:00Z");
        assert_eq!(json["token_type"], "Bearer");
    }
}
