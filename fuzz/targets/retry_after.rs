#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| oneup::properties::retry_after(bytes));
