//! The signature of an RRPair, which identifies its mock: lines `key is value`. The base holds the values as
//! base64, and some recordings hold them again as texts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Overlay;
use super::members::OverlayMembers;
use super::section::Section;

/// The text for a missing value.
const NONE: &str = "-NONE-";

impl Overlay<'_> {
    pub(super) fn lay_signature(&mut self, section: &Section<'_>) {
        let known = self.base.object("signature");
        let mut pairs: Vec<(&str, String)> = Vec::new();
        for (line, text) in section.plain_lines() {
            let pair = text
                .split_once(" is ")
                .or_else(|| Some((text.strip_suffix(" is")?, "")));
            match (pair.filter(|(key, _)| !key.contains(' ')), pairs.last_mut()) {
                (Some((key, NONE)), _) => pairs.push((key, String::new())),
                (Some((key, value)), _) => pairs.push((key, value.to_owned())),
                // A value of several lines, such as a body.
                (None, Some((_, value))) => {
                    value.push('\n');
                    value.push_str(text);
                }
                (None, None) => {
                    self.remark_on(section, line, "expected `key is value`");
                }
            }
        }
        let mut signature = OverlayMembers::default();
        let mut texts = OverlayMembers::default();
        for (key, value) in &pairs {
            let encoded = known.text(key).filter(|text| is_shown_as(text, value));
            signature.set_text(key, &encoded.unwrap_or_else(|| STANDARD.encode(value)));
            texts.set_text(key, value);
        }
        let node = |members: &OverlayMembers<'_>| {
            serde_json::from_str::<serde_json::Value>(&members.write()).ok()
        };
        if pairs.is_empty() || node(&known) == node(&signature) {
            return;
        }
        self.base.set("signature", signature.write());
        if self.base.raw("mutableSignature").is_some() {
            self.base.set("mutableSignature", texts.write());
        }
    }
}

/// Whether a section shows the value `encoded` as `shown`; blank lines are not kept.
fn is_shown_as(encoded: &str, shown: &str) -> bool {
    let Ok(bytes) = STANDARD.decode(encoded) else {
        return false;
    };
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.eq(shown.lines())
}
