//! Compressed inputs: those that kreplay reads, and those that it names.

use std::path::Path;
use std::thread;
use std::time::Duration;

use super::{
    SHOP, assert_one_line, essence, fetch, folder, gzip, of_lines, rehearse, run, write, zstd,
};
use crate::harness::run::{Run, report};

/// Inputs that kreplay does not unpack: a name, the content, what it is and what unpacks it.
fn packed_otherwise() -> [(&'static str, Vec<u8>, &'static str, &'static str); 7] {
    let twice = gzip(&gzip(SHOP.as_bytes()));
    let zstd_inside = gzip(&zstd(SHOP.as_bytes()));
    let (xz, bzip2) = (b"\xfd7zXZ\0\0\x04\xe6\xd6", b"BZh91AY&SY\x01\x02\xff");
    let (zip, lz4) = (
        b"PK\x03\x04\x14\0\0\0\x08\0",
        b"\x04\x22\x4d\x18\x64\x40\xa7",
    );
    let seven = b"7z\xbc\xaf\x27\x1c\0\x04";
    [
        ("a.xz", xz.to_vec(), "packed with xz", "xz -dc"),
        ("a.bz2", bzip2.to_vec(), "packed with bzip2", "bzip2 -dc"),
        ("a.zip", zip.to_vec(), "a zip archive", "unzip -p"),
        ("a.lz4", lz4.to_vec(), "packed with lz4", "lz4 -dc"),
        ("a.7z", seven.to_vec(), "a 7z archive", "7z x -so"),
        ("a.gz", twice, "packed twice, with gzip inside", "gunzip -c"),
        (
            "b.gz",
            zstd_inside,
            "packed twice, with zstd inside",
            "gunzip -c",
        ),
    ]
}

#[test]
fn an_unsupported_compression_is_named_with_the_command_that_unpacks_it() {
    for (name, content, what, unpack) in packed_otherwise() {
        let folder = folder();
        let path = write(folder.path(), name, &content).display().to_string();
        for forced in [&[][..], &["--as", "csv"], &["--as", "records"]] {
            let args = [&["replay", &path, "-t", "t", "--rehearse"], forced].concat();
            let output = Run::new(args).output();
            assert_one_line(&output, 4, &format!("cannot read {path}: it is {what}"));
            let hint = format!("`{unpack} {path} | kreplay ... -`");
            assert!(output.stderr.contains(&hint), "{output:?}");
        }
        let output = run(&[Path::new("-")], Some(&content));
        assert!(
            output
                .stderr
                .contains(&format!("put `{unpack}` before kreplay")),
            "{output:?}"
        );
        // In a folder it is left out, and never silently.
        write(folder.path(), "raw.jsonl", fetch("a"));
        let output = rehearse(&[folder.path()]);
        assert_eq!(
            (output.code, &report(&output)["source"]["skipped_files"]),
            (0, &1.into())
        );
        assert!(
            output
                .stderr
                .contains(&format!("skipping {path}: it is {what}")),
            "{output:?}"
        );
    }
}

#[test]
fn zeros_after_compressed_data_are_ignored_and_other_bytes_are_reported() {
    let expected = of_lines();
    for (name, pack) in [("gzip", gzip as fn(&[u8]) -> Vec<u8>), ("zstd", zstd)] {
        let packed = pack(SHOP.as_bytes());
        for zeros in [1, 3, 512, 300_000] {
            let content = [&packed[..], &vec![0; zeros]].concat();
            let output = run(&[Path::new("-")], Some(&content));
            assert_eq!(essence(&output), expected, "{name} and {zeros} zeros");
        }
        for junk in [&b"junk"[..], b"\0\0\0x", b"\x1f", b"\x28\xb5\x2f\xfe"] {
            let output = run(&[Path::new("-")], Some(&[&packed, junk].concat()));
            let report = report(&output);
            assert_eq!(output.code, 4, "{name} {junk:?}: {output:?}");
            assert_eq!(
                report["ledger"]["delivered"],
                expected["ledger"]["delivered"]
            );
            let named = output
                .stderr
                .contains("the packed data is complete, but other bytes follow it");
            // With one more byte, a member has begun that is cut off.
            let cut = name == "gzip" && junk == b"\x1f";
            assert_eq!(named, !cut, "{name} {junk:?}: {output:?}");
            assert_eq!(
                cut,
                output.stderr.contains("the compressed data is cut off"),
                "{output:?}"
            );
        }
    }
}

/// A zstd frame by hand (RFC 8878, 3.1.1), as `zstd --long=LOG` begins one of a stream: its header says how
/// far back it may refer, whether it does or not.
fn zstd_of_window(log: u8) -> Vec<u8> {
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0, (log - 10) << 3];
    let mut blocks = SHOP.as_bytes().chunks(100_000).peekable();
    while let Some(block) = blocks.next() {
        // A raw block: whether it is the last one, two bits for its type, its size.
        let last = usize::from(blocks.peek().is_none());
        let header = (block.len() << 3 | last).to_le_bytes();
        frame.extend_from_slice(&header[..3]);
        frame.extend_from_slice(block);
    }
    frame
}

