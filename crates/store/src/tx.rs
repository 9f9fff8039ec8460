//! The one transaction type over every database.

use jiff::Timestamp;
use model::{Ambient, Problem, Result, codes};

use crate::error;
use crate::value::{Row, Value};
use crate::vault::Vault;

/// A transaction: one SQL text with `$n` placeholders serves every database.
pub struct Tx<'c> {
    pub(crate) name: &'static str,
    pub(crate) connection: &'c mut rusqlite::Connection,
    pub(crate) vault: &'c Vault,
    /// Whether this transaction made a job due, so that workers of this process should look when it is committed.
    pub(crate) enqueued: bool,
    /// The clock and ids of the process, so that repository functions need no second handle.
    pub ambient: &'c Ambient,
}

impl<'c> Tx<'c> {
    pub(crate) fn sqlite(name: &'static str, connection: &'c mut rusqlite::Connection, vault: &'c Vault) -> Self {
        Self { name, connection, vault, enqueued: false, ambient: &vault.ambient }
    }

    /// Returns the vault of the store.
    pub fn vault(&self) -> &'c Vault {
        self.vault
    }

    /// Returns the database's time: what leases are measured by. SQLite lives in this process, so its time is ours.
    pub(crate) fn now(&self) -> Timestamp {
        self.ambient.now()
    }

    /// Runs a statement and returns how many rows it touched.
    ///
    /// # Errors
    /// A coded problem of the store; the operation should return it.
    pub async fn exec(&mut self, sql: &str, params: &[Value]) -> Result<u64> {
        let mut statement =
            self.connection.prepare_cached(&question_marks(sql)).map_err(|cause| error::sqlite(self.name, cause))?;
        bind(&mut statement, params).map_err(|cause| error::sqlite(self.name, cause))?;
        let touched = statement.raw_execute().map_err(|cause| error::sqlite(self.name, cause))?;
        Ok(touched as u64)
    }

    /// Runs a query (or a statement with RETURNING) and returns its rows.
    ///
    /// # Errors
    /// A coded problem of the store; the operation should return it.
    pub async fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>> {
        let name = self.name;
        let mut statement =
            self.connection.prepare_cached(&question_marks(sql)).map_err(|cause| error::sqlite(name, cause))?;
        bind(&mut statement, params).map_err(|cause| error::sqlite(name, cause))?;
        let columns: std::sync::Arc<[String]> = statement.column_names().map(str::to_owned).collect();
        let mut found = Vec::new();
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next().map_err(|cause| error::sqlite(name, cause))? {
            let values = (0..columns.len()).map(|index| read(row, index)).collect::<Result<_, _>>();
            found.push(Row { columns: columns.clone(), values: values.map_err(|cause| error::sqlite(name, cause))? });
        }
        Ok(found)
    }

    /// Runs a query of at most one row.
    ///
    /// # Errors
    /// A coded problem of the store; `MO-5008` if there are several rows.
    pub async fn query_opt(&mut self, sql: &str, params: &[Value]) -> Result<Option<Row>> {
        let mut rows = self.query(sql, params).await?;
        if rows.len() > 1 {
            return Err(Problem::new(&codes::store::QUERY_FAILED, format!("in {}: more than one row", self.name)));
        }
        Ok(rows.pop())
    }

    /// Runs a query of exactly one row.
    ///
    /// # Errors
    /// A coded problem of the store; `MO-5008` if there is not exactly one row.
    pub async fn query_one(&mut self, sql: &str, params: &[Value]) -> Result<Row> {
        let row = self.query_opt(sql, params).await?;
        row.ok_or_else(|| Problem::new(&codes::store::QUERY_FAILED, format!("in {}: no row", self.name)))
    }
}

/// Rewrites `$1` as `?1`: SQLite numbers `$name` parameters by first appearance, not by the digit. Our SQL holds no `$` in literals.
fn question_marks(sql: &str) -> String {
    sql.replace('$', "?")
}

fn bind(statement: &mut rusqlite::Statement<'_>, params: &[Value]) -> rusqlite::Result<()> {
    for (index, value) in params.iter().enumerate() {
        match value {
            Value::Null => statement.raw_bind_parameter(index + 1, rusqlite::types::Null)?,
            Value::Int(value) => statement.raw_bind_parameter(index + 1, value)?,
            Value::Text(value) => statement.raw_bind_parameter(index + 1, value)?,
            Value::Blob(value) => statement.raw_bind_parameter(index + 1, value)?,
        }
    }
    Ok(())
}

fn read(row: &rusqlite::Row<'_>, index: usize) -> rusqlite::Result<Value> {
    use rusqlite::types::ValueRef;
    Ok(match row.get_ref(index)? {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(value) => Value::Int(value),
        // Sums and averages may come as reals; the store itself holds none.
        ValueRef::Real(value) => Value::Int(value as i64),
        ValueRef::Text(value) => Value::Text(String::from_utf8_lossy(value).into_owned()),
        ValueRef::Blob(value) => Value::Blob(value.to_vec()),
    })
}
