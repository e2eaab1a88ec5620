//! Where the texts of a profile come from, so that an error in one is named with its place: the user's flag,
//! or the file and line.

/// The origins of a profile's texts.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::extract) struct Written {
    /// The name of the profile's file and what is in it; `None` for a built-in profile.
    pub(in crate::extract) file: Option<(String, String)>,
    /// The names that flags gave, which are in no file.
    pub(in crate::extract) flags: Vec<&'static str>,
}

impl Written {
    /// Names the place of `text`, which the profile calls `name`.
    pub(in crate::extract) fn place(&self, name: &str, text: &str) -> String {
        if self.flags.contains(&name) {
            return format!("`--{name}`");
        }
        let Some((file, toml)) = &self.file else {
            return name.into();
        };
        // A text on several lines, or with escapes, is not found in the file.
        let mut lines = (1..).zip(toml.lines());
        match lines.find(|(_, line)| line.contains(text)) {
            Some((number, _)) => format!("{file}:{number}: {name}"),
            None => format!("{file}: {name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_flag_or_the_line_of_the_profile() {
        let toml = "filter = \"a\"\nvalue = [\n  \"$.a[\",\n]\nkey = \"\\u0041[\"\n";
        let mut written = Written::default();
        assert_eq!(written.place("value", "$.a["), "value");
        written.file = Some(("mine.toml".into(), toml.into()));
        assert_eq!(written.place("value", "$.a["), "mine.toml:3: value");
        assert_eq!(written.place("key", "A["), "mine.toml: key");
        written.flags.push("value");
        assert_eq!(written.place("value", "$.a["), "`--value`");
    }
}
