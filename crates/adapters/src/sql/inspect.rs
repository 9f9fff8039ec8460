//! The questions of an [`crate::Inspector`], in the words of any dialect.

use std::collections::{BTreeMap, BTreeSet};

use model::Result;
use model::catalog::CatalogColumn;

use super::statement::{Column, Purpose, Statement};
use super::{Cell, Connection, shapes};
use crate::inspect::{COUNTED_ROWS, ColumnSample, Containment, Place, Rows, SAMPLE_COLUMNS, SAMPLE_ROWS};

/// So much of a value is enough to tell what it looks like.
const SHOWN_CHARS: usize = 400;
/// How many values are looked up in another table.
const LOOKED_UP: usize = 200;

/// Looks at some rows of a table.
pub(crate) async fn sample(
    connection: &mut dyn Connection,
    table: &str,
    columns: &[CatalogColumn],
) -> Result<BTreeMap<String, ColumnSample>> {
    let columns = &columns[..columns.len().min(SAMPLE_COLUMNS)];
    let dialect = connection.dialect();
    let shown: Vec<String> = columns
        .iter()
        .map(|column| {
            let column = Column::named(&column.name, &column.sql_type);
            format!("substr({}, 1, {SHOWN_CHARS})", dialect.text(&column))
        })
        .collect();
    if shown.is_empty() {
        return Ok(BTreeMap::new());
    }
    let sql = format!("SELECT {} FROM {} LIMIT {SAMPLE_ROWS}", shown.join(", "), dialect.table(table));
    let rows = read(connection, table, sql, vec![]).await?;
    let column = |index: usize| shapes::look(rows.iter().filter_map(move |cells| cells.get(index)));
    Ok(columns.iter().enumerate().map(|(index, named)| (named.name.clone(), column(index))).collect())
}

/// Takes some rows and looks how many values of one column another has. What stands for no value is left out.
pub(crate) async fn contained(connection: &mut dyn Connection, from: &Place, to: &Place) -> Result<Containment> {
    let dialect = connection.dialect();
    let column = Column::named(&from.column, &from.sql_type);
    let (shown, table) = (dialect.text(&column), dialect.table(&from.table));
    let sql = format!("SELECT {shown} FROM {table} LIMIT {SAMPLE_ROWS}");
    let read_rows = read(connection, &from.table, sql, vec![]).await?;
    let rows = read_rows.len() as u64;
    let filled: Vec<String> =
        read_rows.into_iter().flatten().flatten().filter(|text| !matches!(text.as_str(), "" | "0")).collect();
    let blank = rows - filled.len() as u64;
    let values: BTreeSet<&str> = filled.iter().map(String::as_str).collect();
    let values: BTreeSet<&str> = values.into_iter().take(LOOKED_UP).collect();
    let taken = values.len() as u64;

    let column = Column::named(&to.column, &to.sql_type);
    let mut lists = Vec::new();
    let condition = dialect.matches(std::slice::from_ref(&column), &mut values.iter().copied(), &mut lists);
    let Some(condition) = condition else { return Ok(Containment { rows, blank, taken, found: 0 }) };
    let (shown, table) = (dialect.text(&column), dialect.table(&to.table));
    let sql = format!("SELECT DISTINCT {shown} FROM {table} WHERE {condition} LIMIT {LOOKED_UP}");
    let known = read(connection, &to.table, sql, lists).await?;
    let found = known.iter().flatten().flatten().filter(|text| values.contains(text.as_str())).count() as u64;
    Ok(Containment { rows, blank, taken, found })
}

/// Counts the rows of a table, but not for long.
pub(crate) async fn count(connection: &mut dyn Connection, table: &str) -> Result<Rows> {
    let dialect = connection.dialect();
    let within = format!("SELECT 1 AS one FROM {} LIMIT {}", dialect.table(table), COUNTED_ROWS + 1);
    let sql = format!("SELECT {} FROM ({within}) AS counted", dialect.text(&Column::written("count(*)", "bigint")));
    let rows = read(connection, table, sql, vec![]).await?;
    let count = rows.into_iter().flatten().flatten().next().and_then(|text| text.parse().ok()).unwrap_or_default();
    Ok(if count > COUNTED_ROWS { Rows::MoreThan(COUNTED_ROWS) } else { Rows::Exactly(count) })
}

async fn read(
    connection: &mut dyn Connection,
    table: &str,
    sql: String,
    lists: Vec<Vec<String>>,
) -> Result<Vec<Vec<Cell>>> {
    connection.query(&Statement { purpose: Purpose::Read, table: table.to_owned(), sql, lists }).await
}
