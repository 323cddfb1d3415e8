//! A redirect URL or code that a user pasted: wrapped lines are joined, quotes and brackets stripped, and a
//! percent-encoded URL is decoded once.

use super::authorization_response::{AuthorizationResponse, NO_CODE};

/// The longest input that is parsed, in bytes.
const MAX_PASTE_LEN: usize = 64 * 1024;

/// What tells a query from a code.
const PARAMETERS: [&str; 3] = ["code=", "state=", "error="];

/// Interprets pasted text: a URL by its query or fragment, anything else as the code itself. `parse_query` parses one
/// query. The most specific response wins, the first of several.
pub(super) fn interpret(
    text: &str,
    parse_query: impl Fn(&str) -> AuthorizationResponse,
) -> AuthorizationResponse {
    if text.len() > MAX_PASTE_LEN {
        return AuthorizationResponse::Invalid("it is too long for a URL");
    }
    let joined = join_lines(text);
    if joined.is_empty() {
        return AuthorizationResponse::Invalid("it is empty");
    }
    let decoded = percent_decode(&joined);
    let candidates: Vec<&str> = [Some(joined.as_str()), decoded.as_deref()]
        .into_iter()
        .flatten()
        .filter(|text| is_url_or_query(text))
        .collect();
    if candidates.is_empty() {
        return interpret_code(text, decoded.unwrap_or(joined));
    }
    let responses = candidates.into_iter().flat_map(queries).map(parse_query);
    let better = |best: AuthorizationResponse, other: AuthorizationResponse| {
        if other.specificity() > best.specificity() { other } else { best }
    };
    responses.fold(NO_CODE, better)
}

/// Returns the text on one line, without whitespace, a terminal's paste brackets, and quotes and brackets around it.
fn join_lines(text: &str) -> String {
    let text = text.replace("\u{1b}[200~", "").replace("\u{1b}[201~", "");
    let joined: String = text.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    joined.trim_matches(|c| "\"'`<>()[]“”‘’,;".contains(c)).replace("&amp;", "&")
}

fn is_url_or_query(text: &str) -> bool {
    text.contains("://") || text.starts_with('?') || PARAMETERS.iter().any(|name| text.contains(name))
}

fn interpret_code(pasted: &str, code: String) -> AuthorizationResponse {
    let is_prose = pasted.trim().contains(' ');
    if is_prose || code.contains(['&', '?', '#', '<', '>', '"']) || code.starts_with("localhost") {
        return AuthorizationResponse::Invalid("it is neither a URL nor a code");
    }
    AuthorizationResponse::from_code(code)
}

/// Returns what may be the query: after the last `?`, after the first `#`, or from the first parameter on; each up to
/// a fragment, which some login pages add (`#_=_`).
fn queries(text: &str) -> impl Iterator<Item = &str> {
    let after = |at: Option<usize>| at.map(|at| &text[at + 1..]);
    let first = PARAMETERS.iter().filter_map(|name| text.find(name)).min().map(|at| &text[at..]);
    let candidates = [after(text.rfind('?')), after(text.find('#')), first];
    candidates.into_iter().flatten().map(|query| query.split('#').next().unwrap_or(query))
}

/// Returns the text with each `%XX` decoded; `None` if nothing is encoded or the result is not UTF-8.
fn percent_decode(text: &str) -> Option<String> {
    // A form decoder reads `+` as a space; a code may contain it.
    let escaped = text.replace('+', "%2B");
    let decoded = percent_encoding::percent_decode_str(&escaped).decode_utf8().ok()?;
    (decoded != text).then(|| decoded.into_owned())
}
