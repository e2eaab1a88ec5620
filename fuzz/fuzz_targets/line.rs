//! No line makes extraction panic, with the built-in profiles or a query of the user's.
#![no_main]

libfuzzer_sys::fuzz_target!(|line: &str| kreplay::read_line(line));
