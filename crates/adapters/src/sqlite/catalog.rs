//! What a SQLite file says of its tables.

use std::collections::BTreeMap;

use model::Result;
use model::catalog::{Catalog, CatalogColumn, CatalogTable, ForeignKey};
use rusqlite::{Connection, Row};

use super::errors;
use crate::sql::{Purpose, quote};

/// Reads every table, in the order of their names.
pub(super) fn read(file: &Connection) -> Result<Catalog> {
    tables(file).map_err(|cause| errors::map(&cause, Purpose::Catalog, ""))
}

fn tables(file: &Connection) -> rusqlite::Result<Catalog> {
    // Views, virtual tables and the shadow tables that these manage are no base tables.
    let sql = "SELECT name FROM pragma_table_list WHERE schema = ?1 AND type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";
    let names: Vec<String> = rows(file, sql, "main", |row| row.get(0))?;
    let mut tables = names.into_iter().map(|name| table(file, name)).collect::<rusqlite::Result<Vec<_>>>()?;
    resolve(&mut tables);
    Ok(Catalog { tables })
}

fn rows<T>(
    file: &Connection,
    sql: &str,
    name: &str,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    file.prepare(sql)?.query_map([name], read)?.collect()
}

fn table(file: &Connection, name: String) -> rusqlite::Result<CatalogTable> {
    let mut key: Vec<(i64, String)> = Vec::new();
    let sql = "SELECT name, type, \"notnull\", pk, hidden FROM pragma_table_xinfo(?1)";
    let columns = rows(file, sql, &name, |row| {
        let (name, place): (String, i64) = (row.get(0)?, row.get(3)?);
        if place > 0 {
            key.push((place, name.clone()));
        }
        // SQLite lets most primary keys be null; nobody means that.
        let nullable = row.get::<_, i64>(2)? == 0 && place == 0;
        Ok(CatalogColumn { name, sql_type: row.get(1)?, nullable, generated: row.get::<_, i64>(4)? != 0 })
    })?;
    key.sort();
    let primary_key: Vec<String> = key.into_iter().map(|(_, name)| name).collect();
    let sql = "SELECT info.name, list.\"unique\", info.seqno
        FROM pragma_index_list(?1) AS list, pragma_index_info(list.name) AS info";
    let indexes = rows(file, sql, &name, |row| {
        Ok((row.get::<_, Option<String>>(0)?, row.get::<_, bool>(1)?, row.get::<_, i64>(2)?))
    })?;
    let named = |which: &dyn Fn(bool, i64) -> bool| -> Vec<String> {
        indexes.iter().filter(|(_, unique, place)| which(*unique, *place)).filter_map(|index| index.0.clone()).collect()
    };
    let mut indexed = named(&|_, place| place == 0);
    indexed.extend(primary_key.first().cloned());
    let (unique, foreign_keys) = (named(&|unique, _| unique), foreign_keys(file, &name)?);
    // The highest row id is found at once, and there are hardly more rows than that; not every table has one.
    let highest = format!("SELECT max(rowid) FROM {}", quote(&name));
    let rows = file.query_row(&highest, [], |row| row.get::<_, Option<i64>>(0)).ok().flatten();
    let rows = rows.and_then(|rows| u64::try_from(rows).ok());
    Ok(CatalogTable { name, columns, primary_key, foreign_keys, indexed, unique, rows, unfit: None })
}

fn foreign_keys(file: &Connection, table: &str) -> rusqlite::Result<Vec<ForeignKey>> {
    let mut keys: BTreeMap<i64, ForeignKey> = BTreeMap::new();
    let sql = "SELECT id, \"table\", \"from\", \"to\", on_delete FROM pragma_foreign_key_list(?1) ORDER BY id, seq";
    rows(file, sql, table, |row| {
        let (there, target, action): (String, Option<String>, String) = (row.get(1)?, row.get(3)?, row.get(4)?);
        let key = keys.entry(row.get(0)?).or_insert_with(|| ForeignKey {
            table: there,
            cascades: action == "CASCADE",
            // Every foreign key can wait for the commit, but RESTRICT does not.
            deferrable: action != "RESTRICT",
            ..ForeignKey::default()
        });
        key.columns.push(row.get(2)?);
        key.target.extend(target);
        Ok(())
    })?;
    Ok(keys.into_values().collect())
}

/// Foreign keys write names in any case, and may leave out the columns referred to: says which are meant.
fn resolve(tables: &mut [CatalogTable]) {
    let known = tables.to_vec();
    for table in tables {
        for key in &mut table.foreign_keys {
            spell(&mut key.columns, &table.columns);
            let Some(there) = known.iter().find(|there| there.name.eq_ignore_ascii_case(&key.table)) else { continue };
            key.table.clone_from(&there.name);
            if key.target.is_empty() {
                key.target.clone_from(&there.primary_key);
            }
            spell(&mut key.target, &there.columns);
        }
    }
}

fn spell(names: &mut [String], columns: &[CatalogColumn]) {
    for name in names {
        if let Some(column) = columns.iter().find(|column| column.name.eq_ignore_ascii_case(name)) {
            name.clone_from(&column.name);
        }
    }
}
