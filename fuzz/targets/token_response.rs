#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oneup::fuzzing::token_response(bytes));
