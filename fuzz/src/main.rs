//! Gives each input to one of kreplay's readers, which FUZZ_READER names. One program for all of them:
//! linking one takes a while.
#![no_main]

use std::env;
use std::sync::LazyLock;

/// A reader with a defect of its own, by which `run.sh` sees that a defect is found.
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

/// Ends in a panic four steps deep: by chance alone this takes 4 billion inputs.
fn planted(input: &[u8]) {
    let steps = b"kafk";
    let taken = input.iter().zip(steps).take_while(|(a, b)| a == b);
    assert!(taken.count() < steps.len(), "the planted defect");
}
