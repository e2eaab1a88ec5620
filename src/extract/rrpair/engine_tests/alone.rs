//! Extraction alone in a process, for a measurement.

use std::fs::File;
use std::io::Write as _;

use super::*;
use crate::config::BuiltInProfile;
use crate::extract::input::framing::{Framer, RrPairText};

/// The binary's allocator, so that what `extraction_alone` measures is what a replay does.
#[cfg(feature = "mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Not a test: bench/extract.sh measures the process in which this runs alone.
#[test]
#[ignore = "a measurement, which bench/extract.sh runs"]
fn extraction_alone() {
    let variable = |name: &str| std::env::var(name).expect("bench/extract.sh sets it");
    let chosen = variable("EXTRACT_PROFILE");
    let profile = match std::fs::read_to_string(&chosen) {
        Ok(text) => Profile::parse(&chosen, &text).expect("a profile"),
        Err(_) => Profile::built_in(BuiltInProfile::named(&chosen).expect("a built-in profile")),
    };
    let filter = Filter::parse(&profile.filter).expect("a filter");
    let engine = Engine::of(&profile, &filter).expect("a profile");
    let mut found = engine.found();
    let mut batch = Batch::default();
    let (mut records, mut bytes) = (0, 0);
    for path in variable("EXTRACT_FILES").split(' ') {
        let mut texts = Framer::new(File::open(path).expect("a file"));
        loop {
            while let Some((_, RrPairText::Whole(line))) = texts.next_buffered() {
                let text = std::str::from_utf8(line).expect("UTF-8");
                engine
                    .read(text, &mut batch, &mut found)
                    .expect("an RRPair");
                let matches = filter.matches(&found.filtered_on);
                records += found.records.iter().filter(|_| matches).count();
            }
            bytes += batch.hand_over().weight();
            if !texts.refill().expect("a file") {
                break;
            }
        }
    }
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux has it");
    let peak = status.lines().find(|line| line.starts_with("VmHWM"));
    let line = format!(
        "{records} records, {bytes} bytes; {}",
        peak.expect("Linux has it")
    );
    writeln!(std::io::stdout(), "{line}").expect("stdout takes it");
}
