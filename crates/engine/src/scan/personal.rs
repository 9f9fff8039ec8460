//! What looks personal, and no path of the map leads there.

use std::collections::BTreeSet;

use adapters::inspect::{Copied, CopyKind};
use model::catalog::{CatalogColumn, CatalogTable};

use super::draft::Open;
use super::evidence::Evidence;
use super::identities;
use super::links::is_polymorphic;
use super::names::{self, Name};

/// What was found outside the map.
#[derive(Debug, Default)]
pub(super) struct Outside {
    pub(super) unreachable: Vec<Open>,
    pub(super) notes: Vec<String>,
    /// Tables that hold nobody, as far as was seen.
    pub(super) nobody: Vec<String>,
}

/// Looks at everything that is not reached.
///
/// `known` are the tables of the map, `identities` the names of its identity columns.
pub(super) fn outside(evidence: &Evidence, known: &BTreeSet<&str>, identities: &BTreeSet<&str>) -> Outside {
    let mut outside = Outside::default();
    for table in evidence.catalog.tables.iter().filter(|table| !known.contains(table.name.as_str())) {
        outside.table(evidence, table, identities);
    }
    for copy in evidence.around.copies.iter().filter(|copy| !known.contains(copy.name.as_str())) {
        outside.copy(evidence, copy);
    }
    outside
}

impl Outside {
    fn table(&mut self, evidence: &Evidence, table: &CatalogTable, identities: &BTreeSet<&str>) {
        let found = personal(evidence, &table.name, &table.columns);
        let polymorphic = table.columns.iter().find(|column| is_polymorphic(table, &column.name));
        let house = Name::of_table(&table.name).speaks_of(names::OF_THE_HOUSE);
        if house && found.iter().all(|(_, what)| is_contact_of_a_house(what)) {
            let named: Vec<&str> = found.iter().map(|(column, _)| column.as_str()).collect();
            let carries = table.columns.iter().find(|column| identities.contains(column.name.as_str()));
            if !named.is_empty() {
                let ignore = carries.map_or(
                    "",
                    |_| "; say ignore = \"why\" for it, because a person with the same value is blocked by it",
                );
                self.notes.push(format!(
                    "{} looks like contacts of an organisation ({}){ignore}",
                    table.name,
                    named.join(", ")
                ));
            }
            self.nobody.push(table.name.clone());
            return;
        }
        if let Some(column) = polymorphic {
            let columns = found.iter().map(|(column, _)| column.clone()).chain([column.name.clone()]).collect();
            let what = format!("{} refers to rows of several tables, which a map cannot say", column.name);
            let next = "give it a column that says whose the row is, or remove such rows in the application beforehand";
            self.unreachable.push(Open::new(&table.name, columns, what, next));
            return;
        }
        if found.is_empty() {
            self.nobody.push(table.name.clone());
            return;
        }
        let what = found.iter().map(|(column, what)| format!("{column} ({what})")).collect::<Vec<_>>().join(", ");
        let next = match table.columns.iter().find(|column| identities::kind(&Name::of(&column.name)).is_some()) {
            Some(column) => format!(
                "if each row is one person: identity = {{ {} = … }}; if it is nobody's: ignore = \"why\"",
                column.name
            ),
            None => "say by which column a row is somebody's (owner), or ignore = \"why\"".to_owned(),
        };
        self.unreachable.push(Open::new(
            &table.name,
            found.into_iter().map(|(column, _)| column).collect(),
            what,
            next,
        ));
    }

    fn copy(&mut self, evidence: &Evidence, copy: &Copied) {
        let found = personal(evidence, &copy.name, &copy.columns);
        if found.is_empty() && copy.kind != CopyKind::VirtualTable {
            self.notes.push(format!("{} is a {}; nothing in it looks personal", copy.name, copy.kind));
            return;
        }
        let (what, next) = match copy.kind {
            CopyKind::MaterializedView => (
                "a materialized view goes on showing what it once found".to_owned(),
                format!(
                    "REFRESH MATERIALIZED VIEW {} after an erasure, on a schedule that your answer to people allows for",
                    copy.name
                ),
            ),
            CopyKind::ForeignTable => (
                "its rows are in another database".to_owned(),
                "declare that database as a system of its own".to_owned(),
            ),
            CopyKind::VirtualTable => (
                "a module (full-text search, perhaps) keeps texts of its own".to_owned(),
                "make sure that triggers on its base table remove what is erased there".to_owned(),
            ),
        };
        self.unreachable.push(Open::new(&copy.name, found.into_iter().map(|(column, _)| column).collect(), what, next));
    }
}

/// An organisation has addresses and telephones too.
fn is_contact_of_a_house(what: &str) -> bool {
    !["name,", "birth", "password", "IP", "health", "official", "text with"].iter().any(|part| what.starts_with(part))
}

/// The columns that look personal, and why.
fn personal(evidence: &Evidence, table: &str, columns: &[CatalogColumn]) -> Vec<(String, String)> {
    columns.iter().filter_map(|column| Some((column.name.clone(), evidence.looks_personal(table, column)?))).collect()
}
