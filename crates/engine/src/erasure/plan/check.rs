//! The map against the live catalogue: everything it names must be there, and every rule must be possible.

use std::collections::{BTreeMap, BTreeSet};

use model::catalog::{Catalog, CatalogTable};
use model::plan::Reference;
use model::problem::{Code, Reason};
use model::world::{ColumnRef, Keep, OnErase, Table};
use model::{Problem, codes};

use super::Mapped;

/// Pairs each table of the map with the live one.
///
/// # Errors
/// Everything that is wrong, not only the first.
pub(super) fn check<'a>(catalog: &'a Catalog, tables: &'a [Table]) -> Result<Vec<Mapped<'a>>, Vec<Reason>> {
    let taking_part: Vec<&Table> = tables.iter().filter(|table| table.ignore.is_none()).collect();
    let mut check =
        Check { catalog, names: taking_part.iter().map(|table| table.name.as_str()).collect(), reasons: vec![] };
    let mapped: Vec<Mapped<'a>> = taking_part.iter().filter_map(|table| check.table(table)).collect();
    if taking_part.len() != check.names.len() {
        check.refuse(&codes::erasure::MAP_INVALID, "a table is in the map twice");
    }
    if check.reasons.is_empty() {
        check.reachable(&mapped);
    }
    if check.reasons.is_empty() { Ok(mapped) } else { Err(check.reasons) }
}

struct Check<'a> {
    catalog: &'a Catalog,
    names: BTreeSet<&'a str>,
    reasons: Vec<Reason>,
}

impl<'a> Check<'a> {
    fn refuse(&mut self, code: &'static Code, detail: impl Into<String>) {
        self.reasons.push(Problem::new(code, detail).reason());
    }

