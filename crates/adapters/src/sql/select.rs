//! Selecting rows of a step, with all that must be known of them.

use std::collections::{BTreeMap, BTreeSet};

use model::plan::{Action, Step};
use model::{Problem, Result, codes};

use super::look::{Extent, Look, Mode, Row, too_many};
use super::statement::{self, Column, Condition, Purpose, Statement};
use super::{Cell, Connection, Dialect, encode, retention};

/// A row that a question found.
pub(super) struct Found<'a> {
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

/// What a question found.
#[derive(Default)]
pub(super) struct Answer<'a> {
    /// Rows by their locators.
    pub(super) rows: BTreeMap<String, Found<'a>>,
    /// Whether there are more.
    pub(super) cut: bool,
}

/// What a selection of a step shows: whether the row is redacted, its locator, and the columns that matter.
struct Selection<'a> {
    redacted: String,
    locator: Vec<Column>,
    names: Vec<&'a str>,
    named: Vec<Column>,
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
        let known = names.into_iter().filter_map(|name| step.columns.get_key_value(name));
        let (names, named) = known.map(|(name, column)| (name.as_str(), Column::named(name, &column.sql_type))).unzip();
        Self { redacted, locator: statement::locator(connection, step), names, named }
    }

    fn sql(&self, dialect: &dyn Dialect) -> String {
        let locator = self.locator.iter().map(|column| dialect.text(column));
        let named = self.named.iter().map(|column| dialect.text(column));
        std::iter::once(self.redacted.clone()).chain(locator).chain(named).collect::<Vec<_>>().join(", ")
    }
}

impl<'a> Look<'a> {
    /// Selects the rows of a step that one of these conditions holds for.
    pub(super) async fn select(&mut self, step: &'a Step, conditions: &[Condition]) -> Result<Answer<'a>> {
        let dialect = self.connection.dialect();
        let selection = Selection::of(self.connection, step);
        let lock = if self.mode == Mode::Erase { dialect.lock() } else { "" };
        let (shown, table) = (selection.sql(dialect), dialect.table(&step.table));
        let most = self.extent.limit();
        let mut answer = Answer::default();
        for part in statement::any(dialect, conditions) {
            // One question alone may find more than memory holds. The limit does not shrink by rows that were found
            // before: they come up again, and would push new ones out.
            let sql = format!("SELECT {shown} FROM {table} WHERE {} LIMIT {}{lock}", part.sql, most + 1);
            let (purpose, table) = (Purpose::Read, step.table.clone());
            let mut rows = self.connection.query(&Statement { purpose, table, sql, lists: part.lists }).await?;
            answer.cut = rows.len() + answer.rows.len() > most;
            if answer.cut && self.extent == Extent::Whole {
                return Err(too_many());
            }
            rows.truncate(most.saturating_sub(answer.rows.len()));
            self.gather(step, &selection, rows, &mut answer.rows)?;
            if answer.cut {
                break;
            }
        }
        Ok(answer)
    }

    /// Adds the rows of one answer. Those that share a locator are equal in every column, and counted; the same row may
    /// come with several answers.
    fn gather(
        &self,
        step: &'a Step,
        selection: &Selection<'a>,
        rows: Vec<Vec<Cell>>,
        found: &mut BTreeMap<String, Found<'a>>,
    ) -> Result<()> {
        let mut here: BTreeMap<String, u64> = BTreeMap::new();
        for cells in rows {
            let (locator, read) = self.read(step, selection, cells)?;
            let copies = here.entry(locator.clone()).or_default();
            *copies += 1;
            let known = found.entry(locator).or_insert(read);
            known.row.copies = known.row.copies.max(*copies);
        }
        Ok(())
    }

    /// Reads one row. One without a locator could not be changed, and leaving it out would pass for an erasure.
    fn read(&self, step: &Step, selection: &Selection<'a>, mut cells: Vec<Cell>) -> Result<(String, Found<'a>)> {
        let named = cells.split_off(1 + selection.locator.len());
        let Some(locator) = encode(&cells[1..]) else {
            let detail = format!("{}: a row has no key that would find it again, a column of it is null", step.table);
            return Err(Problem::new(&codes::erasure::TABLE_UNREADABLE, detail));
        };
        let row = Row {
            own: true,
            copies: 1,
            redacted: cells[0].as_deref() == Some("1"),
            within_ground: false,
            until: None,
            keys: Vec::new(),
        };
        let cells = selection.names.iter().copied().zip(named).collect();
        let mut found = Found { row, cells };
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
        Ok((locator, found))
    }
}
