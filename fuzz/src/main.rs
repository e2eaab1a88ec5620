//! Runs one of kreplay's readers, which FUZZ_READER names, on each input of the fuzzer. All readers share one
//! program, because linking one takes a while.
#![no_main]

use std::env;
use std::sync::LazyLock;

/// A reader with a planted defect, which shows `run.sh` that defects are found.
const PLANTED: &str = "planted";

static READER: LazyLock<String> =
    LazyLock::new(|| env::var("FUZZ_READER").expect("FUZZ_READER names what is to be fuzzed"));

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    match READER.as_str() {
        PLANTED => planted(input),
        reader => assert!(
            kreplay::try_input(reader, input),
            "no reader is called `{reader}`"
        ),
    }
});

/// Panics four steps deep: by chance alone this takes 4 billion inputs.
fn planted(input: &[u8]) {
    let steps = b"kafk";
    let taken = input.iter().zip(steps).take_while(|(a, b)| a == b);
    assert!(taken.count() < steps.len(), "the planted defect");
}
