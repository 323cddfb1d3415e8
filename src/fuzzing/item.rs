//! What stands in a credential store under a profile's id.

use crate::store::{decode, encode};

/// The bytes of the item.
pub fn item(bytes: &[u8]) {
    match decode(bytes, "here", "repair") {
        Ok(item) => {
            let again = encode(&item).expect("it encodes");
            assert_eq!(decode(&again, "here", "repair").expect("it decodes"), item);
            assert_eq!(*encode(&item).expect("it encodes"), *again);
        }
        Err(error) => {
            assert_eq!(error.kind().exit().code(), 6);
            nothing_leaks(&error.to_string());
        }
    }
}

/// An error says where and not what: its only foreign part are numbers.
fn nothing_leaks(text: &str) {
    let numberless: String = text.chars().filter(|c| !c.is_ascii_digit()).collect();
    let known = [
        "here does not contain valid credentials\n  parse error at line , column \nhint: repair",
        "here was written by another version of oneup\n  its schema is ; this version supports \n\
         hint: update oneup, or log in again under another --profile",
    ];
    assert!(known.contains(&numberless.as_str()), "{text}");
}
