use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// Rewrites URLs of `https://own/`.
fn to_public(url: &str) -> Option<String> {
    url.strip_prefix("https://own/").map(|path| format!("http://proxy/{path}"))
}

fn rewritten(document: &str) -> String {
    rewrite(document.as_bytes(), to_public)
        .map_or_else(|| "unchanged".into(), |bytes| String::from_utf8(bytes).expect("UTF-8"))
}

#[test]
fn urls_of_a_bundle_change_and_no_other_byte() {
    let bundle = r#" { "type" :"searchset", "total": 1.50e1, "resourceType":"Bundle",
        "link":[{"relation":"next","url":"https:\/\/own\/p?a=\u00e9&b=\"c"},{"url":"https://other/"}],
        "entry":[{"fullUrl":"https://own/Patient/1","link":[{"url":"https://own/l"}],
          "resource":{"resourceType":"Patient","url":"https://own/x","link":[{"url":"https://own/y"}]},
          "request":{"method":"GET","url":"https://own/r"},"response":{"location":"https://own/h"}},
          {"resource":{"resourceType":"Bundle","link":[{"url":"https://own/n"}]}}, null, 3],
        "text":"https://own/text", "extension":[{"url":"https://own/e"}] }
"#;
    let expected = r#" { "type" :"searchset", "total": 1.50e1, "resourceType":"Bundle",
        "link":[{"relation":"next","url":"http://proxy/p?a=é&b=\"c"},{"url":"https://other/"}],
        "entry":[{"fullUrl":"http://proxy/Patient/1","link":[{"url":"http://proxy/l"}],
          "resource":{"resourceType":"Patient","url":"https://own/x","link":[{"url":"https://own/y"}]},
          "request":{"method":"GET","url":"http://proxy/r"},"response":{"location":"http://proxy/h"}},
          {"resource":{"resourceType":"Bundle","link":[{"url":"http://proxy/n"}]}}, null, 3],
        "text":"https://own/text", "extension":[{"url":"https://own/e"}] }
"#;
    assert_eq!(rewritten(bundle), expected);
}

#[test]
fn urls_of_a_manifest_change_unless_its_files_need_no_token() {
    let manifest = |needs: &str, host: &str| {
        format!(
            r#"{{"transactionTime":"2026-01-01T00:00:00Z","request":"http://proxy/$export"{needs},"output":[{{"type":"Patient","url":"{host}/1"}}],"error":[{{"url":"{host}/2"}}],"deleted":[{{"url":"{host}/3"}}],"extension":{{"url":"https://own/4"}}}}"#
        )
    };
    let original = |needs| manifest(needs, "https://own").replace("http://proxy/$", "https://own/$");
    for needs in ["", r#","requiresAccessToken":true"#] {
        assert_eq!(rewritten(&original(needs)), manifest(needs, "http://proxy"));
    }
    let needs = r#","requiresAccessToken" : false"#;
    assert_eq!(rewritten(&original(needs)), manifest(needs, "https://own"));
}