    fn table(&mut self, map: &'a Table) -> Option<Mapped<'a>> {
        let Some(live) = self.catalog.table(&map.name) else {
            let detail = self.missing(&map.name);
            self.refuse(&codes::erasure::TABLE_MISSING, detail);
            return None;
        };
        if let Some(unfit) = &live.unfit {
            self.refuse(&codes::erasure::TABLE_UNFIT, format!("{}: {unfit}", live.name));
        }
        let containers = map.container.as_ref().map(|container| &container.columns);
        for column in map.identity.keys() {
            self.column(live, column);
        }
        for (column, target) in map.owner.iter().chain(containers.into_iter().flatten()) {
            self.column(live, column);
            self.target(live, column, target);
        }
        if map.identity.is_empty() && map.owner.is_empty() && containers.is_none_or(BTreeMap::is_empty) {
            self.refuse(
                &codes::erasure::MAP_INVALID,
                format!("{} has neither identity nor owner nor container; if it holds nothing of a person, say ignore = \"why\"", map.name),
            );
        }
        if let Some(keep) = &map.keep {
            self.keep(live, keep);
        }
        let owner = references(live, &map.owner);
        let container = containers.map(|columns| references(live, columns)).unwrap_or_default();
        let mapped = Mapped { map, live, owner, container };
        self.on_erase(&mapped);
        Some(mapped)
    }

    fn missing(&self, name: &str) -> String {
        let near = self.catalog.tables.iter().find(|table| table.name.to_lowercase() == name.to_lowercase());
        match near {
            Some(near) => format!("there is no table {name}, but one that is written {}", near.name),
            None => format!("there is no table {name}"),
        }
    }

    fn column(&mut self, live: &CatalogTable, column: &str) {
        if live.column(column).is_none() {
            self.refuse(&codes::erasure::COLUMN_MISSING, format!("there is no column {}.{column}", live.name));
        }
    }

    fn target(&mut self, live: &CatalogTable, column: &str, target: &ColumnRef) {
        match self.catalog.table(&target.table) {
            None => {
                let detail = format!("{}.{column} refers to {target}, and {}", live.name, self.missing(&target.table));
                self.refuse(&codes::erasure::TABLE_MISSING, detail);
            }
            Some(_) if !self.names.contains(target.table.as_str()) => self.refuse(
                &codes::erasure::MAP_INVALID,
                format!("{}.{column} refers to {target}, and {} is not in the map", live.name, target.table),
            ),
            Some(there) => self.column(there, &target.column),
        }
    }

    fn keep(&mut self, live: &CatalogTable, keep: &Keep) {
        for column in keep.columns.iter().chain(&keep.from) {
            self.column(live, column);
        }
        let refused = |what: &str| format!("the keep rule of {} {what}", live.name);
        if live.primary_key.is_empty() {
            self.refuse(&codes::erasure::KEEP_INVALID, refused("needs a primary key to find kept rows again"));
        }
        match &keep.period {
            None => {}
            Some(_) if keep.from.is_none() => {
                self.refuse(&codes::erasure::KEEP_INVALID, refused("says for how long, but not from which column"));
            }
            Some(period) if !period.parse::<jiff::Span>().is_ok_and(|span| span.is_positive()) => {
                self.refuse(&codes::erasure::KEEP_INVALID, refused("has a time that is not like \"8y\" or \"90d\""));
            }
            Some(_) => {}
        }
    }

    /// Whether others' rows can be detached, or what they hang on be left as a tombstone.
    fn on_erase(&mut self, table: &Mapped<'a>) {
        for reference in &table.container {
            let nullable = |name: &String| table.live.column(name).is_none_or(|column| column.nullable);
            let columns = format!("{}.{}", table.live.name, reference.columns.join(","));
            match table.on_erase() {
                Some(OnErase::Detach) if !reference.columns.iter().any(nullable) => self.refuse(
                    &codes::erasure::MAP_INVALID,
                    format!("{columns} cannot be detached, because it may not be null"),
                ),
                Some(OnErase::Tombstone)
                    if self.catalog.table(&reference.table).is_some_and(|there| there.primary_key.is_empty()) =>
                {
                    self.refuse(
                        &codes::erasure::MAP_INVALID,
                        format!(
                            "{columns} hangs on {}, which has no primary key to stay as a tombstone",
                            reference.table
                        ),
                    );
                }
                _ => {}
            }
        }
    }

    /// Every table must lead to an identity: otherwise nothing would ever be found in it, and it would pass for empty.
    fn reachable(&mut self, mapped: &[Mapped<'a>]) {
        let mut reached: BTreeSet<&str> = mapped
            .iter()
            .filter(|table| !table.map.identity.is_empty())
            .map(|table| table.live.name.as_str())
            .collect();
        loop {
            let next: Vec<&str> = mapped
                .iter()
                .filter(|table| table.declared().any(|reference| reached.contains(reference.table.as_str())))
                .map(|table| table.live.name.as_str())
                .filter(|name| !reached.contains(name))
                .collect();
            if next.is_empty() {
                break;
            }
            reached.extend(next);
        }
        for table in mapped.iter().filter(|table| !reached.contains(table.live.name.as_str())) {
            self.refuse(
                &codes::erasure::MAP_INVALID,
                format!("no owner or container of {} leads to a table with an identity", table.live.name),
            );
        }
    }
}

/// Reads declared columns as references. Where one belongs to a foreign key of several columns, all of these are meant:
/// a part of a key may be shared with other people's rows.
fn references(live: &CatalogTable, declared: &BTreeMap<String, ColumnRef>) -> Vec<Reference> {
    let mut references: Vec<Reference> = Vec::new();
    for (column, target) in declared {
        let refers = |key: &&model::catalog::ForeignKey| {
            key.table == target.table
                && key.columns.iter().zip(&key.target).any(|(from, to)| from == column && *to == target.column)
        };
        let key = live.foreign_keys.iter().filter(refers).min_by_key(|key| key.columns.len());
        let reference = match key {
            Some(key) => {
                Reference { columns: key.columns.clone(), table: key.table.clone(), target: key.target.clone() }
            }
            None => Reference {
                columns: vec![column.clone()],
                table: target.table.clone(),
                target: vec![target.column.clone()],
            },
        };
        if !references.contains(&reference) {
            references.push(reference);
        }
    }
    references
}
