//! Selecting rows of a step, with all that must be known of them.

use std::collections::{BTreeMap, BTreeSet};

use model::plan::{Action, Step};
use model::{Problem, Result, codes};

use super::look::{Look, MAX_ROWS, Mode, Row, too_many};
use super::statement::{self, Column, Purpose, Statement};
use super::{Cell, Connection, Dialect, encode, quote, retention};

/// A row that a question found.
pub(super) struct Found<'a> {
    /// What finds it again.
    pub(super) locator: String,
    pub(super) row: Row,
    /// Its columns that matter, by name.
    pub(super) cells: BTreeMap<&'a str, Cell>,
}

impl Found<'_> {
    /// Returns the values of some of its columns.
    pub(super) fn values(&self, names: &[String]) -> Vec<Cell> {
        names.iter().map(|name| self.cells.get(name.as_str()).cloned().flatten()).collect()
    }
}

/// What a selection of a step shows: whether the row is redacted, its locator, and the columns that matter.
struct Selection<'a> {
    redacted: String,
    locator: Vec<Column>,
    names: Vec<&'a String>,
}

impl<'a> Selection<'a> {
    fn of(connection: &dyn Connection, step: &'a Step) -> Self {
        let dialect = connection.dialect();
        let from = match &step.action {
            Action::Keep(keep) => keep.from.as_ref(),
            Action::Delete | Action::DeleteOrStub => None,
        };
        // Where nothing is ever redacted, nothing has been; where a redaction would change nothing, every row has been.
        let redacted = match step.action {
            Action::Delete => "'0'".to_owned(),
            Action::Keep(_) | Action::DeleteOrStub => match statement::is_redacted(dialect, step) {
                Some(redacted) => format!("CASE WHEN {redacted} THEN '1' ELSE '0' END"),
                None => "'1'".to_owned(),
            },
        };
        let owners = step.owner.iter().flat_map(|reference| &reference.columns);
        let names: BTreeSet<&String> =
            step.identity.keys().chain(step.keys.iter().flatten()).chain(owners).chain(from).collect();
        Self { redacted, locator: statement::locator(connection, step), names: names.into_iter().collect() }
    }

    fn sql(&self, dialect: &dyn Dialect) -> String {
        let locator = self.locator.iter().map(|column| dialect.text(&column.sql));
        let named = self.names.iter().map(|name| dialect.text(&quote(name)));
        std::iter::once(self.redacted.clone()).chain(locator).chain(named).collect::<Vec<_>>().join(", ")
    }
}

impl<'a> Look<'a> {
    /// Selects the rows of a step that a condition holds for.
    pub(super) async fn select(
        &mut self,
        step: &'a Step,
        condition: &str,
        lists: Vec<Vec<String>>,
    ) -> Result<Vec<Found<'a>>> {
        let dialect = self.connection.dialect();
        let selection = Selection::of(self.connection, step);
        let lock = if self.mode == Mode::Erase { dialect.lock() } else { "" };
        let (shown, table) = (selection.sql(dialect), dialect.table(&step.table));
        let sql = format!("SELECT {shown} FROM {table} WHERE {condition} LIMIT {}{lock}", MAX_ROWS + 1);
        let statement = Statement { purpose: Purpose::Read, table: step.table.clone(), sql, lists };
        let rows = self.connection.query(&statement).await?;
        // One question alone may find more than memory holds. The limit does not shrink by rows that were found
        // before: they come up again, and would push new ones out.
        if rows.len() > MAX_ROWS {
            return Err(too_many());
        }
        rows.into_iter().map(|cells| self.read(step, &selection, cells)).collect()
    }

    /// Reads one row. One without a locator could not be changed, and leaving it out would pass for an erasure.
    fn read(&self, step: &Step, selection: &Selection<'a>, mut cells: Vec<Cell>) -> Result<Found<'a>> {
        let named = cells.split_off(1 + selection.locator.len());
        let Some(locator) = encode(&cells[1..]) else {
            let detail = format!("{}: a row has no key that would find it again, a column of it is null", step.table);
            return Err(Problem::new(&codes::erasure::TABLE_UNREADABLE, detail));
        };
        let row = Row {
            own: true,
            redacted: cells[0].as_deref() == Some("1"),
            within_ground: false,
            until: None,
            keys: Vec::new(),
        };
        let cells = selection.names.iter().map(|name| name.as_str()).zip(named).collect();
        let mut found = Found { locator, row, cells };
        found.row.keys = step.keys.iter().map(|key| encode(&found.values(key))).collect();
        if let Action::Keep(keep) = &step.action {
            let from = keep.from.as_ref().and_then(|name| found.cells.get(name.as_str()).cloned().flatten());
            found.row.until = retention::until(&step.table, keep, from.as_deref())?;
            // A ground without a time never ends; without an instant to measure against, none has ended.
            found.row.within_ground = match (found.row.until, self.plan.as_of) {
                (Some(until), Some(now)) => now <= until,
                _ => true,
            };
        }
        Ok(found)
    }
}
