//! Erasing in other people's SQL databases, whatever their dialect: find, look for what is in the way, erase, read again.
//!
//! Values travel as text and are compared with the column's own type, so that its index serves and nothing is rounded.
//! They never reach an error text; the names of tables and columns do.

mod blockers;
mod drain;
mod erase;
pub(crate) mod inspect;
mod look;
pub(crate) mod pool;
mod retention;
mod select;
mod shapes;
mod spelling;
mod statement;
mod tally;

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use model::plan::{Erased, Frozen, Plan, StepColumn, Survey};
use model::{Identity, Result};

use look::{Extent, Look, Mode};
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

/// Begins and ends transactions.
#[async_trait]
pub(crate) trait Transactions: Sync {
    /// One that changes rows: rolled back when dropped.
    type Transaction: Connection;

    /// Begins one.
    async fn writing(&self) -> Result<Self::Transaction>;

    /// Ends one so that what it did stays.
    async fn commit(&self, transaction: Self::Transaction) -> Result<()>;
}

/// What differs from database to database.
pub(crate) trait Dialect: Send + Sync {
    /// Writes the name of a table as the catalogue gives it.
    fn table(&self, name: &str) -> String;

    /// Writes a value as text, the same for equal values in any column.
    fn text(&self, value: &Column) -> String;

    /// Writes a column as an argument of a function of texts, so that an index on that function of the column serves.
    fn argument(&self, column: &Column) -> String {
        self.text(column)
    }

    /// Writes a condition that an index serves and that every value fulfils which differs from these in case alone.
    fn alike(&self, _column: &Column, _values: &[String]) -> Option<String> {
        None
    }

    /// What finds a row of a table without a primary key again, within one transaction; `None` if columns of the table
    /// hide it. Rows that are equal in every column may share it: nobody can tell them apart.
    fn row_id(&self, columns: &BTreeMap<String, StepColumn>) -> Option<Column>;

    /// How many values a condition may name.
    fn most_values(&self) -> usize {
        usize::MAX
    }

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

/// Tells whether a text is a whole number of any size, written as databases write it.
pub(crate) fn is_whole(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    plain && (text == "0" || !digits.starts_with('0'))
}

/// Tells whether a text is a UUID as databases write it.
pub(crate) fn is_uuid(text: &str) -> bool {
    let dashes = |(at, c): (usize, char)| (c == '-') == matches!(at, 8 | 13 | 18 | 23);
    let digits = |c: char| c == '-' || c.is_ascii_hexdigit();
    text.len() == 36 && text.chars().all(digits) && text.char_indices().all(dashes)
}

/// Looks for a person; see [`crate::Eraser::survey`].
pub(crate) async fn survey(connection: &mut dyn Connection, plan: &Plan, identities: &[Identity]) -> Result<Survey> {
    let identities: BTreeSet<Identity> = identities.iter().cloned().collect();
    let asked = Frozen { identities: identities.into_iter().collect(), ..Frozen::default() };
    for extent in [Extent::Whole, Extent::Batch] {
        let look = Look::close(&mut *connection, plan, &asked, Mode::Survey, extent).await;
        if extent == Extent::Whole && look.as_ref().is_err_and(look::is_too_many) {
            continue;
        }
        let mut look = look?;
        let blockers = blockers::find(&mut look).await?;
        let tables = look.tally().await?.into_iter().map(|tally| tally.announced()).collect();
        let blockers = blockers.iter().map(model::Problem::reason).collect();
        return Ok(Survey { frozen: look.frozen, tables, blockers, in_batches: extent == Extent::Batch });
    }
    Err(look::too_many())
}

/// Erases a person; see [`crate::Eraser::erase`]. In one transaction if they have not too much for one, else in batches.
pub(crate) async fn erase<D: Transactions>(database: &D, plan: &Plan, frozen: &Frozen) -> Result<Erased> {
    let mut transaction = database.writing().await?;
    match whole(&mut transaction, plan, frozen).await {
        Err(problem) if look::is_too_many(&problem) => {
            drop(transaction);
            drain::drain(database, plan, frozen).await
        }
        Err(problem) => Err(problem),
        Ok(erased) => {
            database.commit(transaction).await?;
            Ok(erased)
        }
    }
}

async fn whole(connection: &mut dyn Connection, plan: &Plan, frozen: &Frozen) -> Result<Erased> {
    let mut look = Look::close(connection, plan, frozen, Mode::Erase, Extent::Whole).await?;
    if let Some(blocker) = blockers::find(&mut look).await?.into_iter().next() {
        return Err(blocker);
    }
    erase::carry_out(&mut look, plan.steps.len()).await?.ok_or_else(look::too_many)
}

/// Reads every location again; see [`crate::Eraser::reread`].
pub(crate) async fn reread(
    connection: &mut dyn Connection,
    plan: &Plan,
    frozen: &Frozen,
) -> Result<Vec<model::erasure::TableResult>> {
    for extent in [Extent::Whole, Extent::Batch] {
        let look = Look::close(&mut *connection, plan, frozen, Mode::Reread, extent).await;
        if extent == Extent::Whole && look.as_ref().is_err_and(look::is_too_many) {
            continue;
        }
        let mut look = look?;
        if let Some(stranger) = blockers::strangers(&mut look).await?.into_iter().next() {
            return Err(stranger);
        }
        return Ok(look.tally().await?.into_iter().map(|tally| tally.read_again()).collect());
    }
    Err(look::too_many())
}
