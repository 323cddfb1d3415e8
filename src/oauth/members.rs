//! A JSON object and the names of its repeated members: parsers differ in which one they take.

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

/// The members of an object.
pub struct Members {
    /// By name; of repeated members, the last.
    pub all: Map<String, Value>,
    /// The names that appear more than once, each once.
    pub repeated: Vec<String>,
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Members { all: Map::new(), repeated: Vec::new() };
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            if members.all.insert(name.clone(), value).is_some() && !members.repeated.contains(&name) {
                members.repeated.push(name);
            }
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_repeated_members() {
        let parse = |text: &str| serde_json::from_str::<Members>(text).expect(text);
        assert!(parse(r#"{"a":1,"b":{"a":2,"a":3}}"#).repeated.is_empty());
        let repeated = parse(r#"{"a":1,"b":2,"\u0061":3,"a":4}"#);
        assert_eq!((repeated.repeated, &repeated.all["a"]), (vec!["a".to_owned()], &Value::from(4)));
        assert!(serde_json::from_str::<Members>("[]").is_err());
    }
}
