//! Masks the secrets of a request in text that a server sent, however the server spelled them.
//!
//! Text is redacted where it is printed, after decoding and before it is cut. Each position of the text is read in every
//! way in which it can be decoded (as is, percent- and form-encoded, JSON escapes, HTML entities), so that mixed and
//! repeated encodings match too. Parts of a secret are masked like the whole.

mod decode;

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use url::form_urlencoded;
use zeroize::Zeroizing;

use crate::oauth::grant::TokenRequest;
use crate::oauth::secret::Secret;
use decode::{Readings, decode_at};

/// The replacement for a secret.
pub const MASK: &str = "***";

/// Form fields whose values are not secret; all others are, so that a new field is safe by default.
pub const PUBLIC_FIELDS: [&str; 6] =
    ["grant_type", "client_id", "client_assertion_type", "scope", "redirect_uri", "token_type_hint"];

/// The shortest secret that is masked, in characters: masking less would garble every message.
const MIN_SECRET_LEN: usize = 4;

/// The longest part of a secret that may remain, in characters: parts of this length are ordinary words too.
const MAX_VISIBLE_PART_LEN: usize = 7;

/// The longest text that is redacted, in bytes. What follows is cut off.
const MAX_TEXT_LEN: usize = 16 * 1024;

/// The longest prefix of a secret in which parts are looked for, in characters.
const MAX_INDEXED_LEN: usize = 16 * 1024;

/// How many characters are compared for one text. Text that takes more, as made to, is masked whole.
const MAX_STEPS: usize = 1 << 18;

/// How many places of a secret a part is compared with, where the part's first characters occur more than once.
const MAX_STARTS: usize = 32;

/// The secrets of one request.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    /// A form; the fields that are not public are secret.
    body: Option<Secret>,
    /// The value of the Authorization header.
    authorization: Option<Secret>,
}

impl Redactor {
    /// A redactor of what is secret in this request.
    pub fn for_form(form: &TokenRequest) -> Self {
        Self { body: Some(form.body.clone()), authorization: form.authorization.clone() }
    }

    /// Whether the request had any.
    pub fn has_secrets(&self) -> bool {
        self.body.is_some() || self.authorization.is_some()
    }

    /// Returns `text` with every secret, and every part of one that is long enough to tell, replaced by [`MASK`].
    pub fn redact(&self, text: &str) -> String {
        self.redact_from(text, MAX_VISIBLE_PART_LEN + 1)
    }

    /// Returns `text` with every whole secret replaced by [`MASK`]: for values that are kept, which must not change
    /// because they have a word in common with a secret.
    pub fn redact_whole(&self, text: &str) -> String {
        self.redact_from(text, usize::MAX)
    }

    fn redact_from(&self, text: &str, min_part_len: usize) -> String {
        let text = &text[..floor_char_boundary(text, MAX_TEXT_LEN)];
        let secrets = self.secrets();
        if secrets.is_empty() {
            return text.to_owned();
        }
        let decoded: Vec<_> = (0..text.len())
            .map(|at| if text.is_char_boundary(at) { decode_at(text, at) } else { Vec::new() })
            .collect();
        let mut masked = vec![false; text.len()];
        let mut steps = MAX_STEPS;
        for secret in secrets.iter().flat_map(|secret| needles(secret)) {
            mark(&decoded, &secret, min_part_len.min(secret.len()), &mut masked, &mut steps);
            if steps == 0 {
                return MASK.to_owned();
            }
        }
        apply(text, &masked)
    }

    /// Returns a JSON value with every string and member name redacted.
    pub fn redact_json(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.redact(&text)),
            Value::Array(items) => items.into_iter().map(|item| self.redact_json(item)).collect(),
            Value::Object(members) => Value::Object(self.redact_members(members)),
            other => other,
        }
    }

    /// The same for an object's members.
    pub fn redact_members(&self, members: Map<String, Value>) -> Map<String, Value> {
        members.into_iter().map(|(name, value)| (self.redact(&name), self.redact_json(value))).collect()
    }

    fn secrets(&self) -> Vec<Zeroizing<String>> {
        let mut secrets = Vec::new();
        if let Some(body) = &self.body {
            let fields = form_urlencoded::parse(body.expose().as_bytes());
            let values = fields.filter(|(name, _)| !PUBLIC_FIELDS.contains(&&**name));
            secrets.extend(values.map(|(_, value)| Zeroizing::new(value.into_owned())));
        }
        if let Some(header) = &self.authorization {
            let value = header.expose();
            let credentials = value.split_once(' ').map_or(value, |(_, credentials)| credentials);
            secrets.push(Zeroizing::new(credentials.to_owned()));
            secrets.extend(basic_password(credentials));
        }
        secrets.retain(|secret| secret.chars().count() >= MIN_SECRET_LEN);
        secrets
    }
}

