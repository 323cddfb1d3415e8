//! URLs in a Bundle and in the manifest of a bulk export, replaced in the text: not one other byte changes.

use std::borrow::Cow;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// How deep Bundles in Bundles are rewritten: the responses in a batch.
const MAX_DEPTH: u32 = 4;

/// What the beginning of a document tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A resource that is not a Bundle, or no JSON object.
    Other,
    /// A Bundle, by its first member.
    Bundle,
    /// It takes more to tell.
    Unknown,
}

/// Returns the shape of a document whose beginning this is.
pub fn shape(beginning: &[u8]) -> Shape {
    let Some(rest) = after(beginning, b"{") else {
        return if beginning.trim_ascii_start().is_empty() { Shape::Unknown } else { Shape::Other };
    };
    let value = after(rest, b"\"resourceType\"")
        .and_then(|rest| after(rest, b":"))
        .and_then(|rest| after(rest, b"\""));
    let Some(value) = value else { return Shape::Unknown };
    match value.iter().position(|byte| *byte == b'"') {
        Some(end) if value[..end] == *b"Bundle" => Shape::Bundle,
        Some(end) if value[..end].iter().all(u8::is_ascii_alphanumeric) => Shape::Other,
        _ => Shape::Unknown,
    }
}

/// What follows a word, which may follow whitespace.
fn after<'a>(bytes: &'a [u8], word: &[u8]) -> Option<&'a [u8]> {
    bytes.trim_ascii_start().strip_prefix(word)
}

/// Rewrites the URLs in a Bundle or a manifest; `None` if it is neither, or nothing changes.
pub fn rewrite(document: &[u8], rewrite_url: impl Fn(&str) -> Option<String>) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(document).ok()?;
    let mut found = Found { text, rewrite_url: &rewrite_url, edits: Vec::new() };
    let members = Object::parse(text)?;
    if members.is_bundle() {
        found.bundle(&members, MAX_DEPTH);
    } else if members.is_manifest() {
        found.manifest(&members);
    }
    found.apply()
}

/// The members of an object, in their order; a name can be repeated.
struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Object<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        text.trim_ascii_start().starts_with('{').then(|| serde_json::from_str(text).ok())?
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &'a RawValue> {
        self.0.iter().filter(move |(other, _)| other == name).map(|(_, value)| *value)
    }

    /// The elements of all arrays of this name that are objects.
    fn elements(&self, name: &str) -> impl Iterator<Item = Object<'a>> {
        let arrays =
            self.all(name).filter_map(|value| serde_json::from_str::<Vec<&RawValue>>(value.get()).ok());
        arrays.flatten().filter_map(|element| Object::parse(element.get()))
    }

    fn objects(&self, name: &str) -> impl Iterator<Item = Object<'a>> {
        self.all(name).filter_map(|value| Object::parse(value.get()))
    }

    fn is_bundle(&self) -> bool {
        self.all("resourceType").any(|value| string(value).as_deref() == Some("Bundle"))
    }

    fn is_manifest(&self) -> bool {
        let is_array = |name| self.all(name).any(|value| value.get().starts_with('['));
        self.all("transactionTime").next().is_some()
            && is_array("output")
            && self.all("resourceType").next().is_none()
    }
}

fn string(value: &RawValue) -> Option<Cow<'_, str>> {
    // Borrowed where it has no escapes.
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    value.get().starts_with('"').then(|| serde_json::from_str::<Text>(value.get()).ok().map(|text| text.0))?
}

/// The URLs to replace.
struct Found<'a> {
    text: &'a str,
    rewrite_url: &'a dyn Fn(&str) -> Option<String>,
    /// Where a JSON string begins and ends, and the new one.
    edits: Vec<(usize, usize, String)>,
}

impl<'a> Found<'a> {
    fn bundle(&mut self, bundle: &Object<'a>, depth: u32) {
        self.links(bundle);
        for entry in bundle.elements("entry") {
            self.urls(&entry, "fullUrl");
            self.links(&entry);
            entry.objects("request").for_each(|request| self.urls(&request, "url"));
            entry.objects("response").for_each(|response| self.urls(&response, "location"));
            if depth > 0 {
                let resources = entry.objects("resource").filter(Object::is_bundle);
                resources.for_each(|resource| self.bundle(&resource, depth - 1));
            }
        }
    }

    /// Files that need no token are fetched from where they are: some file stores reject requests that bring one.
    fn manifest(&mut self, manifest: &Object<'a>) {
        self.urls(manifest, "request");
        self.links(manifest);
        if manifest.all("requiresAccessToken").any(|value| value.get() == "false") {
            return;
        }
        for section in ["output", "error", "deleted"] {
            manifest.elements(section).for_each(|file| self.urls(&file, "url"));
        }
    }

    fn links(&mut self, object: &Object<'a>) {
        object.elements("link").for_each(|link| self.urls(&link, "url"));
    }

    fn urls(&mut self, object: &Object<'a>, name: &str) {
        for value in object.all(name) {
            let Some(url) = string(value).and_then(|url| (self.rewrite_url)(&url)) else { continue };
            let start = value.get().as_ptr().addr() - self.text.as_ptr().addr();
            let url = serde_json::Value::String(url).to_string();
            self.edits.push((start, start + value.get().len(), url));
        }
    }

    fn apply(mut self) -> Option<Vec<u8>> {
        self.edits.sort_unstable();
        let added: usize = self.edits.iter().map(|(.., url)| url.len()).sum();
        let mut result = Vec::with_capacity(self.text.len() + added);
        let mut done = 0;
        for (start, end, url) in &self.edits {
            result.extend_from_slice(self.text.get(done..*start)?.as_bytes());
            result.extend_from_slice(url.as_bytes());
            done = *end;
        }
        result.extend_from_slice(self.text.get(done..)?.as_bytes());
        (!self.edits.is_empty()).then_some(result)
    }
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Pieces)
    }
}

struct Pieces;

impl<'de> Visitor<'de> for Pieces {
    type Value = Object<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
        #[derive(Deserialize)]
        struct Name<'a>(#[serde(borrow)] Cow<'a, str>);
        let mut members = Vec::new();
        while let Some((Name(name), value)) = map.next_entry()? {
            members.push((name, value));
        }
        Ok(Object(members))
    }
}

#[cfg(test)]
mod tests;
