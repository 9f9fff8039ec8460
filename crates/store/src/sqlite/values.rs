//! Statements and values on their way to SQLite and back.

use std::sync::Arc;

use rusqlite::Connection;

use crate::value::{Row, Value};

/// Runs a statement and returns how many rows it touched.
pub(crate) fn exec(connection: &Connection, sql: &str, params: &[Value]) -> rusqlite::Result<u64> {
    let mut statement = connection.prepare_cached(&question_marks(sql))?;
    bind(&mut statement, params)?;
    Ok(statement.raw_execute()? as u64)
}

/// Runs a query and returns its rows.
pub(crate) fn query(connection: &Connection, sql: &str, params: &[Value]) -> rusqlite::Result<Vec<Row>> {
    let mut statement = connection.prepare_cached(&question_marks(sql))?;
    bind(&mut statement, params)?;
    let columns: Arc<[String]> = statement.column_names().map(str::to_owned).collect();
    let mut found = Vec::new();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        let values = (0..columns.len()).map(|index| read(row, index)).collect::<Result<_, _>>()?;
        found.push(Row { columns: columns.clone(), values });
    }
    Ok(found)
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