/// Returns the password of HTTP Basic credentials, form-decoded (RFC 6749 §2.3.1).
fn basic_password(credentials: &str) -> Option<Zeroizing<String>> {
    let pair = Zeroizing::new(STANDARD_NO_PAD.decode(credentials.trim_end_matches('=')).ok()?);
    let password = pair.splitn(2, |byte| *byte == b':').nth(1)?;
    // A name without a value decodes like any part of a form.
    let (name, _) = form_urlencoded::parse(password).next()?;
    Some(Zeroizing::new(name.into_owned()))
}

/// Returns the secret and what each base64 text that encodes it contains, whatever precedes and follows it there.
fn needles(secret: &str) -> Vec<Zeroizing<Vec<char>>> {
    let mut needles = vec![Zeroizing::new(secret.chars().collect::<Vec<_>>())];
    let mut form = Zeroizing::new(String::with_capacity(3 * secret.len()));
    form.extend(form_urlencoded::byte_serialize(secret.as_bytes()));
    let texts = if *form == secret { vec![secret] } else { vec![secret, form.as_str()] };
    for text in texts {
        for before in 0..3 {
            let mut bytes = Zeroizing::new(Vec::with_capacity(before + text.len()));
            bytes.resize(before, 0);
            bytes.extend_from_slice(text.as_bytes());
            for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
                let encoded = Zeroizing::new(engine.encode(&*bytes));
                // The characters at the ends encode bits of the neighbors too.
                let start = [0, 2, 3][before];
                let end = encoded.len() - usize::from(bytes.len() % 3 != 0);
                let needle: Vec<char> = encoded.get(start..end).unwrap_or_default().chars().collect();
                if needle.len() >= MIN_SECRET_LEN && needles.iter().all(|known| **known != needle) {
                    needles.push(Zeroizing::new(needle));
                }
            }
        }
    }
    needles
}

/// Marks every part of `needle` that has `min_len` characters or more.
fn mark(decoded: &[Readings], needle: &[char], min_len: usize, masked: &mut [bool], steps: &mut usize) {
    let mut starts: HashMap<[char; 2], Vec<usize>> = HashMap::new();
    for (start, pair) in needle.windows(2).take(MAX_INDEXED_LEN).enumerate() {
        let starts = starts.entry([pair[0], pair[1]]).or_default();
        if starts.len() < MAX_STARTS {
            starts.push(start);
        }
    }
    let mut done = 0;
    for at in 0..decoded.len() {
        if *steps == 0 {
            return;
        }
        let mut end = at;
        for (first, next) in &decoded[at] {
            for (second, _) in decoded.get(*next).into_iter().flatten() {
                for start in starts.get(&[*first, *second]).into_iter().flatten() {
                    let (count, after) = match_len(decoded, at, &needle[*start..], steps);
                    if count >= min_len {
                        end = end.max(after);
                    }
                }
            }
        }
        if end > done {
            masked[at.max(done)..end].fill(true);
            done = end;
        }
    }
}

/// Returns how many characters of `needle` the text at `at` spells, and where that ends.
fn match_len(decoded: &[Readings], at: usize, needle: &[char], steps: &mut usize) -> (usize, usize) {
    let mut positions = vec![at];
    for (count, wanted) in needle.iter().enumerate() {
        *steps = steps.saturating_sub(1);
        if *steps == 0 {
            return (count, positions.into_iter().max().unwrap_or(at));
        }
        let mut next: Vec<usize> = positions
            .iter()
            .filter_map(|position| decoded.get(*position))
            .flatten()
            .filter(|(c, _)| c == wanted)
            .map(|(_, end)| *end)
            .collect();
        if next.is_empty() {
            return (count, positions.into_iter().max().unwrap_or(at));
        }
        next.sort_unstable();
        next.dedup();
        positions = next;
    }
    (needle.len(), positions.into_iter().max().unwrap_or(at))
}

fn apply(text: &str, masked: &[bool]) -> String {
    let mut redacted = String::new();
    let mut in_mask = false;
    for (at, c) in text.char_indices() {
        if !masked[at] {
            redacted.push(c);
        } else if !in_mask {
            redacted.push_str(MASK);
        }
        in_mask = masked[at];
    }
    redacted
}

fn floor_char_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

#[cfg(test)]
mod tests;
