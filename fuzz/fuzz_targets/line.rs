//! No line makes extraction panic, with the built-in profiles or a query of the user's, and its quick
//! reader of JSON takes no line for something else than serde_json does.
#![no_main]

libfuzzer_sys::fuzz_target!(|line: &str| kreplay::read_line(line));
