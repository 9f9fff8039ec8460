//! Columns that could refer to the person and that the map does not know.

use std::collections::BTreeSet;

use model::catalog::{Catalog, CatalogTable};
use model::plan::{Stranger, StrangerTarget, key_name};
use model::world::Table;

use super::Mapped;

/// Names that every table gives its own rows: sharing one says nothing about whom a row is about.
const ROW_NAMES: [&str; 4] = ["id", "uuid", "guid", "rowid"];

/// The strangers, and the columns of mapped tables that they refer to.
#[derive(Default)]
pub(super) struct Strangers {
    pub(super) found: Vec<Stranger>,
    pub(super) keys: BTreeSet<(String, Vec<String>)>,
}

/// Finds them by real foreign keys everywhere, and by the names of mapped columns in tables outside the map.
pub(super) fn find(catalog: &Catalog, tables: &[Table], mapped: &[Mapped<'_>]) -> Strangers {
    let mut strangers = Strangers::default();
    for live in &catalog.tables {
        let ignored = tables.iter().any(|table| table.ignore.is_some() && table.name == live.name);
        let itself = mapped.iter().find(|table| table.live.name == live.name);
        strangers.by_foreign_key(live, ignored, itself, mapped);
        if itself.is_none() && !ignored {
            strangers.by_name(live, mapped);
        }
    }
    strangers
}

impl Strangers {
    fn by_foreign_key(
        &mut self,
        live: &CatalogTable,
        ignored: bool,
        itself: Option<&Mapped<'_>>,
        mapped: &[Mapped<'_>],
    ) {
        for key in &live.foreign_keys {
            let known = itself.is_some_and(|table| table.declares(key));
            // Rows of an ignored table are nobody's, but nobody said that they may be deleted either.
            let harmless = ignored && !key.cascades;
            if known || harmless || !mapped.iter().any(|table| table.live.name == key.table) {
                continue;
            }
            self.keys.insert((key.table.clone(), key.target.clone()));
            self.add(live, &key.columns, StrangerTarget::Rows(key_name(&key.table, &key.target)), true);
        }
    }

    fn by_name(&mut self, live: &CatalogTable, mapped: &[Mapped<'_>]) {
        for table in mapped {
            for (column, kind) in &table.map.identity {
                self.add_named(live, std::slice::from_ref(column), StrangerTarget::Identity(kind.clone()));
            }
            for reference in table.declared() {
                // A real foreign key says what a column refers to, whatever else is called the same.
                if live.foreign_keys.iter().any(|key| key.columns.iter().any(|name| reference.columns.contains(name))) {
                    continue;
                }
                self.add_named(live, &reference.columns, StrangerTarget::Rows(reference.key()));
            }
        }
    }

    fn add_named(&mut self, live: &CatalogTable, columns: &[String], target: StrangerTarget) {
        let known = self
            .found
            .iter()
            .any(|stranger| stranger.table == live.name && stranger.columns.iter().map(|(name, _)| name).eq(columns));
        let says_nothing = columns.iter().all(|name| ROW_NAMES.contains(&name.to_lowercase().as_str()));
        if !known && !says_nothing {
            self.add(live, columns, target, false);
        }
    }

    fn add(&mut self, live: &CatalogTable, columns: &[String], target: StrangerTarget, tied: bool) {
        let typed = |name: &String| live.column(name).map(|column| (name.clone(), column.sql_type.clone()));
        let Some(columns) = columns.iter().map(typed).collect() else { return };
        self.found.push(Stranger { table: live.name.clone(), columns, target, tied });
    }
}
