//! Stored credentials, as a store may return them.

use crate::store::{Binding, decode, encode};

/// Decodes stored credentials.
pub fn credentials(bytes: &[u8]) {
    let binding = Binding::default();
    match decode(bytes, &binding, "here", "repair") {
        // Those of another login.
        Ok(None) => {}
        Ok(Some(credentials)) => {
            let encoded = encode(&binding, &credentials).expect("encodable");
            let decoded =
                decode(&encoded, &binding, "here", "repair").expect("decodable").expect("the same login");
            assert_eq!(decoded, credentials);
            assert_eq!(*encode(&binding, &decoded).expect("encodable"), *encoded);
        }
        Err(error) => {
            assert_eq!(error.kind().exit().code(), 6);
            assert_is_free_of_input(&error.to_string());
        }
    }
}

/// An error says where and not what: the only part that depends on the input are numbers.
fn assert_is_free_of_input(text: &str) {
    let without_digits: String = text.chars().filter(|c| !c.is_ascii_digit()).collect();
    let expected = [
        "here does not contain valid credentials\n  parse error at line , column \nhint: repair",
        "here was written by another version of oneup\n  its schema is ; this version supports \n\
         hint: update oneup, or log in again under another --profile",
    ];
    assert!(expected.contains(&without_digits.as_str()), "{text}");
}
