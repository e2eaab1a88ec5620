//! `docs/report.schema.json`, and whether a report conforms to it. It checks every JSON report that a test
//! parses, so that a member without a description is noticed wherever it first occurs.
//!
//! The validator is our own, because the crates that read all of JSON Schema (draft 2020-12) bring some forty
//! others. It knows the few keywords that the schema uses, and refuses a schema with any other.

use std::sync::OnceLock;

use serde_json::{Map, Value};

/// Keywords that do not restrict a value.
const SILENT: [&str; 5] = ["$schema", "$defs", "title", "description", "required"];

/// Why `report` does not conform to the schema.
pub(crate) fn fault_of_report(report: &Value) -> Option<String> {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    let schema = SCHEMA.get_or_init(|| {
        let text = include_str!("../../../docs/report.schema.json");
        serde_json::from_str(text).expect("the schema is JSON")
    });
    let fault = fault(schema, schema, report, "")?;
    Some(format!("docs/report.schema.json: {fault}"))
}

/// The first thing in `value`, which is at `place`, that `rule` of the schema `root` does not allow.
fn fault(root: &Value, rule: &Value, value: &Value, place: &str) -> Option<String> {
    let rule = rule.as_object().expect("a rule is an object");
    rule.iter().find_map(|(keyword, says)| match &**keyword {
        keyword if SILENT.contains(&keyword) => None,
        "$ref" => {
            let pointer = says.as_str().and_then(|text| text.strip_prefix('#'));
            let rule = pointer.and_then(|pointer| root.pointer(pointer));
            fault(
                root,
                rule.expect("what is referred to is there"),
                value,
                place,
            )
        }
        "anyOf" => any_of(root, says, value, place),
        "type" => {
            let is_one = match says {
                Value::Array(types) => types.iter().any(|one| is_of(one, value)),
                one => is_of(one, value),
            };
            (!is_one).then(|| format!("{place} is {value}, and should be {says}"))
        }
        "enum" => {
            let is_one = says.as_array().expect("a list").contains(value);
            (!is_one).then(|| format!("{place} is {value}, which is none of {says}"))
        }
        "const" => (says != value).then(|| format!("{place} is {value}, and should be {says}")),
        "minimum" => {
            let least = says.as_f64().expect("a number");
            let is_less = value.as_f64().is_some_and(|number| number < least);
            is_less.then(|| format!("{place} is {value}, less than {least}"))
        }
        "properties" => members(root, rule, value.as_object()?, place),
        // If there are properties, they check the others.
        "additionalProperties" if rule.contains_key("properties") => None,
        "additionalProperties" => members(root, rule, value.as_object()?, place),
        "items" => {
            let items = value.as_array()?.iter().enumerate();
            let mut faults =
                items.filter_map(|(i, item)| fault(root, says, item, &format!("{place}/{i}")));
            faults.next()
        }
        _ => panic!("the schema uses `{keyword}`, which this does not know"),
    })
}

/// Of all alternatives that do not fit, the fault that is found last: that one is meant.
fn any_of(root: &Value, rules: &Value, value: &Value, place: &str) -> Option<String> {
    let rules = rules.as_array().expect("a list");
    let faults = rules.iter().map(|rule| fault(root, rule, value, place));
    let faults: Option<Vec<String>> = faults.collect();
    let depth = |fault: &String| {
        fault
            .split(' ')
            .next()
            .map(|place| place.matches('/').count())
    };
    faults?.into_iter().rev().max_by_key(depth)
}

fn members(
    root: &Value,
    rule: &Map<String, Value>,
    members: &Map<String, Value>,
    place: &str,
) -> Option<String> {
    let none = Map::new();
    let known = rule.get("properties").and_then(Value::as_object);
    let known = known.unwrap_or(&none);
    let others = rule.get("additionalProperties");
    let mut required = rule
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let lacks = |name: &&Value| !members.contains_key(name.as_str().expect("a name"));
    if let Some(name) = required.find(lacks) {
        return Some(format!("{place}/ has no {name}"));
    }
    members.iter().find_map(|(name, value)| {
        let place = format!("{place}/{name}");
        match (known.get(name), others) {
            (Some(rule), _) => fault(root, rule, value, &place),
            (None, Some(Value::Bool(false))) => Some(format!("{place} is not described")),
            (None, Some(rule)) => fault(root, rule, value, &place),
            (None, None) => None,
        }
    })
}

fn is_of(name: &Value, value: &Value) -> bool {
    match name.as_str().expect("the name of a type") {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the schema uses the type `{other}`, which this does not know"),
    }
}
