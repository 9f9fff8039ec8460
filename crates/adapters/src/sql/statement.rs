//! Statements: their text, their lists of values, and what they are for.

use std::collections::BTreeSet;

use model::plan::{Redaction, Step};

use super::{Connection, Dialect, quote};

/// A column, or what stands for one, with its type as the database names it.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    /// How it is written in a statement.
    pub(crate) sql: String,
    /// Its type.
    pub(crate) sql_type: String,
}

impl Column {
    pub(crate) fn named(name: &str, sql_type: &str) -> Self {
        Self { sql: quote(name), sql_type: sql_type.to_owned() }
    }
}

/// What a statement is for: decides what its failure means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Reading a table.
    Read,
    /// Changing or deleting rows.
    Change,
    /// Reading the catalogue.
    Catalog,
}

/// One statement with its parameters, each a list of texts.
#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) purpose: Purpose,
    /// The table it is about, for error texts.
    pub(crate) table: String,
    pub(crate) sql: String,
    pub(crate) lists: Vec<Vec<String>>,
}

/// Returns the columns of a step by their names.
pub(crate) fn columns(step: &Step, names: &[String]) -> Vec<Column> {
    let typed = |name: &String| step.columns.get(name).map(|column| Column::named(name, &column.sql_type));
    names.iter().filter_map(typed).collect()
}

/// Returns what finds a row of a step again.
pub(crate) fn locator(connection: &dyn Connection, step: &Step) -> Vec<Column> {
    let taken = |name: &str| step.columns.keys().any(|column| column.eq_ignore_ascii_case(name));
    let by_row_id = step.primary_key.is_empty() || connection.prefers_row_id(&step.table);
    let row_id = by_row_id.then(|| connection.dialect().row_id(&taken)).flatten();
    match row_id {
        Some(row_id) => vec![row_id],
        // Rows that are equal in every column cannot be told apart by anybody.
        None if step.primary_key.is_empty() => {
            step.columns.iter().map(|(name, column)| Column::named(name, &column.sql_type)).collect()
        }
        None => columns(step, &step.primary_key),
    }
}

/// Writes the condition that a row has been redacted; `None` where a redaction changes nothing.
pub(crate) fn is_redacted(dialect: &dyn Dialect, step: &Step) -> Option<String> {
    let conditions: Vec<String> = redactions(dialect, step)
        .map(|(column, value)| match value {
            None => format!("{column} IS NULL"),
            Some(blank) => format!("{} = {}", dialect.text(&column), dialect.text(&blank)),
        })
        .collect();
    if conditions.is_empty() { None } else { Some(conditions.join(" AND ")) }
}

/// Writes the assignments that redact a row; `None` where there is nothing to change.
pub(crate) fn redact(dialect: &dyn Dialect, step: &Step) -> Option<String> {
    let assignments: Vec<String> = redactions(dialect, step)
        .map(|(column, value)| format!("{column} = {}", value.as_deref().unwrap_or("NULL")))
        .collect();
    if assignments.is_empty() { None } else { Some(assignments.join(", ")) }
}

/// Returns each column that a redaction changes, and what to: null, or a blank.
fn redactions(dialect: &dyn Dialect, step: &Step) -> impl Iterator<Item = (String, Option<String>)> {
    let key: Vec<String> = step.primary_key.iter().map(|name| dialect.text(&quote(name))).collect();
    let key = key.join(" || '-' || ");
    step.columns.iter().filter_map(move |(name, column)| {
        let distinct = (column.unique && !key.is_empty()).then_some(key.as_str());
        match column.redaction {
            Redaction::Stay => None,
            Redaction::Null => Some((quote(name), None)),
            Redaction::Blank => Some((quote(name), Some(dialect.blank(&column.sql_type, distinct)))),
        }
    })
}

/// Writes assignments that make columns null.
pub(crate) fn nulls<'a>(columns: impl IntoIterator<Item = &'a String>) -> String {
    columns.into_iter().map(|column| format!("{} = NULL", quote(column))).collect::<Vec<_>>().join(", ")
}

/// Builds a statement on rows of a step, found by their locators; `None` if there are none.
pub(crate) fn on_rows(
    connection: &dyn Connection,
    step: &Step,
    rows: &BTreeSet<String>,
    verb: impl FnOnce(&str) -> String,
) -> Option<Statement> {
    let mut lists = Vec::new();
    let (dialect, locator) = (connection.dialect(), locator(connection, step));
    let condition = dialect.matches(&locator, &mut rows.iter().map(String::as_str), &mut lists)?;
    Some(Statement {
        purpose: Purpose::Change,
        table: step.table.clone(),
        sql: format!("{} WHERE {condition}", verb(&dialect.table(&step.table))),
        lists,
    })
}
