//! What stays of a row: the columns that a redaction leaves, and the stubs that kept or tombstoned rows go on referring to.

use std::collections::BTreeMap;

use model::catalog::CatalogColumn;
use model::plan::{Action, Holder, Redaction, Reference, Step};
use model::world::{Keep, OnErase};

use super::Mapped;

/// Marks the tables whose rows may have to stay as stubs, follows what these in turn refer to, and settles every redaction.
pub(super) fn mark(mapped: &[Mapped<'_>], steps: &mut BTreeMap<&str, Step>) {
    for table in mapped {
        settle(table, steps);
    }
    for table in mapped.iter().filter(|table| table.on_erase() == Some(OnErase::Tombstone)) {
        for reference in &table.container {
            hold(mapped, steps, Holder { table: table.live.name.clone(), reference: reference.clone(), keep: None });
        }
    }
    for table in mapped {
        if let Some(keep) = &table.map.keep {
            hold_targets(mapped, steps, table, Some(keep));
        }
    }
}

/// Lets `holder` hold rows of the table it refers to, and these what they refer to.
fn hold(mapped: &[Mapped<'_>], steps: &mut BTreeMap<&str, Step>, holder: Holder) {
    let Some(table) = mapped.iter().find(|table| table.live.name == holder.reference.table) else { return };
    let Some(step) = steps.get_mut(table.live.name.as_str()) else { return };
    if step.holders.contains(&holder) || matches!(step.action, Action::Keep(_)) {
        return;
    }
    let keep = holder.keep.clone();
    step.action = Action::DeleteOrStub;
    step.keys.insert(holder.reference.target.clone());
    step.holders.push(holder);
    settle(table, steps);
    hold_targets(mapped, steps, table, keep.as_ref());
}

/// Lets the rows of a table that stay hold what their foreign keys go on referring to.
fn hold_targets(mapped: &[Mapped<'_>], steps: &mut BTreeMap<&str, Step>, table: &Mapped<'_>, keep: Option<&Keep>) {
    let Some(step) = steps.get(table.live.name.as_str()) else { return };
    let stays = |name: &String| step.columns.get(name).is_some_and(|column| column.redaction == Redaction::Stay);
    let held: Vec<Reference> = table
        .live
        .foreign_keys
        .iter()
        .filter(|key| key.columns.iter().all(stays))
        .map(|key| Reference { columns: key.columns.clone(), table: key.table.clone(), target: key.target.clone() })
        .collect();
    for reference in held {
        hold(mapped, steps, Holder { table: table.live.name.clone(), reference, keep: keep.cloned() });
    }
}

/// Says for every column what a redaction of the row does to it.
fn settle(table: &Mapped<'_>, steps: &mut BTreeMap<&str, Step>) {
    let Some(step) = steps.get_mut(table.live.name.as_str()) else { return };
    if step.action == Action::Delete {
        return;
    }
    step.keys.insert(table.live.primary_key.clone());
    for live in &table.live.columns {
        let redaction = redaction(table, step, live);
        if let Some(column) = step.columns.get_mut(&live.name) {
            column.redaction = redaction;
        }
    }
}

fn redaction(table: &Mapped<'_>, step: &Step, column: &CatalogColumn) -> Redaction {
    let name = &column.name;
    let covered = match &step.action {
        Action::Keep(keep) => keep.columns.contains(name) || keep.from.as_ref() == Some(name),
        Action::Delete | Action::DeleteOrStub => false,
    };
    let held = step.holders.iter().any(|holder| holder.reference.target.contains(name));
    let refers = table.live.foreign_keys.iter().any(|key| key.columns.contains(name))
        || table.declared().any(|reference| reference.columns.contains(name));
    match () {
        () if covered || held || column.generated || table.live.primary_key.contains(name) => Redaction::Stay,
        () if column.nullable => Redaction::Null,
        () if refers => Redaction::Stay,
        () => Redaction::Blank,
    }
}
