use super::*;
use crate::record::lines::write;

/// The record lines that `text` yields, and what is wrong with the others.
fn read(text: &str) -> Option<(Vec<String>, Vec<String>)> {
    let mut batch = Batch::default();
    let origin = Origin { input: 0, line: 1 };
    let bad = read_foreign(text.as_bytes(), origin, &mut batch)?;
    let lines = batch.records.iter().map(|record| {
        let mut line = Vec::new();
        write(&batch, record, &mut line);
        String::from_utf8(line)
            .expect("JSON is UTF-8")
            .trim()
            .into()
    });
    Some((lines.collect(), bad))
}

/// Samples in the form of each tool's source or documentation, each with its record. 2026-01-05T09:00:00Z is
/// 20,458 days and 9 hours after 1970: (20458 * 24 + 9) * 3600 * 1000 ms.
#[test]
fn a_record_of_each_tool_is_read_for_what_it_is() {
    assert_eq!((20_458_i64 * 24 + 9) * 3600 * 1000, 1_767_603_600_000);
    let table = [
        (
            r#"{"topic":"o","key":"k","value":"v","headers":[{"key":"h","value":"x"}],"timestamp":1767603600000,"partition":1,"offset":7}"#,
            r#"{"topic":"o","partition":1,"offset":7,"timestamp":1767603600000,"key":"k","value":"v","headers":[["h","x"]]}"#,
        ),
        (
            "{\n  \"topic\": \"o\",\n  \"key\": \"k\",\n  \"timestamp\": 1767603600000,\n  \"partition\": 1,\n  \"offset\": 8\n}",
            r#"{"topic":"o","partition":1,"offset":8,"timestamp":1767603600000,"key":"k","value":null,"headers":[]}"#,
        ),
        (
            r#"{"partition":2,"offset":3,"key":null,"value":"v","timestamp":"2026-01-05T10:00:00.005+01:00"}"#,
            r#"{"partition":2,"offset":3,"timestamp":1767603600005,"key":null,"value":"v","headers":[]}"#,
        ),
        (
            r#"{"Partition":2,"Offset":3,"Headers":{"h":"x"},"Key":"k","Value":null,"Timestamp":"2026-01-05T09:00:00Z"}"#,
            r#"{"partition":2,"offset":3,"timestamp":1767603600000,"key":"k","value":null,"headers":[["h","x"]]}"#,
        ),
        (
            r#"{"headers":[{"Key":"aA==","Value":"eA=="}],"key":"k","offset":3,"partition":2,"payload":"v","timestamp":"2026-01-05T09:00:00Z"}"#,
            r#"{"partition":2,"offset":3,"timestamp":1767603600000,"key":"k","value":"v","headers":[["h","x"]]}"#,
        ),
        (
            r#"{"partition":2,"offset":3,"message":"v","key":"k","headers":{"h":"x"},"timestamp":"2026-01-05 09:00:00.004","headersFormatted":"h: x"}"#,
            r#"{"partition":2,"offset":3,"timestamp":1767603600004,"key":"k","value":"v","headers":[["h","x"]]}"#,
        ),
        (
            r#"{"topic":{"name":"o","internal":false},"partition":2,"offset":3,"timestamp":"2026-01-05T09:00:00Z","keySchemaId":null,"valueSchemaId":null,"headers":{"h":null},"exceptions":[],"key":"k","value":null}"#,
            r#"{"topic":"o","partition":2,"offset":3,"timestamp":1767603600000,"key":"k","value":null,"headers":[["h",null]]}"#,
        ),
        (
            r#"{"partitionID":2,"offset":3,"timestamp":1767603600000,"compression":"snappy","isTransactional":false,"headers":[{"key":"h","value":{"payload":"x","isPayloadNull":false,"encoding":"text"}}],"key":{"payload":null,"isPayloadNull":true,"encoding":"null"},"value":{"payload":"v","isPayloadNull":false,"encoding":"text"}}"#,
            r#"{"partition":2,"offset":3,"timestamp":1767603600000,"key":null,"value":"v","headers":[["h","x"]]}"#,
        ),
        // As Redpanda Console saves it today: headers are JSON in JSON, and `size` shows it; raw data are the
        // bytes.
        (
            r#"{"partitionID":2,"offset":3,"timestamp":1767603600000,"compression":"snappy","isTransactional":false,"headers":[{"key":"h","value":{"payload":"\"x\"","encoding":"text","isPayloadNull":false,"schemaId":0,"size":1}},{"key":"q","value":{"payload":"\"x\"","encoding":"text","isPayloadNull":false,"schemaId":0,"size":3}}],"key":{"payload":{"id":7},"rawPayload":"AAAAAAf/","encoding":"avro","isPayloadNull":false,"schemaId":7,"size":6},"value":{"payload":"v","encoding":"text","isPayloadNull":false,"schemaId":0,"size":1}}"#,
            r#"{"partition":2,"offset":3,"timestamp":1767603600000,"key_base64":"AAAAAAf/","value":"v","headers":[["h","x"],["q","\"x\""]]}"#,
        ),
        (
            r#"{"partition":2,"offset":3,"timestamp":"2026-01-05T09:00:00Z","timestampType":"CREATE_TIME","key":"k","headers":{"h":"x"},"content":"v","keySize":1,"valueSize":1,"keySerde":"String","valueSerde":"String"}"#,
            r#"{"partition":2,"offset":3,"timestamp":1767603600000,"key":"k","value":"v","headers":[["h","x"]]}"#,
        ),
    ];
    for (text, expected) in table {
        assert_eq!(read(text), Some((vec![expected.into()], vec![])), "{text}");
    }
}

