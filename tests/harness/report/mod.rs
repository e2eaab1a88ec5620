//! What a JSON report says: its ledger as one line, and whether its schema describes it.

pub(crate) mod ledger;
pub(crate) mod schema;

use serde_json::Value;

use super::run::RunOutput;

/// Checks what holds for every run with a report: no panic, the exit code of the report, a ledger that balances.
pub(crate) fn assert_sound(output: &RunOutput, report: &Value) {
    assert!(!output.stderr.contains("panicked"), "{output:#?}");
    assert_eq!(report["exit_code"], output.code, "{output:#?}");
    let ledger = report["ledger"]
        .as_object()
        .expect("the report has a ledger");
    let total: u64 = ledger.values().filter_map(Value::as_u64).sum();
    assert_eq!(
        report["ledger"]["found"].as_u64(),
        Some(total / 2),
        "{output:#?}"
    );
}
