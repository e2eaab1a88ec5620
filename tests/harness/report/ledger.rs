//! The ledger of a JSON report as one line of text, so that tests can say literally what they expect.

use serde_json::Value;

/// The outcomes in the order of the manual.
const OUTCOMES: [&str; 10] = [
    "duplicates",
    "filtered",
    "control",
    "aborted",
    "unreadable",
    "unselected",
    "delivered",
    "not_written",
    "unknown",
    "unsent",
];

/// `51 = 2 control + 49 delivered`: what was found, and every outcome that is not 0.
///
/// # Panics
/// Panics if an entry is missing or unknown, or the ledger does not balance.
pub(crate) fn ledger(report: &Value) -> String {
    let entries = report["ledger"].as_object().expect("a report has a ledger");
    for name in entries.keys() {
        let known = name == "found" || OUTCOMES.contains(&name.as_str());
        assert!(known, "`{name}` is no entry of a ledger");
    }
    let outcomes = OUTCOMES.map(|name| (name, entry(report, name)));
    let sum: u64 = outcomes.iter().map(|(_, n)| n).sum();
    assert_eq!(entry(report, "found"), sum, "{report:#}");
    let parts = outcomes.iter().filter(|(_, n)| *n > 0);
    let parts: Vec<String> = parts.map(|(name, n)| format!("{n} {name}")).collect();
    format!("{sum} = {}", parts.join(" + "))
}

/// One entry of the ledger.
///
/// # Panics
/// Panics if there is none.
pub(crate) fn entry(report: &Value, name: &str) -> u64 {
    report["ledger"][name]
        .as_u64()
        .unwrap_or_else(|| panic!("the ledger has no `{name}`: {report:#}"))
}
