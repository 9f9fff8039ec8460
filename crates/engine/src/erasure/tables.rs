//! The counts of a request's tables, carried from look to erasure to re-reading, over crashes and second tries.

use jiff::Timestamp;
use model::erasure::{Evidence, SystemState, TableResult};
use store::erasures::SystemRow;

/// Counts after a look: what is found now, and what was erased before it.
pub(super) fn after_survey(before: &[TableResult], found: &[TableResult]) -> Vec<TableResult> {
    let count = |now: &TableResult| {
        let erased = of(before, &now.name).map_or(0, |table| table.erased);
        TableResult { found: now.found + erased, erased, kept: 0, remaining: 0, ..now.clone() }
    };
    found.iter().map(count).collect()
}

/// Counts after an erasure at this time: rows that came after the look are found too.
pub(super) fn after_erase(before: &[TableResult], erased: &[TableResult], at: Timestamp) -> Vec<TableResult> {
    let count = |now: &TableResult| {
        let before = of(before, &now.name).cloned().unwrap_or_default();
        let erased = before.erased + now.erased;
        if let Some(evidence) = &now.evidence {
            // Nobody could look before: what was there is what they say was there.
            let evidence = Some(Evidence { at: evidence.at.or(Some(at)), ..evidence.clone() });
            return TableResult { found: erased, erased, evidence, ..now.clone() };
        }
        TableResult { found: before.found.max(erased + now.kept), erased, remaining: 0, ..now.clone() }
    };
    erased.iter().map(count).collect()
}

/// Counts after reading again. What was found and is not there any more was erased, also where a crash kept us from counting it.
pub(super) fn after_reread(before: &[TableResult], reread: &[TableResult]) -> Vec<TableResult> {
    let count = |now: &TableResult| {
        let before = of(before, &now.name).cloned().unwrap_or_default();
        let left = now.kept + now.remaining;
        TableResult {
            found: before.found.max(left),
            erased: before.erased.max(before.found.saturating_sub(left)),
            // What was said when it was erased still holds: reading again adds nothing where it cannot be done.
            evidence: now.evidence.clone().or(before.evidence),
            ..now.clone()
        }
    };
    reread.iter().map(count).collect()
}

/// Returns what the ledger may hold: what others said could name the person, so their words stay out; their digest proves them.
pub(super) fn without_words(tables: &[TableResult]) -> Vec<TableResult> {
    let silent = |evidence: Evidence| Evidence { words: String::new(), ..evidence };
    tables.iter().map(|table| TableResult { evidence: table.evidence.clone().map(silent), ..table.clone() }).collect()
}

/// Tells how a system ended that was found clear.
pub(super) fn outcome(system: &SystemRow) -> SystemState {
    if !system.kept.is_empty() || system.tables.iter().any(|table| table.kept > 0) {
        SystemState::Kept
    } else if system.tables.iter().any(|table| table.evidence.is_some()) {
        SystemState::Attested
    } else {
        SystemState::VerifiedEmpty
    }
}

/// Tells whether anything of the person was found in any system.
pub(super) fn any_found(systems: &[SystemRow]) -> bool {
    systems.iter().flat_map(|system| &system.tables).any(|table| table.found > 0)
}

fn of<'a>(tables: &'a [TableResult], name: &str) -> Option<&'a TableResult> {
    tables.iter().find(|table| table.name == name)
}
