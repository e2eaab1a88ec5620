//! The metadata of an RRPair: `key: value` lines for members of its own, and its tags.

use super::Overlay;
use super::section::Section;
use crate::record::uuid::Uuid;

impl Overlay<'_> {
    pub(super) fn lay_metadata(&mut self, section: &Section<'_>) {
        for (line, text) in section.plain_lines() {
            let (key, value) = text.split_once(':').unwrap_or((text, ""));
            let value = value.trim();
            let is_read = match key.trim() {
                "direction" => {
                    self.base.set_text("direction", value);
                    true
                }
                "uuid" => self.lay_uuid(value),
                "ts" => self.lay_time(value),
                "duration" => self.lay_duration(value),
                "tags" => self.lay_tags(value),
                _ => false,
            };
            if !is_read {
                let what = format!("`{}` is not understood", text.trim());
                self.remark_on(section, line, &what);
            }
        }
    }

    /// The section shows the UUID with hyphens; the base holds its 16 bytes as base64.
    fn lay_uuid(&mut self, shown: &str) -> bool {
        let Some(uuid) = Uuid::from_hex(shown) else {
            return false;
        };
        let known = self.base.text("uuid").unwrap_or_default();
        if !known.eq_ignore_ascii_case(shown) {
            self.base.set_text("uuid", &uuid.base64());
        }
        true
    }

    fn lay_time(&mut self, shown: &str) -> bool {
        let Ok(time) = shown.parse::<jiff::Timestamp>() else {
            return false;
        };
        let known = self.base.text("ts").and_then(|known| known.parse().ok());
        if known != Some(time) {
            self.base.set_text("ts", shown);
        }
        true
    }

    /// The section shows the duration as Go writes it; the base holds whole milliseconds, and a
    /// missing one is 0.
    fn lay_duration(&mut self, shown: &str) -> bool {
        let Some(millis) = millis(shown) else {
            return false;
        };
        let known = self.base.raw("duration").unwrap_or("0");
        let known = known.trim_matches('"').parse::<f64>();
        if known.is_ok_and(|known| known.trunc() != millis.trunc()) {
            self.base
                .set("duration", format!("{millis:.0}", millis = millis.trunc()));
        }
        true
    }

    /// A section shows some of the tags: the others stay as they are.
    fn lay_tags(&mut self, shown: &str) -> bool {
        let mut tags = self.base.object("tags");
        let mut pairs: Vec<(String, String)> = Vec::new();
        for part in shown.split(", ").filter(|part| !part.trim().is_empty()) {
            match (part.split_once('='), pairs.last_mut()) {
                (Some((key, value)), _) => pairs.push((key.trim().into(), value.into())),
                // A value may contain the comma that separates the tags.
                (None, Some((_, value))) => *value = format!("{value}, {part}"),
                (None, None) => return false,
            }
        }
        for (key, value) in &pairs {
            let known = tags.text(key);
            let plain = value.replace("\\,", ",").replace("\\\\", "\\");
            if known.as_ref() != Some(&plain) {
                tags.set_text(key, value);
            }
        }
        self.base.set_object("tags", &tags);
        true
    }
}

/// The milliseconds of a duration such as `150ms`, `1.5s` or `1h2m3s` (Go, `time.Duration.String`).
fn millis(text: &str) -> Option<f64> {
    let (mut rest, mut sum) = (text, 0.0);
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        let unit_end = rest[end..].find(|c: char| c.is_ascii_digit());
        let unit_end = unit_end.map_or(rest.len(), |at| end + at);
        sum += number
            * match &rest[end..unit_end] {
                "ns" => 1e-6,
                "us" | "µs" | "μs" => 1e-3,
                "ms" => 1.0,
                "s" => 1e3,
                "m" => 60e3,
                "h" => 3600e3,
                _ => return None,
            };
        rest = &rest[unit_end..];
    }
    (!text.is_empty()).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::millis;

    #[test]
    fn durations_are_parsed_as_go_parses_them() {
        let cases = [
            ("0ms", Some(0.0)),
            ("150ms", Some(150.0)),
            ("1.5s", Some(1500.0)),
            ("1h2m3s", Some(3_723_000.0)),
            ("0s", Some(0.0)),
            ("7", None),
            ("7d", None),
            ("", None),
            ("soon", None),
        ];
        for (text, expected) in cases {
            assert_eq!(millis(text), expected, "{text}");
        }
    }
}