/// The hint for what is packed in two ways does all of the work, or only what kreplay does not.
#[test]
fn doubly_compressed_data_is_named_with_commands_that_unpack_it() {
    let xz = b"\xfd7zXZ\0\0\x04\xe6\xd6";
    for (content, before, behind) in [
        (gzip(xz), "gunzip -c", " | xz -dc"),
        (zstd(xz), "zstd -dc", " | xz -dc"),
        (zstd(&gzip(SHOP.as_bytes())), "zstd -dc", ""),
    ] {
        let folder = folder();
        let path = write(folder.path(), "a", content).display().to_string();
        let output = Run::new(["replay", &path, "--rehearse"]).output();
        let hint = format!("`{before} {path}{behind} | kreplay ... -`");
        assert_eq!(output.code, 4, "{output:?}");
        assert!(output.stderr.contains(&hint), "{output:?}");
    }
}

/// docs/sources.md: the window of 128 MiB, beside which everything else is small.
#[test]
fn a_zstd_window_of_the_bound_takes_its_memory_and_little_more() {
    const WINDOW: usize = 128 << 20;
    const REST: u64 = 96 << 20;
    // One RRPair a line over and over, so that the window is filled.
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0, (27 - 10) << 3];
    let line = SHOP.lines().next().expect("there are lines");
    let block = format!("{line}\n").repeat(100_000 / (line.len() + 1));
    let blocks = (WINDOW + (16 << 20)) / block.len();
    for number in 1..=blocks {
        let header = (block.len() << 3 | usize::from(number == blocks)).to_le_bytes();
        frame.extend_from_slice(&header[..3]);
        frame.extend_from_slice(block.as_bytes());
    }
    let folder = folder();
    let path = write(folder.path(), "a.zst", frame).display().to_string();
    let run = Run::new(["replay", &path, "--rehearse", "--report", "json"]);
    let mut run = run.spawn();
    let mut peak = 0;
    while !run.has_ended() {
        peak = peak.max(run.peak_memory());
        thread::sleep(Duration::from_millis(5));
    }
    let output = run.wait();
    let lines = block.lines().count() * blocks;
    assert_eq!(report(&output)["source"]["rrpairs"], lines, "{output:?}");
    let window = WINDOW as u64;
    assert!((window / 2..window + REST).contains(&peak), "{peak} bytes");
}

#[test]
fn a_zstd_window_is_read_up_to_its_bound_and_refused_with_a_hint_above() {
    let expected = of_lines();
    let output = run(&[Path::new("-")], Some(&zstd_of_window(27)));
    assert_eq!(essence(&output), expected);
    for log in [28, 31] {
        let folder = folder();
        let path = write(folder.path(), "a.zst", zstd_of_window(log))
            .display()
            .to_string();
        let output = Run::new(["replay", &path, "--rehearse"]).output();
        let what = "packed with zstd and a window of more than 128 MiB";
        assert_one_line(&output, 4, &format!("cannot read {path}: it is {what}"));
        assert!(
            output
                .stderr
                .contains(&format!("`zstd -dc --long=31 {path} | kreplay ... -`")),
            "{output:?}"
        );
    }
}
