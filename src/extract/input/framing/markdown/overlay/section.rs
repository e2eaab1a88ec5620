//! The parts of a section: the lines of its head, and its body. Current files put each between two lines of
//! three backticks; older ones have no such lines, and a blank line before the body.

/// A section of a document.
#[derive(Debug)]
pub(in crate::extract::input::framing::markdown) struct Section<'a> {
    pub(in crate::extract::input::framing::markdown) name: SectionName,
    /// The line of the heading, from 1.
    pub(in crate::extract::input::framing::markdown) line: u64,
    /// The heading as it is written, between its number signs.
    pub(in crate::extract::input::framing::markdown) title: &'a str,
    /// The lines below the heading.
    pub(in crate::extract::input::framing::markdown) content: &'a str,
}

/// What a section is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::extract::input::framing::markdown) enum SectionName {
    Request,
    Response,
    Signature,
    Metadata,
    Internal,
    Other,
}

impl SectionName {
    /// Older files also name the side that is replayed: `REQUEST (TEST)`, `RESPONSE (MOCK)`.
    pub(in crate::extract::input::framing::markdown) fn of(title: &str) -> Self {
        let first = title.split([' ', '(']).next().unwrap_or_default();
        match first {
            "REQUEST" => Self::Request,
            "RESPONSE" => Self::Response,
            "SIGNATURE" => Self::Signature,
            "METADATA" => Self::Metadata,
            "INTERNAL" => Self::Internal,
            _ => Self::Other,
        }
    }
}

/// A line with its number.
pub(super) type NumberedLine<'a> = (u64, &'a str);

/// What a section holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    pub(super) head: Vec<NumberedLine<'a>>,
    /// `None` if there is no place for a body. The lines of a body are joined as they were.
    pub(super) body: Option<String>,
    /// Lines that belong to neither the head nor the body.
    pub(super) astray: Vec<NumberedLine<'a>>,
}

/// Whether a line opens or closes a part.
pub(in crate::extract::input::framing::markdown) fn is_fence(line: impl AsRef<[u8]>) -> bool {
    line.as_ref().trim_ascii_end() == b"```"
}

impl<'a> Section<'a> {
    fn lines(&self) -> impl Iterator<Item = NumberedLine<'a>> + use<'a> {
        (self.line + 1..).zip(self.content.lines())
    }

    /// All lines of the section except fences and blank ones.
    pub(super) fn plain_lines(&self) -> impl Iterator<Item = NumberedLine<'a>> + use<'a> {
        let lines = self.lines();
        lines.filter(|(_, line)| !line.starts_with("```") && !line.trim().is_empty())
    }

    /// Separates head and body.
    pub(super) fn parts(&self) -> Parts<'a> {
        let lines: Vec<NumberedLine<'a>> = self.lines().collect();
        let first = lines.iter().position(|(_, line)| !line.trim().is_empty());
        let Some(first) = first else {
            return Parts::default();
        };
        match lines[first].1.starts_with("```") {
            true => fenced(&lines[first + 1..]),
            false => plain(&lines[first..]),
        }
    }
}

/// Separates head and body where fences enclose them; `lines` are those after the first fence.
fn fenced<'a>(lines: &[NumberedLine<'a>]) -> Parts<'a> {
    let is_blank = |line: &&NumberedLine<'_>| line.1.trim().is_empty();
    let end = lines.iter().position(|(_, line)| is_fence(line));
    let (head, rest) = lines.split_at(end.unwrap_or(lines.len()));
    let rest = rest.get(1..).unwrap_or_default();
    let opens = |(_, line): &NumberedLine<'_>| line.starts_with("```");
    let opening = rest.iter().position(opens);
    let (between, body) = rest.split_at(opening.unwrap_or(rest.len()));
    let astray = between.iter().filter(|line| !is_blank(line));
    let mut parts = Parts {
        head: head
            .iter()
            .filter(|line| !is_blank(line))
            .copied()
            .collect(),
        body: None,
        astray: astray.copied().collect(),
    };
    let Some(body) = body.get(1..) else {
        return parts;
    };
    // A body may contain fences: its end is the last one.
    let end = body.iter().rposition(|(_, line)| is_fence(line));
    let (body, behind) = body.split_at(end.unwrap_or(body.len()));
    let behind = behind.get(1..).unwrap_or_default();
    parts
        .astray
        .extend(behind.iter().filter(|line| !is_blank(line)));
    parts.body = Some(joined(body));
    parts
}

fn plain<'a>(lines: &[NumberedLine<'a>]) -> Parts<'a> {
    let end = lines.iter().position(|(_, line)| line.trim().is_empty());
    let (head, body) = lines.split_at(end.unwrap_or(lines.len()));
    let body = joined(body);
    let body = body.trim_matches('\n');
    Parts {
        head: head.to_vec(),
        body: Some(body.to_owned()).filter(|body| !body.is_empty()),
        astray: Vec::new(),
    }
}

fn joined(lines: &[NumberedLine<'_>]) -> String {
    let lines: Vec<&str> = lines.iter().map(|(_, line)| *line).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(content: &str) -> Parts<'_> {
        let section = Section {
            name: SectionName::Request,
            line: 1,
            title: "REQUEST",
            content,
        };
        section.parts()
    }

    #[test]
    fn headers_and_body_are_separated_with_or_without_fences() {
        let body = |text: &str| Some(text.to_owned());
        let cases = [
            (
                "```\na\nb\n```\n\n```\n{\n\n}\n```\n",
                body("{\n\n}"),
                vec![],
            ),
            ("```\na\nb\n```\n\n```\n```\n\n", body(""), vec![]),
            ("```\na\nb\n```\n", None, vec![]),
            ("```http\na\nb\n```\n```json\n1\n```\n", body("1"), vec![]),
            // A body that contains fences, and one that is cut off.
            (
                "```\na\nb\n```\n```\nx\n```\ny\n```\n",
                body("x\n```\ny"),
                vec![],
            ),
            ("```\na\nb\n```\n```\nx\n", body("x"), vec![]),
            (
                "```\na\nb\n```\nc\n```\nx\n```\nd\n",
                body("x"),
                vec![(6, "c"), (10, "d")],
            ),
            ("a\nb\n\n{\n\n}\n\n\n", body("{\n\n}"), vec![]),
            ("a\nb\n", None, vec![]),
        ];
        for (content, body, astray) in cases {
            let found = parts(content);
            let head: Vec<&str> = found.head.iter().map(|(_, line)| *line).collect();
            assert_eq!(head, ["a", "b"], "{content:?}");
            assert_eq!((found.body, found.astray), (body, astray), "{content:?}");
        }
        assert_eq!(parts("\n\n"), Parts::default());
    }
}
