//! The plan of an erasure in one system, made from the operator's map and the live catalogue. Pure.
//!
//! The catalogue is believed where the two differ: a mapped table that is gone, or a foreign key that the map does not
//! know, stops the erasure before anything is touched.

mod check;
mod order;
mod strangers;
mod stubs;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use model::catalog::{Catalog, CatalogTable, ForeignKey};
use model::plan::{Action, Plan, Redaction, Reference, Step, StepColumn};
use model::problem::Reason;
use model::world::{OnErase, Table};

/// One table of the map that takes part, beside what the database says of it.
struct Mapped<'a> {
    map: &'a Table,
    live: &'a CatalogTable,
    owner: Vec<Reference>,
    container: Vec<Reference>,
}

impl Mapped<'_> {
    fn on_erase(&self) -> Option<OnErase> {
        self.map.container.as_ref().and_then(|container| container.on_erase)
    }

    /// Everything that the map says this table refers to.
    fn declared(&self) -> impl Iterator<Item = &Reference> {
        self.owner.iter().chain(&self.container)
    }

    /// Tells whether the map knows this foreign key, in whole or in part.
    fn declares(&self, key: &ForeignKey) -> bool {
        self.declared().any(|reference| {
            reference.table == key.table && reference.columns.iter().any(|column| key.columns.contains(column))
        })
    }
}

/// Makes the plan: tables in order, children before what they refer to, and the places where strangers may be.
///
/// # Errors
/// Every reason why the map cannot be carried out on this database, so that all can be mended at once:
/// `MO-2001`, `MO-2002`, `MO-2012`, `MO-2017`, `MO-2021`.
pub fn plan(catalog: &Catalog, tables: &[Table]) -> Result<Plan, Vec<Reason>> {
    let mapped = check::check(catalog, tables)?;
    let order = order::order(&mapped).map_err(|reason| vec![reason])?;
    let mut steps: BTreeMap<&str, Step> =
        mapped.iter().map(|table| (table.live.name.as_str(), step(catalog, table))).collect();
    stubs::mark(&mapped, &mut steps);
    let strangers = strangers::find(catalog, tables, &mapped);
    for table in &mapped {
        let name = table.live.name.as_str();
        let keys = keys_referred_to(name, &mapped, &strangers.keys);
        if let Some(step) = steps.get_mut(name) {
            step.keys.extend(keys);
            step.nulled_first = order.nulled_first.get(name).cloned().unwrap_or_default();
        }
    }
    Ok(Plan {
        steps: order.tables.iter().filter_map(|name| steps.remove(name.as_str())).collect(),
        strangers: strangers.found,
        locations: Vec::new(),
        warnings: mapped.iter().flat_map(warnings).collect(),
        deferred: order.deferred,
        as_of: None,
    })
}

/// The step of a table before stubs and keys of others are known.
fn step(catalog: &Catalog, table: &Mapped<'_>) -> Step {
    let column = |column: &model::catalog::CatalogColumn| StepColumn {
        sql_type: column.sql_type.clone(),
        nullable: column.nullable,
        redaction: Redaction::Stay,
        tied: is_tied(catalog, &table.live.name, &column.name),
        // Two persons' blank e-mail addresses must not collide, whatever kind of index forbids it.
        unique: table.live.unique.contains(&column.name) || table.map.identity.contains_key(&column.name),
    };
    Step {
        table: table.live.name.clone(),
        identity: table.map.identity.clone(),
        owner: table.owner.clone(),
        container: table.container.clone(),
        on_erase: table.on_erase(),
        action: table.map.keep.clone().map_or(Action::Delete, Action::Keep),
        keys: BTreeSet::new(),
        primary_key: table.live.primary_key.clone(),
        columns: table.live.columns.iter().map(|live| (live.name.clone(), column(live))).collect(),
        nulled_first: BTreeSet::new(),
        holders: Vec::new(),
    }
}

/// Tells whether a column takes part in a foreign key, at either end.
fn is_tied(catalog: &Catalog, table: &str, column: &String) -> bool {
    catalog.tables.iter().any(|live| {
        live.foreign_keys.iter().any(|key| {
            (live.name == table && key.columns.contains(column)) || (key.table == table && key.target.contains(column))
        })
    })
}

/// The column tuples of a table whose values must be known to find what refers to its rows.
fn keys_referred_to(
    name: &str,
    mapped: &[Mapped<'_>],
    foreign: &BTreeSet<(String, Vec<String>)>,
) -> BTreeSet<Vec<String>> {
    let declared = mapped.iter().flat_map(Mapped::declared).filter(|reference| reference.table == name);
    let foreign = foreign.iter().filter(|(table, _)| table == name);
    declared.map(|reference| reference.target.clone()).chain(foreign.map(|(_, target)| target.clone())).collect()
}

fn warnings(table: &Mapped<'_>) -> Vec<String> {
    let name = &table.live.name;
    let rows = || table.live.rows.map_or(String::new(), |rows| format!(" (about {rows} rows)"));
    let mut warnings = Vec::new();
    if table.live.primary_key.is_empty() {
        warnings.push(format!("{name} has no primary key: its rows are found by reading the whole table{}", rows()));
    }
    let references = table.declared().filter_map(|reference| reference.columns.first());
    for column in table.map.identity.keys().chain(references).collect::<BTreeSet<_>>() {
        if !table.live.indexed.contains(column) && table.live.primary_key.first() != Some(column) {
            warnings.push(format!(
                "{name}.{column} has no index: every erasure reads the whole table{}; create one on it",
                rows()
            ));
        }
    }
    warnings
}