/// The values are `printf hello | base64` and `printf '\377' | base64`; the name and the value of the
/// header are those of AWS's own example.
#[test]
fn an_event_of_lambda_gives_all_its_records() {
    let event = r#"{"eventSource":"aws:kafka","eventSourceArn":"arn","bootstrapServers":"b:9092","records":{
        "o-0":[{"topic":"o","partition":0,"offset":15,"timestamp":1545084650987,"timestampType":"CREATE_TIME","key":"/w==","value":"aGVsbG8=",
                "headers":[{"headerKey":[104,101,97,100,101,114,86,97,108,117,101,-1]}]},
               {"topic":"o","partition":0,"offset":16,"timestamp":1,"timestampType":"CREATE_TIME","value":"no base64!"}],
        "p-1":[{"topic":"p","partition":1,"offset":2,"timestamp":1,"timestampType":"CREATE_TIME","key":null,"value":null,"headers":[]}]}}"#;
    // `printf 'headerValue\377' | base64`
    let first = r#"{"topic":"o","partition":0,"offset":15,"timestamp":1545084650987,"key_base64":"/w==","value":"hello","headers":[["headerKey",{"base64":"aGVhZGVyVmFsdWX/"}]]}"#;
    let last = r#"{"topic":"p","partition":1,"offset":2,"timestamp":1,"key":null,"value":null,"headers":[]}"#;
    let bad = "`o-0`, record 1: a record of AWS Lambda: its value is not base64";
    assert_eq!(
        read(event),
        Some((vec![first.into(), last.into()], vec![bad.into()]))
    );
}

#[test]
fn fields_that_a_tool_omits_are_named_with_the_tool() {
    let schema =
        "it has decoded the record by a schema, so its bytes are missing; `kcat -J` prints them";
    let kaf = "kaf reformats JSON and prints nulls as empty texts, so the bytes are missing; `kcat -J` prints them";
    let table = [
        (
            r#"{"topic":"o","key":"k","value_size":5,"timestamp":1,"partition":1,"offset":7}"#,
            "rpk",
            "`--meta-only` keeps values out; run rpk without it",
        ),
        (
            r#"{"topic":"o","value":"v","headers":[{"key":"h","value":"x"}],"timestamp":1,"partition":1,"offset":7,"key_hex":"00"}"#,
            "rpk",
            "kreplay does not know its member `key_hex`",
        ),
        (
            r#"{"Partition":2,"Offset":3,"Value":"v"}"#,
            "kafkactl",
            "keys are missing; run kafkactl with `--print-all`",
        ),
        (
            r#"{"Partition":2,"Offset":3,"Key":"k","valueSchema":"{}","valueSchemaId":4,"Value":"{}"}"#,
            "kafkactl",
            schema,
        ),
        (
            r#"{"key":"k","offset":3,"partition":2,"payload":{"a":1},"timestamp":"2026-01-05T09:00:00Z"}"#,
            "kaf",
            kaf,
        ),
        (
            r#"{"key":"k","offset":3,"partition":2,"payload":"","timestamp":"2026-01-05T09:00:00Z"}"#,
            "kaf",
            kaf,
        ),
        (
            r#"{"partition":2,"offset":3,"message":"empty","key":"k","headers":{},"timestamp":"2026-01-05 09:00:00.004","headersFormatted":"empty"}"#,
            "Kafdrop",
            "`empty` means a null or the text; `kcat -J` distinguishes them",
        ),
        (
            r#"{"topic":{"name":"o"},"partition":2,"offset":3,"valueSchemaId":7,"value":"{}"}"#,
            "AKHQ",
            schema,
        ),
        (
            r#"{"partitionID":2,"offset":3,"timestamp":1,"key":{"isPayloadNull":true},"value":{"payload":{"a":1},"isPayloadNull":false,"encoding":"json"}}"#,
            "Redpanda Console",
            "its value is decoded or cut, so its bytes are missing; save it with raw data, or `kcat -J` prints them",
        ),
        (
            r#"{"partition":2,"offset":3,"timestampType":"CREATE_TIME","value":"{}","valueSerde":"SchemaRegistry"}"#,
            "kafka-ui",
            "it has decoded the record; choose the serde `String`, or `kcat -J`",
        ),
    ];
    for (text, tool, why) in table {
        let reason = format!("a record of {tool}: {why}");
        assert_eq!(read(text), Some((vec![], vec![reason])), "{text}");
    }
}

#[test]
fn an_ambiguous_record_is_attributed_to_no_tool() {
    for text in [
        "{}",
        "7",
        r#"{"topic":"o","partition":1,"offset":7,"timestamp":1,"value":7}"#,
        r#"{"topic":"o","partition":1,"offset":7,"timestamp":1,"key_base64":"/w=="}"#,
        r#"{"topic":"o","partition":1,"offset":7}"#,
        r#"{"partition":1,"offset":7,"key":"k","value":"v","timestamp":"2026-01-05T09:00:00Z","more":1}"#,
        r#"{"records":{},"eventSource":"aws:sqs"}"#,
    ] {
        assert_eq!(read(text), None, "{text}");
    }
}

#[test]
fn a_value_cut_by_redpanda_console_is_not_taken_for_the_whole() {
    let text = r#"{"partitionID":2,"offset":3,"value":{"payload":"1 of many","isPayloadNull":false,"encoding":"text","size":20480}}"#;
    let reason = "a record of Redpanda Console: its value is decoded or cut, so its bytes are missing; \
                save it with raw data, or `kcat -J` prints them";
    assert_eq!(read(text), Some((vec![], vec![reason.into()])));
}
