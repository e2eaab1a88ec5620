use super::*;
use crate::extract::profile::Candidates;

/// The RRPairs of `text` with their lines; `-` for a node that holds none.
fn found(envelope: &Envelope, text: &str) -> (Vec<(u64, String)>, bool) {
    let EnvelopeContents::Within { nodes, damage } = envelope.contents(text) else {
        return (vec![(0, "itself".into())], false);
    };
    let rrpair = |node: &EnvelopeNode<'_>| node.rrpair().map_or("-".into(), Cow::into_owned);
    let nodes = nodes.iter().map(|node| (node.lines, rrpair(node)));
    (nodes.collect(), damage.is_some())
}

fn by_content() -> Envelope {
    Envelope::of(&Profile::default()).expect("its path is plain")
}

fn by_profile(path: &str) -> Result<Envelope, Error> {
    Envelope::of(&Profile {
        rrpair: Candidates::one(path),
        ..Profile::default()
    })
}

fn body(uuid: &str) -> String {
    format!(
        r#"{{"body":{{"kvlistValue":{{"values":[{{"key":"l7protocol","value":{{"stringValue":"kafka"}}}},{{"key":"uuid","value":{{"stringValue":"{uuid}"}}}}]}}}}}}"#
    )
}

fn export(records: &[String]) -> String {
    let records = records.join(",\n");
    format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{records}]}}]}}]}}"#)
}

#[test]
fn a_log_export_is_recognised_by_its_content() {
    let rrpair = |uuid: &str| format!(r#"{{"l7protocol":"kafka","uuid":"{uuid}"}}"#);
    let log = r#"{"body":{"stringValue":"a line"}}"#.to_owned();
    let text = export(&[body("a"), log.clone(), body("b")]);
    let expected = vec![(0, rrpair("a")), (1, "-".into()), (2, rrpair("b"))];
    assert_eq!(found(&by_content(), &text), (expected, false));
    let itself = (vec![(0, "itself".to_owned())], false);
    for other in [
        export(&[log]),
        export(&[]),
        rrpair("a"),
        r#"{"a":{"resourceLogs":[]}}"#.into(),
        "{\"resourceLogs".into(),
        String::new(),
    ] {
        assert_eq!(found(&by_content(), &other), itself, "{other}");
    }
}

#[test]
fn rrpairs_before_damage_are_found_wherever_the_text_is_cut() {
    let text = export(&[body("a"), body("b")]);
    let first = text.find("},\n").expect("there are two");
    for cut in first..text.len() {
        let (rrpairs, is_damaged) = found(&by_content(), &text[..cut]);
        assert!(
            is_damaged && !rrpairs.is_empty(),
            "cut at {cut}: {rrpairs:?}"
        );
        assert!(rrpairs[0].1.contains(r#""uuid":"a""#), "cut at {cut}");
    }
}

#[test]
fn a_profile_says_where_rrpairs_are() {
    let envelope = by_profile("$._source.Body").expect("it is plain");
    let hit = r#"{"_id":"1","_source":{"Body":{"uuid":"a","n":1e400}}}"#;
    let expected = vec![(0, r#"{"uuid":"a","n":1e400}"#.to_owned())];
    assert_eq!(found(&envelope, hit), (expected, false));
    assert_eq!(found(&envelope, r#"{"_id":"1"}"#), (vec![], false));
    let lines = by_profile("$.data.result[*].values[*][1]").expect("it is plain");
    let answer = r#"{"data":{"result":[{"values":[["17","{\"uuid\":\"a\"}"],["18","a line"]]}]}}"#;
    let expected = vec![(0, r#"{"uuid":"a"}"#.into()), (0, "-".into())];
    assert_eq!(found(&lines, answer), (expected, false));
    for (path, why) in [("$..Body", "only names"), ("$.[", "rrpair")] {
        let error = by_profile(path).expect_err(path).to_string();
        assert!(error.contains(why), "{error}");
    }
}
