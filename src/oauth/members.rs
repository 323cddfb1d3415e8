//! A JSON object, and whether one of its members stands there twice: readers differ in which of the two they take.

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

/// The members of an object, the last of those with the same name.
pub struct Members {
    /// By name.
    pub all: Map<String, Value>,
    /// The name of one that was repeated.
    pub repeated: Option<String>,
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Read)
    }
}

struct Read;

impl<'de> Visitor<'de> for Read {
    type Value = Members;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Members { all: Map::new(), repeated: None };
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            if members.all.insert(name.clone(), value).is_some() {
                members.repeated = Some(name);
            }
        }
        Ok(members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_member_is_told() {
        let read = |text: &str| serde_json::from_str::<Members>(text).expect(text);
        assert_eq!(read(r#"{"a":1,"b":{"a":2,"a":3}}"#).repeated, None);
        let twice = read(r#"{"a":1,"b":2,"\u0061":3}"#);
        assert_eq!((twice.repeated.as_deref(), &twice.all["a"]), (Some("a"), &Value::from(3)));
        assert!(serde_json::from_str::<Members>("[]").is_err());
    }
}
