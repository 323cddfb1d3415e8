//! An address on its way from a browser's address bar to a prompt: what terminals, shells and mail clients do to
//! it, undone. Each undoing is tried in turn, and the judge (who knows the state) says which one was meant.

use std::borrow::Cow;

use super::authorize::{Reply, code_reply};

/// Longer input is not looked at: no address is that long.
const LONGEST: usize = 64 * 1024;
/// Names that an answer's query begins with; their presence tells a query from a code.
const MARKS: [&str; 3] = ["code=", "state=", "error="];

/// Judges pasted text by its query, read in each way in which it may have been meant; without any query, it is
/// the code itself. The first way that yields an answer wins, else the most telling refusal.
pub(super) fn judge(text: &str, judge_query: impl Fn(&str) -> Reply) -> Reply {
    if text.len() > LONGEST {
        return Reply::Unusable("it is too long for an address");
    }
    let one = joined(text);
    if one.is_empty() {
        return Reply::Unusable("it is empty");
    }
    if !looks_like_address(&one) {
        return bare_code(text, &one);
    }
    // All of it as one address, else the word in a sentence that is one.
    let words = text.split_whitespace().map(joined).filter(|word| *word != one && looks_like_address(word));
    let mut refusal = Reply::Unusable("it carries neither a code nor an error");
    for text in std::iter::once(one.clone()).chain(words) {
        for reading in readings(&text) {
            if let Some(reply) = judge_reading(&reading, &judge_query, &mut refusal) {
                return reply;
            }
        }
    }
    refusal
}

/// The first answer among a reading's queries; what is refused is remembered, the most telling refusal first.
fn judge_reading(text: &str, judge: impl Fn(&str) -> Reply, refusal: &mut Reply) -> Option<Reply> {
    for query in queries(text) {
        match judge(query) {
            reply @ (Reply::Code(_) | Reply::Denied { .. }) => return Some(reply),
            reply if rank(&reply) > rank(refusal) => *refusal = reply,
            _ => {}
        }
    }
    None
}

/// Which refusal tells the person most.
fn rank(reply: &Reply) -> u8 {
    match reply {
        Reply::WrongIssuer(_) => 3,
        Reply::WrongState => 2,
        Reply::Unusable(reason) => u8::from(!reason.contains("neither")),
        Reply::Code(_) | Reply::Denied { .. } => 4,
    }
}

/// The text on one line, without what never belongs to it: line breaks and spaces, a mail's `>` at the beginning
/// of lines, a terminal's paste brackets, quotes and angle brackets around it, a shell's backslashes.
fn joined(text: &str) -> String {
    let text = text.replace("\u{1b}[200~", "").replace("\u{1b}[201~", "");
    let lines = text.lines().map(|line| line.trim_start_matches(|c: char| c == '>' || c.is_whitespace()));
    let one: String = lines
        .flat_map(str::chars)
        .filter(|c| !c.is_whitespace() && !c.is_control() && *c != '\\' && !is_invisible(*c))
        .collect();
    one.trim_matches(|c| "\"'`<>()[]“”‘’«»,;".contains(c)).to_owned()
}

/// Zero-width characters that rich text brings along.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

fn looks_like_address(text: &str) -> bool {
    text.contains("://") || text.starts_with('?') || MARKS.iter().any(|mark| text.contains(mark)) ||
        // As part of another address, or through a link checker: `code%3D`.
        MARKS.iter().any(|mark| text.to_ascii_lowercase().contains(&mark.replace('=', "%3d")))
}

/// A code alone, percent-decoded when it was copied out of an address.
fn bare_code(pasted: &str, text: &str) -> Reply {
    let is_prose = pasted.split_whitespace().count() > 1 && pasted.trim().lines().count() == 1;
    if is_prose || text.contains(['&', '?', '#', '<', '>', '"']) || text.starts_with("localhost") {
        return Reply::Unusable("it is neither an address nor a code");
    }
    let code = percent_decoded(text).unwrap_or_else(|| text.to_owned());
    code_reply(code)
}

/// The ways in which the text may have been meant, the most literal first.
fn readings(text: &str) -> Vec<Cow<'_, str>> {
    let mut readings = vec![Cow::Borrowed(text)];
    let unescaped = text.replace("&amp;", "&").replace("&#38;", "&").replace("&#x26;", "&");
    if unescaped != text {
        readings.insert(0, Cow::Owned(unescaped));
    }
    // Quoted-printable, as mail carries it: `=3D` for `=`, and `=` at the end of a line.
    if text.contains("=3D") {
        readings.push(Cow::Owned(text.replace("=3D", "\0").replace('=', "").replace('\0', "=")));
    }
    // The whole address inside another one's parameter, where it is percent-encoded once more.
    if let Some(decoded) = percent_decoded(text).filter(|decoded| decoded != text) {
        readings.push(Cow::Owned(decoded));
    }
    readings
}

/// What may be the query: behind the last `?` and each `#`, or the text itself when it begins like one.
fn queries(text: &str) -> impl Iterator<Item = &str> {
    let behind = |at: Option<usize>| at.map(|at| &text[at + 1..]);
    let start = MARKS.iter().filter_map(|mark| text.find(mark)).min().map(|at| &text[at..]);
    let candidates = [behind(text.rfind('?')), behind(text.find('?')), behind(text.find('#')), start];
    candidates.into_iter().flatten().flat_map(|query| {
        // Behind a `#`: the fragment that some login pages add to every address (`#_=_`), not a parameter.
        let before = query.split('#').next().unwrap_or(query);
        [before.split("HTTP/1.").next().unwrap_or(before), query]
    })
}

/// The text with each `%XX` decoded, where all of them are well-formed and the result is text.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = rest.get(2..)?;
    }
    String::from_utf8(bytes).ok()
}
