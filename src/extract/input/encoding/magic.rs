//! Recognises files that hold neither text nor JSON by their first bytes: kreplay never prints such bytes,
//! but names the format and the command that unpacks it.

/// A format that kreplay does not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::extract) struct KnownFormat {
    /// What the file is, with its article.
    pub(in crate::extract) name: &'static str,
    /// The command that writes its content to stdout; the name of the file follows it.
    pub(in crate::extract) unpack: Option<&'static str>,
}

impl KnownFormat {
    /// The commands that print the content, each reading what the one before it writes; `outer` is the one
    /// for what kreplay has unpacked itself. `None` if a pipe of them would not work.
    pub(in crate::extract) fn commands(self, outer: Option<&'static str>) -> Vec<&'static str> {
        match (self.unpack, outer) {
            (None, _) => Vec::new(),
            (Some(inner), None) => vec![inner],
            // kreplay unpacks these once the outer layer is gone.
            (Some("gunzip -c" | "zstd -dc"), Some(outer)) => vec![outer],
            // tar recognises by itself how an archive is packed.
            (Some(tar), Some(_)) if tar == UNTAR => vec![tar],
            // These commands read only files.
            (Some("unzip -p" | "7z x -so" | "unrar p -inul"), Some(_)) => Vec::new(),
            (Some(inner), Some(outer)) => vec![outer, inner],
        }
    }
}

/// The command for an archive of tar.
const UNTAR: &str = "tar -xOf";
/// Where the magic number of tar is (POSIX.1-2017, ustar).
const TAR: (usize, &[u8]) = (257, b"ustar");
/// How many bytes are checked: all magic numbers end before.
pub(in crate::extract) const LONGEST: usize = 262;

/// Magic numbers by format. gzip and zstd are here because kreplay has already unpacked what is checked.
const FORMATS: [(&[u8], &str, Option<&str>); 36] = [
    (b"\xfd7zXZ\0", "packed with xz", Some("xz -dc")),
    (b"BZh11AY&SY", "packed with bzip2", Some("bzip2 -dc")),
    (b"BZh21AY&SY", "packed with bzip2", Some("bzip2 -dc")),
    (b"BZh31AY&SY", "packed with bzip2", Some("bzip2 -dc")),
    (b"BZh41AY&SY", "packed with bzip2", Some("bzip2 -dc")),
    (b"BZh51AY&SY", "packed with bzip2", Some("bzip2 -dc")),
    (b"BZh61AY&SY", "packed with bzip2", Some("bzip2 -dc")),
    (b"BZh71AY&SY", "packed with bzip2", Some("bzip2 -dc")),
    (b"BZh81AY&SY", "packed with bzip2", Some("bzip2 -dc")),
    (b"BZh91AY&SY", "packed with bzip2", Some("bzip2 -dc")),
    (b"PK\x03\x04", "a zip archive", Some("unzip -p")),
    (b"PK\x05\x06", "an empty zip archive", None),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", Some("7z x -so")),
    (b"Rar!\x1a\x07", "a RAR archive", Some("unrar p -inul")),
    (b"\x04\x22\x4d\x18", "packed with lz4", Some("lz4 -dc")),
    (b"LZIP\x01", "packed with lzip", Some("lzip -dc")),
    (b"\x89LZO\0\r\n\x1a\n", "packed with lzop", Some("lzop -dc")),
    (
        b"\xff\x06\0\0sNaPpY",
        "packed with snappy",
        Some("snzip -dc"),
    ),
    (b"\x1f\x9d", "packed with compress", Some("uncompress -c")),
    (
        b"\x1f\x8b\x08",
        "packed twice, with gzip inside",
        Some("gunzip -c"),
    ),
    (
        b"\x28\xb5\x2f\xfd",
        "packed twice, with zstd inside",
        Some("zstd -dc"),
    ),
    (b"\xff\xfe\0\0", "UTF-32", Some("iconv -f UTF-32 -t UTF-8")),
    (b"\0\0\xfe\xff", "UTF-32", Some("iconv -f UTF-32 -t UTF-8")),
    (b"\x7fELF", "a program (ELF)", None),
    (b"\xcf\xfa\xed\xfe", "a program (Mach-O)", None),
    (
        b"\xca\xfe\xba\xbe",
        "a Java class or a program (Mach-O)",
        None,
    ),
    (b"MZ", "a program for Windows", None),
    (b"\x89PNG\r\n", "a picture (PNG)", None),
    (b"\xff\xd8\xff", "a picture (JPEG)", None),
    (b"GIF8", "a picture (GIF)", None),
    (b"%PDF-", "a PDF", None),
    (b"PAR1", "a Parquet file", None),
    (b"Obj\x01", "an Avro file", None),
    (b"ORC", "an ORC file", None),
    (b"SQLite format 3\0", "an SQLite database", None),
    (b"\xd4\xc3\xb2\xa1", "a packet capture (pcap)", None),
];
/// Magic numbers that could begin a text as well, were it not for the zeros that follow.
const ALSO_TEXT: [&[u8]; 3] = [b"MZ", b"ORC", b"PAR1"];

/// The format of data that begins with `head`; `None` if it may be text.
pub(in crate::extract) fn format(head: &[u8]) -> Option<KnownFormat> {
    let looked_at = &head[..head.len().min(LONGEST * 2)];
    let fits = |magic: &[u8]| {
        head.starts_with(magic) && (!ALSO_TEXT.contains(&magic) || is_binary(looked_at))
    };
    let known = FORMATS.iter().find(|(magic, ..)| fits(magic));
    if let Some((_, name, unpack)) = known {
        return Some(KnownFormat {
            name,
            unpack: *unpack,
        });
    }
    if head
        .get(TAR.0..)
        .is_some_and(|rest| rest.starts_with(TAR.1))
    {
        return Some(KnownFormat {
            name: "a tar archive",
            unpack: Some(UNTAR),
        });
    }
    // Damage may put zeros after whole lines of JSON, but not before them.
    let json = matches!(head.trim_ascii_start().first(), Some(b'{' | b'[' | b'#'));
    (!json && is_binary(looked_at)).then_some(KnownFormat {
        name: "binary data",
        unpack: None,
    })
}

/// Whether there are bytes that no text has: control characters other than blanks and the escape of colours.
fn is_binary(bytes: &[u8]) -> bool {
    let odd = |byte: &u8| matches!(byte, 0..=6 | 14..=26 | 28..=31);
    bytes.iter().any(odd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_recognised_by_its_first_bytes() {
        let mut tar = b"raw.jsonl\0".to_vec();
        tar.resize(TAR.0, 0);
        tar.extend_from_slice(b"ustar\x0000");
        let cases: [(&[u8], Option<&str>); 12] = [
            (b"\x7fELF\x02\x01\x01\0", Some("a program (ELF)")),
            (b"PK\x03\x04\x14\0", Some("a zip archive")),
            (b"BZh91AY&SY\xd4", Some("packed with bzip2")),
            (b"\xfd7zXZ\0\0\x04", Some("packed with xz")),
            (&tar, Some("a tar archive")),
            (b"MZ\x90\0\x03", Some("a program for Windows")),
            (b"MZ is a column\n", None),
            (b"a\0b", Some("binary data")),
            (b"{\"a\":\0}", None),
            (b"\x1b[1mloud\x1b[0m\n", None),
            ("na\u{ef}ve \u{1f980}\n".as_bytes(), None),
            (b"", None),
        ];
        for (head, expected) in cases {
            let name = format(head).map(|format| format.name);
            assert_eq!(name, expected, "{head:?}");
        }
    }
}
