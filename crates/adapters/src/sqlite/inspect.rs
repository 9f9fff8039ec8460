//! Looking into a SQLite file.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use model::Result;
use model::catalog::{Catalog, CatalogColumn};

use super::Sqlite;
use super::connection::{Begin, SqliteConnection, drive};
use super::dialect::SqliteDialect;
use super::errors;
use crate::inspect::{ColumnSample, Containment, Copied, CopyKind, Inspector, Place, Rights, Surroundings, Trigger};
use crate::sql::{self, Dialect, Purpose, quote};

#[async_trait]
impl Inspector for Sqlite {
    async fn catalog(&self) -> Result<Catalog> {
        crate::Eraser::catalog(self).await
    }

    async fn surroundings(&self, catalog: &Catalog) -> Result<Surroundings> {
        let tables: Vec<String> = catalog.tables.iter().map(|table| table.name.clone()).collect();
        self.on_file(move |path| {
            let mut transaction = SqliteConnection::begin(path, Begin::Looking)?;
            let failed = |cause| errors::map(&cause, Purpose::Catalog, "");
            let mut around = surroundings(transaction.file()).map_err(failed)?;
            for table in tables {
                if let Ok(count) = drive(sql::inspect::count(&mut transaction, &table)) {
                    around.rows.insert(table, count);
                }
            }
            Ok(around)
        })
        .await
    }

    async fn sample(&self, table: &str, columns: &[CatalogColumn]) -> Result<BTreeMap<String, ColumnSample>> {
        let (table, columns) = (table.to_owned(), columns.to_vec());
        self.on_file(move |path| {
            let mut transaction = SqliteConnection::begin(path, Begin::Looking)?;
            drive(sql::inspect::sample(&mut transaction, &table, &columns))
        })
        .await
    }

    async fn contained(&self, from: &Place, to: &Place) -> Result<Containment> {
        let (from, to) = (from.clone(), to.clone());
        self.on_file(move |path| {
            let mut transaction = SqliteConnection::begin(path, Begin::Looking)?;
            drive(sql::inspect::contained(&mut transaction, &from, &to))
        })
        .await
    }

    /// A file knows no rights of tables: who may write it may do everything. Whether we may shows when we begin to.
    async fn rights(&self, tables: &[String]) -> Result<BTreeMap<String, Rights>> {
        let tables = tables.to_vec();
        self.on_file(move |path| {
            drop(SqliteConnection::begin(path, Begin::Looking)?);
            let write = SqliteConnection::begin(path, Begin::Writing).and_then(|transaction| {
                transaction.file().is_readonly("main").map_err(|cause| errors::map(&cause, Purpose::Catalog, ""))
            });
            let write = matches!(write, Ok(false));
            let rights = Rights { select: true, update: write, delete: write, lock: write, row_security: false };
            Ok(tables.into_iter().map(|table| (table, rights)).collect())
        })
        .await
    }

    fn create_index(&self, table: &str, columns: &[String]) -> String {
        let name = quote(&format!("{table}_{}", columns.join("_")));
        let columns: Vec<String> = columns.iter().map(|column| quote(column)).collect();
        format!("CREATE INDEX {name} ON {} ({});", SqliteDialect.table(table), columns.join(", "))
    }
}

fn surroundings(file: &rusqlite::Connection) -> rusqlite::Result<Surroundings> {
    let mut around = Surroundings::default();
    let mut query = file.prepare(
        "SELECT name, type FROM pragma_table_list WHERE schema = 'main' AND type IN ('view', 'virtual') ORDER BY name",
    )?;
    let relations = query.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    for relation in relations {
        let (name, kind) = relation?;
        if kind == "view" {
            around.views.push(name);
        } else {
            let columns = columns(file, &name)?;
            around.copies.push(Copied { name, kind: CopyKind::VirtualTable, columns });
        }
    }
    let mut query =
        file.prepare("SELECT tbl_name, name, sql FROM sqlite_schema WHERE type = 'trigger' ORDER BY 1, 2")?;
    let triggers = query.query_map([], |row| {
        let (table, name, sql): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        // CREATE TRIGGER name [BEFORE|AFTER|INSTEAD OF] event ON table …
        let behind_name = sql.split_once(name.as_str()).map_or(sql.as_str(), |(_, rest)| rest).to_lowercase();
        let head = behind_name.split(" on ").next().unwrap_or_default();
        let on: BTreeSet<String> = ["insert", "update", "delete"]
            .into_iter()
            .filter(|event| head.contains(event))
            .map(str::to_owned)
            .collect();
        Ok(Trigger { table, name, on })
    })?;
    around.triggers = triggers.collect::<rusqlite::Result<_>>()?;
    Ok(around)
}

/// The columns of a virtual table that it shows; a module's hidden ones are its own matter.
fn columns(file: &rusqlite::Connection, table: &str) -> rusqlite::Result<Vec<CatalogColumn>> {
    let mut query = file.prepare("SELECT name, type FROM pragma_table_xinfo(?1) WHERE hidden <> 1")?;
    let column = |row: &rusqlite::Row<'_>| {
        let (name, sql_type) = (row.get(0)?, row.get(1)?);
        Ok(CatalogColumn { name, sql_type, nullable: true, generated: false })
    };
    query.query_map([table], column)?.collect()
}
