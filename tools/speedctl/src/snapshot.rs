//! The RRPairs of a snapshot, from a local file.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::failure::Failure;

/// Opens the RRPairs of a snapshot; their file takes the place of the cloud.
pub(crate) fn open_snapshot(id: &str) -> Result<BufReader<File>, Failure> {
    let folder = std::env::var_os("STANDIN_DATA").unwrap_or_else(|| "fixtures".into());
    let file = PathBuf::from(folder).join(format!("{id}.jsonl"));
    match File::open(&file) {
        Ok(opened) => Ok(BufReader::new(opened)),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
            Err(Failure::new(format!("snapshot not found: {id}")))
        }
        Err(cause) => Err(Failure::new(format!("{}: {cause}", file.display()))),
    }
}

/// The RRPair's uuid, hyphenated; raw files hold base64 of 16 bytes. Any other text is given back as it is.
pub(crate) fn uuid_text(pair: &Value) -> String {
    let text = pair["uuid"].as_str().unwrap_or_default();
    match STANDARD.decode(text) {
        Ok(bytes) if bytes.len() == 16 => {
            let mut uuid: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            for at in [20, 16, 12, 8] {
                uuid.insert(at, '-');
            }
            uuid
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::uuid_text;
    use serde_json::json;

    #[test]
    fn a_uuid_is_hyphenated() {
        let expected = "d5b228c7-ccb7-4b00-8266-4202a9aa898e";
        assert_eq!(
            uuid_text(&json!({"uuid": "1bIox8y3SwCCZkICqaqJjg=="})),
            expected
        );
        assert_eq!(uuid_text(&json!({ "uuid": expected })), expected);
        assert_eq!(uuid_text(&json!({})), "");
    }
}
