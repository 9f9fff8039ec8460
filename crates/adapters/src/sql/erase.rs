//! Carrying a plan out, within one transaction.

use std::collections::BTreeSet;

use model::Result;
use model::erasure::{Kept, TableResult};
use model::plan::{Action, Erased, Keys, Redaction, Step, key_name};
use model::world::{Keep, OnErase};

use super::look::{Look, Row, Rows};
use super::statement;

/// Carries out the first steps of a plan, or all: lets others' rows go, breaks circles, then goes through the tables,
/// children first. `None` if others' rows had to be let go first, and there are more of them.
pub(super) async fn carry_out(look: &mut Look<'_>, steps: usize) -> Result<Option<Erased>> {
    let plan = look.plan;
    if plan.deferred {
        look.defer().await?;
    }
    let mut let_go = true;
    for (index, step) in plan.steps.iter().enumerate() {
        if step.on_erase == Some(OnErase::Detach) {
            let (hanging, cut) = look.hanging(index).await?;
            let columns = step.container.iter().flat_map(|reference| &reference.columns);
            let nullable: BTreeSet<&String> =
                columns.filter(|name| step.columns.get(*name).is_some_and(|column| column.nullable)).collect();
            look.update(step, &hanging, &statement::nulls(nullable)).await?;
            let_go &= !cut;
        }
    }
    if !let_go {
        return Ok(None);
    }
    for (index, step) in plan.steps.iter().enumerate() {
        if !step.nulled_first.is_empty() {
            let going = locators(&look.rows[index], |row| !row.is_kept());
            look.update(step, &going, &statement::nulls(&step.nulled_first)).await?;
        }
    }
    let mut erased = Erased::default();
    for (index, step) in plan.steps.iter().enumerate().take(steps) {
        let result = match &step.action {
            Action::Delete => look.delete_all(index).await?,
            Action::Keep(keep) => look.keep(index, keep, &mut erased).await?,
            Action::DeleteOrStub => look.delete_or_stub(index, &mut erased).await?,
        };
        erased.tables.push(result);
    }
    erased.frozen = look.frozen.clone();
    Ok(Some(erased))
}

pub(super) fn locators(rows: &Rows, which: impl Fn(&Row) -> bool) -> BTreeSet<String> {
    rows.iter().filter(|(_, row)| which(row)).map(|(locator, _)| locator.clone()).collect()
}

