//! Erasing in other people's SQL databases, whatever their dialect: find, look for what is in the way, erase, read again.
//!
//! Values travel as text and are compared with the column's own type, so that its index serves and nothing is rounded.
//! They never reach an error text; the names of tables and columns do.

mod blockers;
mod erase;
pub(crate) mod inspect;
mod look;
mod retention;
mod select;
mod shapes;
mod spelling;
mod statement;
mod tally;

use std::collections::BTreeSet;

use async_trait::async_trait;
use model::plan::{Erased, Frozen, Plan, Survey};
use model::{Identity, Result};

pub(crate) use statement::{Column, Purpose, Statement};

/// One value of a result, as text; `None` is null.
pub(crate) type Cell = Option<String>;

/// A transaction on somebody's database.
#[async_trait]
pub(crate) trait Connection: Send {
    /// The words it understands.
    fn dialect(&self) -> &'static dyn Dialect;

    /// Tells whether rows of a table are found by their row id even if it has a primary key, because that may be null.
    fn prefers_row_id(&self, _table: &str) -> bool {
        false
    }

    /// Runs a query whose columns are all text.
    async fn query(&mut self, statement: &Statement) -> Result<Vec<Vec<Cell>>>;

    /// Runs a statement and returns how many rows it touched.
    async fn exec(&mut self, statement: &Statement) -> Result<u64>;
}

/// What differs from database to database.
pub(crate) trait Dialect: Send + Sync {
    /// Writes the name of a table as the catalogue gives it.
    fn table(&self, name: &str) -> String;

    /// Writes an expression as text, the same for equal values in any column.
    fn text(&self, expression: &str) -> String;

    /// Writes a column as an argument of a function of texts, so that an index on that function of the column serves.
    fn argument(&self, column: &str) -> String {
        self.text(column)
    }

    /// What finds a row of a table without a primary key again, within one transaction; `None` if columns of the table
    /// hide it.
    fn row_id(&self, taken: &dyn Fn(&str) -> bool) -> Option<Column>;

    /// Writes the condition that these columns together have one of these values, adding the values to `lists`.
    /// `None` if no value could stand in such a column.
    fn matches(
        &self,
        columns: &[Column],
        values: &mut dyn Iterator<Item = &str>,
        lists: &mut Vec<Vec<String>>,
    ) -> Option<String>;

    /// Writes the empty value of a type; with `distinct`, a text of the row's key, one that differs from row to row.
    fn blank(&self, sql_type: &str, distinct: Option<&str>) -> String;

    /// What makes a query lock the rows it finds.
    fn lock(&self) -> &'static str;

    /// What makes foreign keys be checked at the commit.
    fn defer(&self) -> &'static str;
}

/// Writes a name within double quotes, as standard SQL does.
pub(crate) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Joins the texts of several columns into one; `None` if one is null: such a row refers to nothing.
pub(crate) fn encode(cells: &[Cell]) -> Option<String> {
    match cells {
        [one] => one.clone(),
        several => {
            let texts: Vec<&String> = several.iter().map(Option::as_ref).collect::<Option<_>>()?;
            serde_json::to_string(&texts).ok()
        }
    }
}

/// Takes apart what [`encode`] joined.
pub(crate) fn decode(value: &str, columns: usize) -> Option<Vec<String>> {
    match columns {
        1 => Some(vec![value.to_owned()]),
        _ => serde_json::from_str(value).ok().filter(|texts: &Vec<String>| texts.len() == columns),
    }
}

/// Tells whether a text is a whole number as databases write it, and so equal to no other text as a number.
pub(crate) fn whole_number(text: &str) -> Option<i64> {
    text.parse::<i64>().ok().filter(|number| number.to_string() == text)
}

/// Looks for a person; see [`crate::Eraser::survey`].
pub(crate) async fn survey(connection: &mut dyn Connection, plan: &Plan, identities: &[Identity]) -> Result<Survey> {
    let identities: BTreeSet<Identity> = identities.iter().cloned().collect();
    let asked = Frozen { identities: identities.into_iter().collect(), ..Frozen::default() };
    let mut look = look::Look::close(connection, plan, &asked, look::Mode::Survey).await?;
    let blockers = blockers::find(&mut look).await?;
    let tables = look.tally().await?.into_iter().map(|tally| tally.announced()).collect();
    Ok(Survey { frozen: look.frozen, tables, blockers: blockers.iter().map(model::Problem::reason).collect() })
}

/// Erases a person within the connection's transaction; see [`crate::Eraser::erase`].
pub(crate) async fn erase(connection: &mut dyn Connection, plan: &Plan, frozen: &Frozen) -> Result<Erased> {
    let mut look = look::Look::close(connection, plan, frozen, look::Mode::Erase).await?;
    if let Some(blocker) = blockers::find(&mut look).await?.into_iter().next() {
        return Err(blocker);
    }
    erase::carry_out(look).await
}

/// Reads every location again; see [`crate::Eraser::reread`].
pub(crate) async fn reread(
    connection: &mut dyn Connection,
    plan: &Plan,
    frozen: &Frozen,
) -> Result<Vec<model::erasure::TableResult>> {
    let mut look = look::Look::close(connection, plan, frozen, look::Mode::Reread).await?;
    if let Some(stranger) = blockers::strangers(&mut look).await?.into_iter().next() {
        return Err(stranger);
    }
    Ok(look.tally().await?.into_iter().map(|tally| tally.read_again()).collect())
}
