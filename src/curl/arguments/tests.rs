//! Arguments as a user types them, and the options that curl would parse.

use std::ffi::OsString;

use crate::curl::arguments::{CurlOption, parse};
use crate::error::Result;

/// Returns the options as `SPELLING[=VALUE]`.
fn parse_line(words: &str) -> Result<String> {
    let args: Vec<OsString> = words.split_whitespace().map(Into::into).collect();
    let show = |option: &CurlOption| match &option.value {
        Some(value) => format!("{}={}", option.spelling, value.display()),
        None => option.spelling.clone(),
    };
    Ok(parse(&args)?.iter().map(show).collect::<Vec<_>>().join(" "))
}

#[test]
fn option_values_are_not_urls() {
    for (words, options) in [
        ("-sSfo out a.example", "-s -S -f -o=out --url=a.example"),
        ("-oout a.example", "-o=out --url=a.example"),
        ("-d @- -H X:y --data b a", "-d=@- -H=X:y --data=b --url=a"),
        ("-X -v a", "-X=-v --url=a"),
        ("--max-time 3 --url a", "--max-time=3 --url=a"),
        ("--max-time=3 a", "--max-time=3 --url=a"),
        ("--URL a", "--url=a"),
        ("--url=a", "--url=a"),
        ("--no-silent -N a", "--no-silent -N --url=a"),
        ("-- -s a", "--url=-s --url=a"),
        ("a -: b --next c", "--url=a -: --url=b --next --url=c"),
        ("-s:o x", "-s -: -o=x"),
        ("--expand-url {{x}} --variable x=1", "--expand-url={{x}} --variable=x=1"),
        ("-h", "-h"),
        ("--help all", "--help=all"),
        ("-K file -q a", "-K=file --url=a"),
        ("-qs --disable a", "-s --url=a"),
    ] {
        assert_eq!(parse_line(words).expect(words), options, "{words}");
    }
}

#[test]
fn refuses_options_that_curl_might_parse_differently() {
    for words in [
        "-",
        "--frobnicate a",
        "--loc a",
        "--max-t 3 a",
        "--no-silent --no-loc a",
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
        "---url a",
    ] {
        assert!(parse_line(words).is_err(), "{words}: {:?}", parse_line(words));
    }
}

#[test]
fn options_that_read_stdin_are_recognized() {
    for (words, expected) in [
        ("-d @- /x", true),
        ("--json @- /x", true),
        ("--data-urlencode name@- /x", true),
        ("-F file=@-;type=text/plain /x", true),
        ("-T - /x", true),
        ("-T . /x", true),
        ("-b - /x", true),
        ("-w @- /x", true),
        ("-o - -D - -c - /x", false),
        ("-d a@- -F note=a-b -T file /x", false),
        ("-sS /x", false),
    ] {
        let args: Vec<OsString> = words.split_whitespace().map(Into::into).collect();
        let options = parse(&args).expect(words);
        assert_eq!(options.iter().any(CurlOption::reads_stdin), expected, "{words}");
    }
}
