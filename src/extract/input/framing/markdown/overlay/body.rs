//! Bodies of HTTP messages. Sections show JSON with line breaks and indentation, and HTML indented;
//! recordings do not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::IgnoredAny;

use super::members::OverlayMembers;

/// The result of applying a section's body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum AppliedBody {
    /// The base holds it, perhaps in other words.
    Same,
    /// It replaced what the base held, and has this many bytes.
    Replaced(usize),
    /// The base holds an object, but the section is not JSON.
    NotJson,
}

/// Applies the body that a section shows to `message`.
pub(super) fn lay(message: &mut OverlayMembers<'_>, shown: &str) -> AppliedBody {
    let base = of_base(message);
    match &base {
        // A section cannot show bytes that are not text, whatever it shows instead.
        Some(Err(_)) => return AppliedBody::Same,
        Some(Ok(base)) if is_same(base, shown, is_html(message)) => return AppliedBody::Same,
        None if shown.trim().is_empty() && !has_node(message) => return AppliedBody::Same,
        _ => {}
    }
    let body = compact(shown).unwrap_or_else(|| shown.to_owned());
    if has_node(message) {
        // The recorder has decoded the message.
        return lay_node(message, &body);
    }
    if body.trim().is_empty() {
        message.remove("body");
        message.remove("bodyBase64");
        return AppliedBody::Replaced(0);
    }
    // Recordings have either member or both, so that a path to either finds it.
    message.set_text("bodyBase64", &STANDARD.encode(&body));
    message.set_text("body", &body);
    AppliedBody::Replaced(body.len())
}

/// Whether `body` is not a string but was decoded from one.
fn has_node(message: &OverlayMembers<'_>) -> bool {
    let body = message.raw("body");
    body.is_some_and(|raw| raw.starts_with(['{', '[']))
}

fn lay_node(message: &mut OverlayMembers<'_>, body: &str) -> AppliedBody {
    if message.raw("body").and_then(compact).as_deref() == Some(body) || body.trim().is_empty() {
        return AppliedBody::Same;
    }
    if compact(body).is_none() {
        return AppliedBody::NotJson;
    }
    message.set("body", body.to_owned());
    AppliedBody::Replaced(body.len())
}

/// The body of the base: its text, or its bytes if they are not text.
fn of_base(message: &OverlayMembers<'_>) -> Option<Result<String, Vec<u8>>> {
    let encoded = message.text("bodyBase64").filter(|text| !text.is_empty());
    match encoded.and_then(|text| STANDARD.decode(text).ok()) {
        Some(bytes) => Some(String::from_utf8(bytes).map_err(|e| e.into_bytes())),
        None => message.text("body").filter(|text| !text.is_empty()).map(Ok),
    }
}

fn is_html(message: &OverlayMembers<'_>) -> bool {
    let kind = message.text("contentType").unwrap_or_default();
    kind.contains("html")
}

/// Whether a section would show `base` as `shown`.
fn is_same(base: &str, shown: &str, is_html: bool) -> bool {
    if let (Some(base), Some(shown)) = (compact(base), compact(shown)) {
        return base == shown;
    }
    let visible = |text: &str| text.split_ascii_whitespace().collect::<String>();
    let trimmed = |text: &str| text.replace("\r\n", "\n").trim_matches('\n').to_owned();
    trimmed(base) == trimmed(shown) || is_html && visible(base) == visible(shown)
}

/// JSON without the blanks between its tokens; `None` for anything else.
pub(super) fn compact(text: &str) -> Option<String> {
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    let (mut in_string, mut is_escaped) = (false, false);
    let keep = |c: &char| {
        let is_blank = !in_string && c.is_ascii_whitespace();
        if *c == '"' && !is_escaped {
            in_string = !in_string;
        }
        is_escaped = in_string && *c == '\\' && !is_escaped;
        !is_blank
    };
    Some(text.chars().filter(keep).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whitespace_between_tokens_is_removed_and_in_strings_kept() {
        let cases = [
            ("{\n  \"a\": [1, 2]\n}", Some("{\"a\":[1,2]}")),
            (
                r#"{ "a b" : "c \" d \\" , "e":1e400 }"#,
                Some(r#"{"a b":"c \" d \\","e":1e400}"#),
            ),
            ("{\"a\":", None),
            ("plain text", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(compact(text).as_deref(), expected, "{text}");
        }
    }
}