#[test]
fn other_documents_stay_as_they_are() {
    for document in [
        r#"{"resourceType":"Patient","link":[{"url":"https://own/1"}]}"#,
        r#"{"resourceType":"Bundle","link":[{"url":"https://other/1"}]}"#,
        r#"{"resourceType":"Bundle","link":{"url":"https://own/1"},"entry":"https://own/"}"#,
        r#"[{"resourceType":"Bundle","link":[{"url":"https://own/1"}]}]"#,
        r#"{"resourceType":"Bundle","link":[{"url":"https://own/1"}]"#,
        r#"{"resourceType":"Bundle","link":[{"url":"https://own/1"}]}{}"#,
        r#"{"transactionTime":"x","output":{"url":"https://own/1"}}"#,
        r#"{"output":[{"url":"https://own/1"}]}"#,
        r#"{"resourceType":"Parameters","transactionTime":"x","output":[{"url":"https://own/1"}]}"#,
        "",
        "\u{feff}{}",
        "https://own/1",
    ] {
        assert_eq!(rewritten(document), "unchanged", "{document}");
    }
    assert!(rewrite(b"{\"resourceType\":\"Bundle\",\"x\":\"\xff\"}", to_public).is_none());
    let deep =
        format!("{{\"resourceType\":\"Bundle\",\"x\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(rewritten(&deep), "unchanged");
}

#[test]
fn repeated_members_are_all_rewritten() {
    assert_eq!(
        rewritten(
            r#"{"resourceType":"Bundle","link":[{"url":"https://own/1","url":"https://own/2"}],"link":[{"url":"https://own/3"}]}"#
        ),
        r#"{"resourceType":"Bundle","link":[{"url":"http://proxy/1","url":"http://proxy/2"}],"link":[{"url":"http://proxy/3"}]}"#
    );
}

#[test]
fn beginning_tells_the_shape_of_a_resource() {
    for (beginning, expected) in [
        ("", Shape::Unknown),
        (" \n", Shape::Unknown),
        ("[1", Shape::Other),
        ("<html>", Shape::Other),
        ("{", Shape::Unknown),
        ("{ \"resourceType\" : \"Bund", Shape::Unknown),
        ("{ \"resourceType\" : \"Bundle\"", Shape::Bundle),
        ("{\"resourceType\":\"Patient\",", Shape::Other),
        ("{\"resourceType\":\"\\u0042undle\",", Shape::Unknown),
        ("{\"resourceType\":1", Shape::Unknown),
        ("{\"id\":\"1\",\"resourceType\":\"Patient\"", Shape::Unknown),
    ] {
        assert_eq!(shape(beginning.as_bytes()), expected, "{beginning}");
    }
}

/// A JSON text with odd whitespace, order, numbers and strings.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("\"https://own/a\"".to_owned()),
        Just("\"https:\\/\\/own\\/\\u0061\"".to_owned()),
        Just("\"https://other/a\"".to_owned()),
        Just("\"Bundle\"".to_owned()),
        "-?(0|[1-9][0-9]{0,3})(\\.[0-9]{1,3})?([eE][+-]?[0-9])?",
        "\"[a-z\u{e9}\u{1f600} ]{0,6}\"",
    ];
    let name = prop_oneof![
        Just("resourceType"),
        Just("link"),
        Just("url"),
        Just("entry"),
        Just("fullUrl"),
        Just("resource"),
        Just("request"),
        Just("response"),
        Just("location"),
        Just("output"),
        Just("transactionTime"),
        Just("x"),
    ];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        let space = "[ \n\t]{0,2}";
        let element = (space, inner.clone(), space)
            .prop_map(|(before, value, after)| format!("{before}{value}{after}"));
        let member = (space, name.clone(), space, element.clone())
            .prop_map(|(before, name, space, value)| format!("{before}\"{name}\"{space}:{value}"));
        prop_oneof![
            proptest::collection::vec(element, 0..5).prop_map(|all| format!("[{}]", all.join(","))),
            proptest::collection::vec(member, 0..7).prop_map(|all| format!("{{{}}}", all.join(","))),
        ]
    })
}

/// Splits a JSON text at its strings: the text between them, and the strings.
fn pieces(text: &str) -> (Vec<&str>, Vec<&str>) {
    let (mut between, mut strings, mut rest) = (Vec::new(), Vec::new(), text);
    while let Some(start) = rest.find('"') {
        let mut length = 1;
        while rest.as_bytes()[start + length] != b'"' {
            length += if rest.as_bytes()[start + length] == b'\\' { 2 } else { 1 };
        }
        between.push(&rest[..start]);
        strings.push(&rest[start..=start + length]);
        rest = &rest[start + length + 1..];
    }
    between.push(rest);
    (between, strings)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn nothing_but_own_urls_changes(inner in json(), before in any::<bool>()) {
        let kind = "\"resourceType\":\"Bundle\"";
        let members = format!("\"link\":[{{\"url\":\"https://own/z\"}}],\"entry\":[{inner}],\"link\":{inner}");
        let document =
            if before { format!("{{{kind},{members}}}") } else { format!("{{{members},{kind}}}") };
        let result = rewrite(document.as_bytes(), to_public).expect("at least one URL changes");
        let result = String::from_utf8(result).expect("UTF-8");
        let ((between, strings), (new_between, new_strings)) = (pieces(&document), pieces(&result));
        prop_assert_eq!(between, new_between);
        prop_assert_eq!(strings.len(), new_strings.len());
        for (old, new) in strings.into_iter().zip(new_strings) {
            let text: String = serde_json::from_str(old).expect("a string");
            let is_rewritten = to_public(&text).is_some_and(|url| serde_json::from_str::<String>(new).ok() == Some(url));
            prop_assert!(old == new || is_rewritten, "{old} became {new}");
        }
        prop_assert!(serde_json::from_str::<Value>(&result).is_ok());
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        shape(&bytes);
        rewrite(&bytes, to_public);
    }
}
