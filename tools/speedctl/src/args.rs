//! The command line as speedctl reads it: flags may come before, between and after the command's words, and
//! unknown flags must not disturb it.

use crate::failure::Failure;

/// Flags without a value; any other unknown flag takes the next argument unless that begins with `-`.
const SWITCHES: &[&str] = &[
    "-v",
    "-q",
    "--verbose",
    "--quiet",
    "--no-color",
    "--debug",
    "--overwrite",
];

/// One invocation: its words (command and positional arguments) and the flags that this program knows.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Call {
    pub(crate) words: Vec<String>,
    pub(crate) paths: Vec<String>,
    pub(crate) filter: Option<String>,
    pub(crate) snapshot: Option<String>,
    pub(crate) output: Option<String>,
}

impl Call {
    /// Parses what follows the program's name.
    ///
    /// # Errors
    /// Returns an error if a known flag has no value.
    pub(crate) fn parse(typed: Vec<String>) -> Result<Self, Failure> {
        let mut call = Self::default();
        let mut rest = typed.into_iter().peekable();
        while let Some(word) = rest.next() {
            if word == "--" {
                call.words.extend(rest);
                break;
            }
            if !word.starts_with('-') || word == "-" {
                call.words.push(word);
                continue;
            }
            let (flag, inline) = match word.split_once('=') {
                Some((flag, value)) => (flag.to_owned(), Some(value.to_owned())),
                None => (word, None),
            };
            let known = matches!(
                flag.as_str(),
                "--path" | "--filter" | "--snapshot" | "--output"
            );
            let value = if inline.is_some() || SWITCHES.contains(&flag.as_str()) {
                inline
            } else if known {
                rest.next()
            } else {
                rest.next_if(|next| !next.starts_with('-'))
            };
            call.set(&flag, value)?;
        }
        Ok(call)
    }

    fn set(&mut self, flag: &str, value: Option<String>) -> Result<(), Failure> {
        let required = || Failure::new(format!("flag needs an argument: {flag}"));
        match flag {
            "--path" => self.paths.push(value.ok_or_else(required)?),
            "--filter" => self.filter = Some(value.ok_or_else(required)?),
            "--snapshot" => self.snapshot = Some(value.ok_or_else(required)?),
            "--output" => self.output = Some(value.ok_or_else(required)?),
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Call;

    fn parse(line: &[&str]) -> Result<Call, String> {
        Call::parse(line.iter().map(|&word| word.to_owned()).collect())
            .map_err(|failure| failure.message)
    }

    #[test]
    fn flags_may_come_anywhere_and_unknown_ones_consume_their_value() {
        let expected = Call {
            words: vec!["extract".into(), "data".into(), "demo".into()],
            paths: vec!["a.b".into(), ".ts".into()],
            filter: Some("(command IS \"Fetch\")".into()),
            ..Call::default()
        };
        let lines: [&[&str]; 2] = [
            &[
                "--config",
                "x.yaml",
                "extract",
                "data",
                "demo",
                "--path",
                "a.b",
                "--path",
                ".ts",
                "--filter",
                "(command IS \"Fetch\")",
            ],
            &[
                "extract",
                "data",
                "-v",
                "--profile=x",
                "--path=a.b",
                "demo",
                "--path=.ts",
                "--filter=(command IS \"Fetch\")",
                "--config",
            ],
        ];
        for line in lines {
            assert_eq!(parse(line).as_ref(), Ok(&expected), "{line:?}");
        }
    }

    #[test]
    fn a_known_flag_without_a_value_is_refused() {
        let message = "flag needs an argument: --path".to_owned();
        assert_eq!(parse(&["extract", "data", "--path"]), Err(message));
    }
}
