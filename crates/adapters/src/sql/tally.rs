//! Counting what was found: what there is to do, and what may stay.

use std::collections::BTreeSet;

use model::Result;
use model::erasure::TableResult;
use model::plan::{Action, Holder};
use model::world::OnErase;

use super::look::{Look, Row, condition};
use super::statement::{self, Column, Purpose, Statement};

/// The counts of one table.
pub(super) struct Tally {
    name: String,
    /// Rows that an erasure has something to do with.
    open: u64,
    /// Rows that a ground keeps and that are redacted already.
    kept: u64,
    /// Rows that a ground will keep.
    keeping: u64,
}

impl Tally {
    /// The counts before anything is erased.
    pub(super) fn announced(self) -> TableResult {
        TableResult { name: self.name, found: self.open, kept: self.kept + self.keeping, ..TableResult::default() }
    }

    /// The counts after it: what is still open should not be there.
    pub(super) fn read_again(self) -> TableResult {
        TableResult {
            name: self.name,
            found: self.open,
            remaining: self.open,
            kept: self.kept,
            ..TableResult::default()
        }
    }
}

/// The rows of a step that others go on referring to.
#[derive(Default)]
pub(super) struct Held {
    /// Rows that kept rows refer to.
    pub(super) by_kept: BTreeSet<String>,
    /// Rows that only others' rows refer to.
    pub(super) by_others: BTreeSet<String>,
}

impl Held {
    pub(super) fn contains(&self, row: &str) -> bool {
        self.by_kept.contains(row) || self.by_others.contains(row)
    }
}

impl Look<'_> {
    /// Counts every table of the plan.
    pub(super) async fn tally(&mut self) -> Result<Vec<Tally>> {
        let mut tallies = Vec::new();
        for index in 0..self.plan.steps.len() {
            let step = &self.plan.steps[index];
            let mut tally = Tally { name: step.table.clone(), open: 0, kept: 0, keeping: 0 };
            let held = self.held(index).await?;
            for (locator, row) in &self.rows[index] {
                let staying = match step.action {
                    Action::Delete => false,
                    Action::Keep(_) => row.is_kept(),
                    Action::DeleteOrStub => row.redacted && held.contains(locator),
                };
                let on_a_ground = matches!(step.action, Action::Keep(_)) || held.by_kept.contains(locator);
                match (staying, row.redacted) {
                    (true, true) => tally.kept += if on_a_ground { row.copies } else { 0 },
                    (true, false) => {
                        tally.open += row.copies;
                        tally.keeping += row.copies;
                    }
                    (false, _) => tally.open += row.copies,
                }
            }
            if step.on_erase == Some(OnErase::Detach) && self.mode == super::look::Mode::Reread {
                tally.open += self.hanging(index).await?.0.len() as u64;
            }
            if self.cut.contains(&index) {
                tally.open = tally.open.max(self.count_own(index).await?);
            }
            tallies.push(tally);
        }
        Ok(tallies)
    }

    /// Counts the person's own rows of a step by what is known of them: where not even all owners were found, at least so many.
    async fn count_own(&mut self, index: usize) -> Result<u64> {
        let step = &self.plan.steps[index];
        let (dialect, conditions) = (self.connection.dialect(), self.finding_own(step));
        let shown = dialect.text(&Column::written("count(*)", "bigint"));
        let mut rows = 0;
        for part in statement::any(dialect, &conditions) {
            let sql = format!("SELECT {shown} FROM {} WHERE {}", dialect.table(&step.table), part.sql);
            let (purpose, table) = (Purpose::Read, step.table.clone());
            let counted = self.connection.query(&Statement { purpose, table, sql, lists: part.lists }).await?;
            rows += counted.into_iter().flatten().flatten().filter_map(|count| count.parse::<u64>().ok()).sum::<u64>();
        }
        Ok(rows)
    }

    /// Finds the rows of a step that rows which stay refer to. Children must have been dealt with before.
    pub(super) async fn held(&mut self, index: usize) -> Result<Held> {
        let mut held = Held::default();
        for holder in &self.plan.steps[index].holders {
            let rows = self.held_by(index, holder).await?;
            if holder.keep.is_some() { held.by_kept.extend(rows) } else { held.by_others.extend(rows) }
        }
        Ok(held)
    }

    async fn held_by(&mut self, index: usize, holder: &Holder) -> Result<BTreeSet<String>> {
        let plan = self.plan;
        let Some(there) = plan.steps.iter().position(|step| step.table == holder.table) else {
            return Ok(BTreeSet::new());
        };
        let reference = &holder.reference;
        let key = |row: &Row| self.key_of(index, row, &reference.target).cloned();
        let values: BTreeSet<String> = self.rows[index].values().filter_map(key).collect();
        let condition = condition(&plan.steps[there], &reference.columns, values.into_iter());
        let dialect = self.connection.dialect();
        let locator = statement::locator(self.connection, &plan.steps[there]);
        let columns = statement::columns(&plan.steps[there], &reference.columns);
        let shown: Vec<String> = locator.iter().chain(&columns).map(|column| dialect.text(column)).collect();
        let mut referring: Vec<(Option<String>, Option<String>)> = Vec::new();
        for part in statement::any(dialect, &[condition]) {
            let from = dialect.table(&holder.table);
            let sql = format!("SELECT {} FROM {from} WHERE {}", shown.join(", "), part.sql);
            let (purpose, table) = (Purpose::Read, holder.table.clone());
            let rows = self.connection.query(&Statement { purpose, table, sql, lists: part.lists }).await?;
            let split =
                |cells: &Vec<_>| (super::encode(&cells[..locator.len()]), super::encode(&cells[locator.len()..]));
            referring.extend(rows.iter().map(split));
        }

        // Where a table refers to itself, a row of the person holds another only if it is held itself.
        let mut held: BTreeSet<String> = BTreeSet::new();
        loop {
            let stays = |row: &Option<String>| {
                there != index
                    || row.as_ref().is_none_or(|row| !self.rows[index].contains_key(row) || held.contains(row))
            };
            let named: BTreeSet<&String> =
                referring.iter().filter(|(row, _)| stays(row)).filter_map(|(_, key)| key.as_ref()).collect();
            let next: BTreeSet<String> = self.rows[index]
                .iter()
                .filter(|(_, row)| self.key_of(index, row, &reference.target).is_some_and(|key| named.contains(key)))
                .map(|(locator, _)| locator.clone())
                .collect();
            if next.len() == held.len() {
                return Ok(held);
            }
            held = next;
        }
    }
}
