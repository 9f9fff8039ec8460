//! Our tables, as the live catalogue has them.

use std::collections::BTreeSet;

use model::Result;

use super::broken;
use crate::retention::LINES;
use crate::{Tx, params};

/// What is not backed up: which schema the tables have is in the header, and nobody stays signed in over a restore.
const LEFT_OUT: [&str; 3] = ["schema_version", "session", "login_attempt"];

/// One table.
pub(super) struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns in order.
    pub columns: Vec<String>,
    /// The columns of its primary key, in the key's order.
    pub key: Vec<String>,
}

/// Returns the names of all our tables.
pub(super) fn all() -> BTreeSet<&'static str> {
    LINES.iter().map(|line| line.table).collect()
}

/// Returns the names of the tables that are backed up.
pub(super) fn backed_up() -> impl Iterator<Item = &'static str> {
    all().into_iter().filter(|name| !LEFT_OUT.contains(name))
}

/// Returns the number of the newest migration that the tables have seen.
pub(super) async fn schema(tx: &mut Tx<'_>) -> Result<i64> {
    tx.query_one("SELECT MAX(version) AS version FROM schema_version", params![]).await?.get("version")
}

/// Reads a table's columns; `None` if there is no such table.
pub(super) async fn table(tx: &mut Tx<'_>, name: &str) -> Result<Option<Table>> {
    let Some(name) = all().take(name) else { return Err(broken("it holds a table that is not ours")) };
    let sql = match tx.is_postgres() {
        false => "SELECT name, pk AS place FROM pragma_table_info($1) ORDER BY cid",
        true => {
            "SELECT c.column_name AS name, COALESCE(k.ordinal_position, 0) AS place
             FROM information_schema.columns c
             LEFT JOIN information_schema.table_constraints t ON t.table_schema = c.table_schema
                 AND t.table_name = c.table_name AND t.constraint_type = 'PRIMARY KEY'
             LEFT JOIN information_schema.key_column_usage k ON k.constraint_schema = t.constraint_schema
                 AND k.constraint_name = t.constraint_name AND k.table_name = c.table_name AND k.column_name = c.column_name
             WHERE c.table_schema = current_schema() AND c.table_name = CAST($1 AS TEXT) ORDER BY c.ordinal_position"
        }
    };
    let mut columns = Vec::new();
    let mut key = Vec::new();
    for row in tx.query(sql, params![name]).await? {
        let (column, place): (String, u64) = (row.get("name")?, row.get("place")?);
        if place > 0 {
            key.push((place, column.clone()));
        }
        columns.push(column);
    }
    key.sort();
    let key = key.into_iter().map(|(_, column)| column).collect();
    Ok((!columns.is_empty()).then_some(Table { name, columns, key }))
}
