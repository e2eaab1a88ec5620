//! How each tool writes a record: the table in `mod.rs`, as data.

use serde_json::{Map, Value};

/// The members of a record as a tool prints it.
pub(super) type ToolMembers = Map<String, Value>;

/// How one tool writes a record.
pub(super) struct ToolFormat {
    pub(super) tool: &'static str,
    pub(super) recognises: fn(&ToolMembers) -> bool,
    pub(super) topic: &'static str,
    pub(super) partition: &'static str,
    pub(super) key: &'static str,
    /// The first of these members that exists.
    pub(super) value: &'static [&'static str],
    pub(super) offset: &'static str,
    pub(super) timestamp: &'static str,
    pub(super) headers: &'static str,
    /// Known members without use.
    pub(super) unused: &'static [&'static str],
    /// What the tool itself leaves out of the line.
    pub(super) lossy: fn(&ToolMembers) -> Option<&'static str>,
    pub(super) bytes: BytesSpelling,
}

/// How a tool writes a key, a value or a header.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum BytesSpelling {
    /// As text.
    Text,
    /// As text, with base64 in headers.
    HeadersBase64,
    /// As base64; in headers as lists of bytes.
    Base64,
    /// As an object with `payload`, `encoding` and `isPayloadNull`.
    Payload,
}

pub(super) const KCAT: &str = "`kcat -J` prints them";

const PLAIN: ToolFormat = ToolFormat {
    tool: "",
    recognises: |_| false,
    topic: "topic",
    partition: "partition",
    key: "key",
    value: &["value"],
    offset: "offset",
    timestamp: "timestamp",
    headers: "headers",
    unused: &[],
    lossy: |_| None,
    bytes: BytesSpelling::Text,
};

