//! A profile's file.

use std::path::Path;

use super::assert_presentable;
use crate::profile::{SCHEMA, parse};

/// The text of the file.
pub fn profile(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let path = Path::new("provider.toml");
    match parse("provider", path, text) {
        Ok(profile) => {
            assert!(profile.schema <= SCHEMA, "a newer layout is rejected");
            assert!(profile.id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "it is used as a file name");
            let written = toml::to_string(&profile).expect("serializable");
            assert_eq!(parse("provider", path, &written).expect("parsable"), profile);
        }
        Err(error) => {
            assert_presentable(&error);
            assert!(error.to_string().contains("provider.toml"), "{error}");
        }
    }
}
