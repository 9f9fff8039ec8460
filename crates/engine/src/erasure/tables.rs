//! The counts of a request's tables, carried from look to erasure to re-reading, over crashes and second tries.

use model::erasure::TableResult;
use store::erasures::SystemRow;

/// Counts after a look: what is found now, and what was erased before it.
pub(super) fn after_survey(before: &[TableResult], found: &[TableResult]) -> Vec<TableResult> {
    let count = |now: &TableResult| {
        let erased = of(before, &now.name).map_or(0, |table| table.erased);
        TableResult { name: now.name.clone(), found: now.found + erased, erased, kept: 0, remaining: 0 }
    };
    found.iter().map(count).collect()
}

/// Counts after an erasure: rows that came after the look are found too.
pub(super) fn after_erase(before: &[TableResult], erased: &[TableResult]) -> Vec<TableResult> {
    let count = |now: &TableResult| {
        let before = of(before, &now.name).cloned().unwrap_or_default();
        let erased = before.erased + now.erased;
        TableResult {
            name: now.name.clone(),
            found: before.found.max(erased + now.kept),
            erased,
            kept: now.kept,
            remaining: 0,
        }
    };
    erased.iter().map(count).collect()
}

/// Counts after reading again. What was found and is not there any more was erased, also where a crash kept us from counting it.
pub(super) fn after_reread(before: &[TableResult], reread: &[TableResult]) -> Vec<TableResult> {
    let count = |now: &TableResult| {
        let before = of(before, &now.name).cloned().unwrap_or_default();
        let left = now.kept + now.remaining;
        TableResult {
            name: now.name.clone(),
            found: before.found.max(left),
            erased: before.erased.max(before.found.saturating_sub(left)),
            kept: now.kept,
            remaining: now.remaining,
        }
    };
    reread.iter().map(count).collect()
}

/// Tells whether anything of the person was found in any system.
pub(super) fn any_found(systems: &[SystemRow]) -> bool {
    systems.iter().flat_map(|system| &system.tables).any(|table| table.found > 0)
}

fn of<'a>(tables: &'a [TableResult], name: &str) -> Option<&'a TableResult> {
    tables.iter().find(|table| table.name == name)
}
