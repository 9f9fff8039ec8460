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
    /// Whether a foreign key ties it: what the database takes for the same there is the same.
    pub(crate) tied: bool,
}

impl Column {
    pub(crate) fn named(name: &str, sql_type: &str) -> Self {
        Self::written(quote(name), sql_type)
    }

    /// An expression that stands for a column.
    pub(crate) fn written(sql: impl Into<String>, sql_type: &str) -> Self {
        Self { sql: sql.into(), sql_type: sql_type.to_owned(), tied: false }
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

/// A condition: these columns together have one of these values, and what else must hold.
pub(crate) struct Condition {
    pub(crate) columns: Vec<Column>,
    pub(crate) values: Vec<String>,
    pub(crate) and: Option<String>,
}

/// The text of a condition with its lists of values.
pub(crate) struct Where {
    pub(crate) sql: String,
    pub(crate) lists: Vec<Vec<String>>,
}

/// Writes the condition that any of these holds; in several parts where it is too long for one statement, and in none
/// if it cannot hold.
pub(crate) fn any(dialect: &dyn Dialect, conditions: &[Condition]) -> Vec<Where> {
    let most = dialect.most_values();
    if conditions.iter().map(|condition| condition.values.len()).sum::<usize>() <= most {
        let all: Vec<_> = conditions.iter().map(|condition| (condition, condition.values.as_slice())).collect();
        return either(dialect, &all).into_iter().collect();
    }
    let parts = conditions.iter().flat_map(|one| one.values.chunks(most).map(move |values| (one, values)));
    parts.filter_map(|part| either(dialect, &[part])).collect()
}

fn either(dialect: &dyn Dialect, conditions: &[(&Condition, &[String])]) -> Option<Where> {
    let mut lists = Vec::new();
    let mut written = Vec::new();
    for (condition, values) in conditions {
        let values = &mut values.iter().map(String::as_str);
        let Some(matches) = dialect.matches(&condition.columns, values, &mut lists) else { continue };
        written.push(match &condition.and {
            Some(and) => format!("({and} AND {matches})"),
            None => matches,
        });
    }
    if written.is_empty() { None } else { Some(Where { sql: format!("({})", written.join(" OR ")), lists }) }
}

/// Returns the columns of a step by their names.
pub(crate) fn columns(step: &Step, names: &[String]) -> Vec<Column> {
    let typed = |name: &String| {
        let column = step.columns.get(name)?;
        Some(Column { tied: column.tied, ..Column::named(name, &column.sql_type) })
    };
    names.iter().filter_map(typed).collect()
}

/// Returns what finds a row of a step again.
pub(crate) fn locator(connection: &dyn Connection, step: &Step) -> Vec<Column> {
    let by_row_id = step.primary_key.is_empty() || connection.prefers_row_id(&step.table);
    let row_id = by_row_id.then(|| connection.dialect().row_id(&step.columns)).flatten();
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
            None => format!("{} IS NULL", column.sql),
            Some(blank) => {
                let blank = Column::written(blank, &column.sql_type);
                format!("{} = {}", dialect.text(&column), dialect.text(&blank))
            }
        })
        .collect();
    if conditions.is_empty() { None } else { Some(conditions.join(" AND ")) }
}

/// Writes the assignments that redact a row; `None` where there is nothing to change.
pub(crate) fn redact(dialect: &dyn Dialect, step: &Step) -> Option<String> {
    let assignments: Vec<String> = redactions(dialect, step)
        .map(|(column, value)| format!("{} = {}", column.sql, value.as_deref().unwrap_or("NULL")))
        .collect();
    if assignments.is_empty() { None } else { Some(assignments.join(", ")) }
}

/// Returns each column that a redaction changes, and what to: null, or a blank.
fn redactions(dialect: &dyn Dialect, step: &Step) -> impl Iterator<Item = (Column, Option<String>)> {
    let key: Vec<String> = columns(step, &step.primary_key).iter().map(|column| dialect.text(column)).collect();
    let key = key.join(" || '-' || ");
    step.columns.iter().filter_map(move |(name, column)| {
        let named = Column::named(name, &column.sql_type);
        let distinct = (column.unique && !key.is_empty()).then_some(key.as_str());
        match column.redaction {
            Redaction::Stay => None,
            Redaction::Null => Some((named, None)),
            Redaction::Blank => Some((named, Some(dialect.blank(&column.sql_type, distinct)))),
        }
    })
}

/// Writes assignments that make columns null.
pub(crate) fn nulls<'a>(columns: impl IntoIterator<Item = &'a String>) -> String {
    columns.into_iter().map(|column| format!("{} = NULL", quote(column))).collect::<Vec<_>>().join(", ")
}

/// Builds the statements on rows of a step, found by their locators; none if there are no rows.
pub(crate) fn on_rows(
    connection: &dyn Connection,
    step: &Step,
    rows: &BTreeSet<String>,
    verb: impl Fn(&str) -> String,
) -> Vec<Statement> {
    let (dialect, columns) = (connection.dialect(), locator(connection, step));
    let verb = verb(&dialect.table(&step.table));
    let found = Condition { columns, values: rows.iter().cloned().collect(), and: None };
    let statement = |part: Where| Statement {
        purpose: Purpose::Change,
        table: step.table.clone(),
        sql: format!("{verb} WHERE {}", part.sql),
        lists: part.lists,
    };
    any(dialect, &[found]).into_iter().map(statement).collect()
}
