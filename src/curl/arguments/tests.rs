//! Words as a person types them, and the items that curl would make of them.

use std::ffi::{OsStr, OsString};

use crate::curl::arguments::{Item, parse};
use crate::error::Result;

/// The items as `SPELLING[=VALUE]`, with files that hold nothing.
fn read(words: &str) -> Result<String> {
    let args: Vec<OsString> = words.split_whitespace().map(Into::into).collect();
    let parsed = parse(&args, None, &mut |_| Ok(String::new()))?;
    let show = |item: &Item| match &item.value {
        Some(value) => format!("{}={}", item.spelling, value.display()),
        None => item.spelling.clone(),
    };
    Ok(parsed.items.iter().map(show).collect::<Vec<_>>().join(" "))
}

#[test]
fn a_value_is_never_taken_for_a_url() {
    for (words, items) in [
        ("-sSfo out a.example", "-s -S -f -o=out --url=a.example"),
        ("-oout a.example", "-o=out --url=a.example"),
        ("-d @- -H X:y --data b a", "-d=@- -H=X:y --data=b --url=a"),
        ("-X -v a", "-X=-v --url=a"),
        ("--max-time 3 --url a", "--max-time=3 --url=a"),
        ("--max-t 3 a", "--max-time=3 --url=a"),
        ("--URL a", "--url=a"),
        ("--url=a", "--url=a"),
        ("--no-silent --no-loc a", "x"),
        ("--no-silent -N a", "--no-silent -N --url=a"),
        ("-- -s a", "--url=-s --url=a"),
        ("a -: b --next c", "--url=a -: --url=b --next --url=c"),
        ("-s:o x", "-s -: -o=x"),
        ("--expand-url {{x}} --variable x=1", "--expand-url={{x}} --variable=x=1"),
        ("-h", "-h"),
        ("--help all", "--help=all"),
        ("-K file -q a", "--url=a"),
    ] {
        if items == "x" {
            assert!(read(words).is_err(), "{words}");
        } else {
            assert_eq!(read(words).expect(words), items, "{words}");
        }
    }
}

#[test]
fn what_curl_might_read_otherwise_is_refused() {
    for words in [
        "-",
        "--frobnicate a",
        "--loc a",
        "-sé a",
        "-o",
        "--data",
        "--no-data x",
        "--expand-silent a",
        "--silent=1 a",
        "--no- a",
        "--=a",
        "-s--",
        "--no-no-silent",
        "--expand-config x",
        "---url a",
    ] {
        assert!(read(words).is_err(), "{words}: {:?}", read(words));
    }
}

#[test]
fn the_rc_file_comes_first_unless_q_does() {
    let words = |words: &str| words.split(' ').map(OsString::from).collect::<Vec<_>>();
    let mut rc = |_: &OsStr| Ok(String::from("silent\n"));
    let with = parse(&words("a.example"), Some(OsStr::new("rc")), &mut rc).expect("parses");
    assert_eq!(with.items[0].spelling, "--silent");
    assert_eq!(with.place(&with.items[0]).as_deref(), Some("rc, line 1"));
    for first in ["-q a", "-qs a", "--disable a"] {
        let without = parse(&words(first), Some(OsStr::new("rc")), &mut rc).expect("parses");
        assert!(without.files.is_empty(), "{first}");
    }
    let late = parse(&words("a -q"), Some(OsStr::new("rc")), &mut rc).expect("parses");
    assert_eq!(late.files.len(), 1);
}