pub(super) static FORMATS: [ToolFormat; 8] = [
    ToolFormat {
        tool: "rpk",
        recognises: |members| {
            let no_other = || {
                let own = [
                    "topic",
                    "partition",
                    "offset",
                    "timestamp",
                    "key",
                    "value_size",
                    "headers",
                ];
                members.keys().all(|name| own.contains(&name.as_str()))
            };
            has(members, &["topic", "partition", "offset"])
                && members.get("topic").is_some_and(Value::is_string)
                && members.get("timestamp").is_some_and(Value::is_i64)
                && match members.get("headers") {
                    Some(headers) => is_list_of_objects(headers),
                    None => no_other(),
                }
        },
        unused: &["value_size"],
        lossy: |members| {
            has(members, &["value_size"])
                .then_some("`--meta-only` keeps values out; run rpk without it")
        },
        ..PLAIN
    },
    ToolFormat {
        tool: "kt",
        recognises: |members| {
            has(members, &["partition", "offset", "key", "value"])
                && members.get("timestamp").is_some_and(Value::is_string)
                && members.len() == 5
        },
        topic: "",
        headers: "",
        ..PLAIN
    },
    ToolFormat {
        tool: "kafkactl",
        recognises: |members| has(members, &["Partition", "Offset", "Value"]),
        topic: "",
        partition: "Partition",
        key: "Key",
        value: &["Value"],
        offset: "Offset",
        timestamp: "Timestamp",
        headers: "Headers",
        unused: &["keySchema", "keySchemaId", "valueSchema", "valueSchemaId"],
        lossy: |members| match () {
            () if members.contains_key("valueSchema") || members.contains_key("keySchema") => Some(
                "it has decoded the record by a schema, so its bytes are missing; `kcat -J` prints them",
            ),
            () if !members.contains_key("Key") && !members.contains_key("Timestamp") => {
                Some("keys are missing; run kafkactl with `--print-all`")
            }
            () => None,
        },
        ..PLAIN
    },
    ToolFormat {
        tool: "kaf",
        recognises: |members| {
            has(members, &["payload", "partition", "offset"])
                && members.get("timestamp").is_some_and(Value::is_string)
        },
        topic: "",
        value: &["payload"],
        lossy: |members| {
            let is_present = |name| {
                let text = members.get(name).and_then(Value::as_str);
                text.is_some_and(|text| !text.is_empty())
            };
            // kaf decodes JSON and writes it again, and writes an empty text for a null.
            (!is_present("payload") || members.get("key").is_some_and(|key| !key.is_string()))
                .then_some("kaf reformats JSON and prints nulls as empty texts, so the bytes are missing; `kcat -J` prints them")
        },
        bytes: BytesSpelling::HeadersBase64,
        ..PLAIN
    },
    ToolFormat {
        tool: "Kafdrop",
        recognises: |members| has(members, &["message", "headersFormatted"]),
        topic: "",
        value: &["message"],
        unused: &["headersFormatted"],
        lossy: |members| {
            let is_empty = |name| members.get(name).is_some_and(|text| text == "empty");
            (is_empty("message") || is_empty("key"))
                .then_some("`empty` means a null or the text; `kcat -J` distinguishes them")
        },
        ..PLAIN
    },
    ToolFormat {
        tool: "AKHQ",
        recognises: |members| {
            members.get("topic").is_some_and(Value::is_object) || has(members, &["exceptions"])
        },
        unused: &[
            "keySchemaId",
            "valueSchemaId",
            "keySubject",
            "valueSubject",
            "exceptions",
            "truncated",
            "protobufToJsonDeserializer",
        ],
        lossy: |members| {
            let is_present = |name| members.get(name).is_some_and(|it| !it.is_null());
            match () {
                () if is_present("keySchemaId") || is_present("valueSchemaId") => Some(
                    "it has decoded the record by a schema, so its bytes are missing; `kcat -J` prints them",
                ),
                () if members.get("truncated").is_some_and(|it| it == true) => {
                    Some("its value is cut; `kcat -J` prints all of it")
                }
                () => None,
            }
        },
        ..PLAIN
    },
    ToolFormat {
        tool: "Redpanda Console",
        recognises: |members| {
            let value = members.get("value").and_then(Value::as_object);
            has(members, &["partitionID"])
                && value.is_some_and(|value| value.contains_key("isPayloadNull"))
        },
        partition: "partitionID",
        unused: &[
            "compression",
            "isTransactional",
            "valueJson",
            "valueBinHexPreview",
            "keyJson",
            "keyBinHexPreview",
        ],
        bytes: BytesSpelling::Payload,
        ..PLAIN
    },
    ToolFormat {
        tool: "kafka-ui",
        recognises: |members| {
            let marks = ["valueSerde", "keySerde", "valueSize", "keySize", "content"];
            has(members, &["timestampType", "partition", "offset"])
                && marks.iter().any(|name| members.contains_key(*name))
        },
        topic: "",
        value: &["value", "content"],
        unused: &[
            "timestampType",
            "keySize",
            "valueSize",
            "headersSize",
            "keySerde",
            "valueSerde",
            "keyFormat",
            "valueFormat",
            "keySchemaId",
            "valueSchemaId",
            "keyDeserializeProperties",
            "valueDeserializeProperties",
        ],
        lossy: |members| {
            let is_decoded = |name| {
                let serde = members.get(name).and_then(Value::as_str);
                serde.is_some_and(|serde| serde != "String")
            };
            let is_present = |name| members.get(name).is_some_and(|it| !it.is_null());
            (is_decoded("keySerde")
                || is_decoded("valueSerde")
                || is_present("keySchemaId")
                || is_present("valueSchemaId"))
            .then_some("it has decoded the record; choose the serde `String`, or `kcat -J`")
        },
        ..PLAIN
    },
];

/// A record of AWS Lambda's events.
pub(super) const LAMBDA: ToolFormat = ToolFormat {
    tool: "AWS Lambda",
    unused: &["timestampType", "keySchemaMetadata", "valueSchemaMetadata"],
    bytes: BytesSpelling::Base64,
    ..PLAIN
};

fn has(members: &ToolMembers, names: &[&str]) -> bool {
    names.iter().all(|name| members.contains_key(*name))
}

fn is_list_of_objects(node: &Value) -> bool {
    node.as_array()
        .is_some_and(|list| !list.is_empty() && list.iter().all(Value::is_object))
}