impl Look<'_> {
    async fn defer(&mut self) -> Result<()> {
        let statement = statement::Statement {
            purpose: statement::Purpose::Change,
            table: String::new(),
            sql: self.connection.dialect().defer().to_owned(),
            lists: vec![],
        };
        self.connection.exec(&statement).await.map(drop)
    }

    pub(super) async fn update(&mut self, step: &Step, rows: &BTreeSet<String>, assignments: &str) -> Result<u64> {
        let verb = |table: &str| format!("UPDATE {table} SET {assignments}");
        let statements = statement::on_rows(self.connection, step, rows, verb);
        self.exec(&statements).await
    }

    async fn delete(&mut self, step: &Step, rows: &BTreeSet<String>) -> Result<u64> {
        let statements = statement::on_rows(self.connection, step, rows, |table| format!("DELETE FROM {table}"));
        self.exec(&statements).await
    }

    async fn exec(&mut self, statements: &[statement::Statement]) -> Result<u64> {
        let mut touched = 0;
        for statement in statements {
            touched += self.connection.exec(statement).await?;
        }
        Ok(touched)
    }

    async fn redact(&mut self, step: &Step, rows: &BTreeSet<String>) -> Result<u64> {
        match statement::redact(self.connection.dialect(), step) {
            Some(assignments) => self.update(step, rows, &assignments).await,
            None => Ok(0),
        }
    }

    async fn delete_all(&mut self, index: usize) -> Result<TableResult> {
        let step = &self.plan.steps[index];
        let rows = locators(&self.rows[index], |_| true);
        let found = self.rows[index].values().map(|row| row.copies).sum();
        let erased = self.delete(step, &rows).await?;
        Ok(TableResult { name: step.table.clone(), found, erased, ..TableResult::default() })
    }

    /// Redacts what the ground keeps, and deletes what it no longer does.
    async fn keep(&mut self, index: usize, keep: &Keep, said: &mut Erased) -> Result<TableResult> {
        let step = &self.plan.steps[index];
        let kept = locators(&self.rows[index], Row::is_kept);
        let open = locators(&self.rows[index], |row| row.is_kept() && !row.redacted);
        let over = locators(&self.rows[index], |row| !row.is_kept());
        self.redact(step, &open).await?;
        let erased = self.delete(step, &over).await?;
        if !kept.is_empty() {
            let untils = || kept.iter().map(|row| self.rows[index][row].until);
            note_keys(step, &self.rows[index], &kept, &mut said.staying);
            said.kept.push(Kept {
                what: format!("{}: {}", step.table, keep.columns.join(", ")),
                ground: keep.ground.clone(),
                law: keep.law.clone(),
                until: untils().collect::<Option<Vec<_>>>().and_then(|untils| untils.into_iter().max()),
                first_until: untils().flatten().min(),
            });
        }
        Ok(TableResult {
            name: step.table.clone(),
            found: (open.len() + over.len()) as u64,
            erased,
            kept: kept.len() as u64,
            ..TableResult::default()
        })
    }

    /// Leaves a stub of its key alone where a row that stays refers to it, and deletes the rest.
    async fn delete_or_stub(&mut self, index: usize, said: &mut Erased) -> Result<TableResult> {
        let step = &self.plan.steps[index];
        let held = self.held(index).await?;
        let rows = &self.rows[index];
        let gone: BTreeSet<String> = rows.keys().filter(|row| !held.contains(row)).cloned().collect();
        let open: BTreeSet<String> =
            rows.iter().filter(|(row, is)| held.contains(row) && !is.redacted).map(|(row, _)| row.clone()).collect();
        let emptied = open.iter().filter(|row| !held.by_kept.contains(*row)).count() as u64;
        self.redact(step, &open).await?;
        let erased = self.delete(step, &gone).await? + emptied;
        if !held.by_kept.is_empty() {
            note_keys(step, &self.rows[index], &held.by_kept, &mut said.staying);
            said.kept.extend(stubs(step, &said.kept));
        }
        Ok(TableResult {
            name: step.table.clone(),
            found: (open.len() + gone.len()) as u64,
            erased,
            kept: held.by_kept.len() as u64,
            ..TableResult::default()
        })
    }
}

/// Notes the keys of rows that stay, as far as a redaction leaves them: any other value may be somebody else's by the
/// time that the ground is over.
fn note_keys(step: &Step, rows: &Rows, staying: &BTreeSet<String>, keys: &mut Keys) {
    let stays = |name: &String| step.columns.get(name).is_some_and(|column| column.redaction == Redaction::Stay);
    for (place, key) in step.keys.iter().enumerate().filter(|(_, key)| key.iter().all(stays)) {
        let values = staying.iter().filter_map(|locator| rows.get(locator)?.keys.get(place)?.clone());
        keys.entry(key_name(&step.table, key)).or_default().extend(values);
    }
}

/// Says that stubs stay, once for every ground that rows referring to them are kept on.
fn stubs(step: &Step, said: &[Kept]) -> Vec<Kept> {
    let mut stubs: Vec<Kept> = Vec::new();
    for keep in step.holders.iter().filter_map(|holder| holder.keep.as_ref()) {
        let same = |kept: &&Kept| kept.ground == keep.ground && kept.law == keep.law;
        let holding = said.iter().find(same);
        if !stubs.iter().any(|kept| same(&kept)) {
            stubs.push(Kept {
                what: format!(
                    "{}: {} alone, because what is kept refers to it",
                    step.table,
                    step.primary_key.join(", ")
                ),
                ground: keep.ground.clone(),
                law: keep.law.clone(),
                until: holding.and_then(|kept| kept.until),
                first_until: holding.and_then(|kept| kept.first_until),
            });
        }
    }
    stubs
}
