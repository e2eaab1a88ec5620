//! What the service writes for a record that it reads.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

/// The value of the answer to `input`: what came in, and that it is billed.
pub(crate) fn healthy(input: Option<&[u8]>) -> Value {
    let input = input.map(|bytes| {
        serde_json::from_slice(bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(bytes).into()))
    });
    json!({ "order": input, "billed": true })
}

/// The same with the fault of a wrong value.
pub(crate) fn wrong(input: Option<&[u8]>) -> Value {
    let mut answer = healthy(input);
    answer["billed"] = json!(false);
    answer
}

/// The same with values that are never the same twice: an id that follows from `number`, and the time.
pub(crate) fn with_ids(input: Option<&[u8]>, number: u64) -> Value {
    let mut answer = healthy(input);
    answer["id"] = json!(id(number));
    answer["at"] = json!(now().as_millis());
    answer
}

/// An id that follows from `number`, and is never the same twice.
pub(crate) fn id(number: u64) -> String {
    format!("{:08x}-0000-4000-8000-{number:012x}", now().subsec_nanos())
}

fn now() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}
