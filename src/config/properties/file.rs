//! Property files: `-F FILE`, or else kcat's own. This file is separate from the checks of their contents,
//! because this is the only part of the settings that reads files.

use std::path::{Path, PathBuf};

use super::super::property_names::{Properties, PropertyPlaces, without_prefix};
use super::super::small_file;
use crate::error::{Error, reason};

/// Names by which kcat's `-F` asks for no file at all (kcat.c).
const NO_FILE: [&str; 2] = ["none", "-"];

/// kcat's own file, below the home folder.
const KCAT_FILE: &str = ".config/kcat.conf";

/// What a property file says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct FileProperties {
    /// In the order of the file.
    pub(super) properties: Properties,
    pub(super) places: PropertyPlaces,
}

/// Where properties come from besides the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PropertyFile {
    /// This file must be readable: the user named it by this flag or variable.
    Named(&'static str, PathBuf),
    /// kcat's own file below the home folder; if it does not exist, kreplay reads none.
    Default(PathBuf),
    /// No file is read.
    None,
}

impl PropertyFile {
    /// The file of `-F`, or else kcat's own, as kcat chooses it.
    pub(crate) fn choose(flag: Option<PathBuf>) -> Self {
        if let Some(path) = flag {
            return match path.to_str().is_some_and(|name| NO_FILE.contains(&name)) {
                true => Self::None,
                false => Self::Named("-F", path),
            };
        }
        let variable = std::env::var_os("KCAT_CONFIG").filter(|path| !path.is_empty());
        if let Some(path) = variable {
            return Self::Named("KCAT_CONFIG", path.into());
        }
        std::env::home_dir().map_or(Self::None, |home| Self::Default(home.join(KCAT_FILE)))
    }

    /// The file to read, and what names it.
    pub(crate) fn location(&self) -> Option<(String, PathBuf)> {
        match self {
            Self::Named(by, path) => Some(((*by).into(), path.clone())),
            Self::Default(path) => path.is_file().then(|| (KCAT_FILE.into(), path.clone())),
            Self::None => None,
        }
    }

    /// The properties in the file.
    ///
    /// # Errors
    /// Returns [`Error::Config`] with file and line. A file that cannot be read is an error only if the
    /// user has named it: in a container, the home folder may be somebody else's.
    pub(super) fn read(&self) -> Result<FileProperties, Error> {
        match self {
            Self::None => Ok(FileProperties::default()),
            Self::Default(path) => match small_file::read(path) {
                Ok(bytes) => {
                    let file = parse(path, &bytes)?;
                    check_plugins(&file.properties, NoPlugins::InFile(path, &file.places))?;
                    Ok(file)
                }
                Err(_) => Ok(FileProperties::default()),
            },
            Self::Named(_, path) => {
                let bytes = small_file::read(path).map_err(|e| {
                    Error::config(format!("cannot read {}: {}", path.display(), reason(&e)))
                })?;
                parse(path, &bytes)
            }
        }
    }
}

/// The property whose value is code that librdkafka loads.
const PLUGINS: &str = "plugin.library.paths";

/// Where plugins are refused.
#[derive(Debug, Clone, Copy)]
pub(crate) enum NoPlugins<'a> {
    /// In a file that the user did not name.
    InFile(&'a Path, &'a PropertyPlaces),
    /// In a rehearsal, whoever named them.
    InRehearsal,
}

/// Checks that `properties` name no plugins: librdkafka loads code only if the user asks for it.
///
/// # Errors
/// Returns [`Error::Config`] if they do.
pub(crate) fn check_plugins(
    properties: &[(String, String)],
    refused: NoPlugins<'_>,
) -> Result<(), Error> {
    if !properties.iter().any(|(name, _)| name == PLUGINS) {
        return Ok(());
    }
    Err(match refused {
        NoPlugins::InFile(path, places) => Error::Config {
            message: format!(
                "{}`{PLUGINS}` loads code, so kreplay does not take it from a file that you did not name",
                places.before(PLUGINS)
            ),
            hint: Some(format!(
                "name the file with `-F {}`, or read no file with `-F none`",
                shell_words::quote(&path.to_string_lossy())
            )),
        },
        NoPlugins::InRehearsal => Error::config(format!(
            "`{PLUGINS}` loads code, which a rehearsal does not allow"
        )),
    })
}

fn parse(path: &Path, bytes: &[u8]) -> Result<FileProperties, Error> {
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        return Err(Error::Config {
            message: format!("{}: the file is UTF-16", path.display()),
            hint: Some("save it as UTF-8".into()),
        });
    }
    let mut file = FileProperties::default();
    for (i, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        // Comments may be in any encoding.
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        // The error does not repeat the line itself, which may hold a password.
        let place = format!("{}:{}", path.display(), i + 1);
        let refused = |why: &str| Error::config(format!("{place}: {why}"));
        let line = std::str::from_utf8(line).map_err(|_| refused("the line is not UTF-8"))?;
        let Some((key, value)) = line.split_once('=') else {
            return Err(refused("expected `KEY=VALUE`"));
        };
        let key = without_prefix(key.trim());
        if key.is_empty() {
            return Err(refused("there is no name before `=`"));
        }
        file.places.note(key.clone(), place);
        file.properties.push((key, value.trim().to_string()));
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Properties, String> {
        let file = parse(Path::new("f"), bytes).map_err(|error| error.to_string());
        file.map(|file| file.properties)
    }

    #[test]
    fn a_property_file_is_read_as_kcat_reads_it() {
        let expected = [("sasl.username", "me"), ("compression.type", "lz4")];
        let expected = expected.map(|(k, v)| (k.into(), v.into())).to_vec();
        for text in [
            &b"# comment\n\nsasl.username=me\n topic.compression.type = lz4 \n"[..],
            b"sasl.username=me\r\ncompression.type=lz4",
            b"# B\xFCro\nsasl.username=me\n#\xE9t\xE9\ncompression.type=lz4\n",
        ] {
            assert_eq!(read(text).as_ref(), Ok(&expected));
        }
    }

    #[test]
    fn a_property_file_may_begin_with_a_byte_order_mark() {
        let folder = tempfile::tempdir().expect("the system's temporary folder is writable");
        let path = folder.path().join("f");
        let text = b"\xEF\xBB\xBFsasl.username=me\r\ncompression.type=lz4";
        std::fs::write(&path, text).expect("the folder is writable");
        let file = PropertyFile::Named("-F", path).read().expect("a file");
        let expected = [("sasl.username", "me"), ("compression.type", "lz4")];
        let expected = expected.map(|(k, v)| (k.into(), v.into()));
        assert_eq!(file.properties, expected);
    }

    #[test]
    fn a_bad_line_is_named_and_not_shown() {
        for (text, expected) in [
            (&b"a=b\nhunter2\n"[..], "f:2: expected `KEY=VALUE`"),
            (b"\n\n=hunter2\n", "f:3: there is no name before `=`"),
            (b"sasl.password=hunt\xE9r2\n", "f:1: the line is not UTF-8"),
            (b"\xFF\xFEa\0=\0b\0", "f: the file is UTF-16"),
        ] {
            assert_eq!(read(text), Err(expected.into()));
        }
    }

    #[test]
    fn kcats_words_for_no_file_are_not_file_names() {
        for name in NO_FILE {
            let chosen = PropertyFile::choose(Some(name.into()));
            assert_eq!(chosen, PropertyFile::None, "{name}");
        }
        let named = PropertyFile::choose(Some("none.conf".into()));
        assert_eq!(named, PropertyFile::Named("-F", "none.conf".into()));
    }
}
