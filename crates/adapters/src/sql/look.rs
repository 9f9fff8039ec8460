//! Finding a person's rows: the closed set of identities, keys and rows, from which everything else follows.
//!
//! Rows are found by identities, by owners, and (where others' rows go too) by what they hang on, over and over until
//! nothing new comes up. Frozen identities and keys take part from the beginning: so a second try finds children whose
//! parents are gone already.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use model::plan::{Action, Frozen, Plan, Reference, Step, key_name};
use model::world::OnErase;
use model::{Identity, Problem, Result, codes};

use super::select::Found;
use super::statement::{self, Column, Condition};
use super::{Connection, encode, spelling};

/// How many rows of one system a transaction may touch: they are held in memory, and locked, until it ends.
pub(super) const MAX_ROWS: usize = 100_000;
/// How many rows one question may find where a person has more than that, and is erased in batches.
pub(super) const BATCH_ROWS: usize = 10_000;

/// What a look is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Before anything is destroyed.
    Survey,
    /// Within the erasing transaction: rows are locked.
    Erase,
    /// After it.
    Reread,
}

/// How much of a person a look is to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// All, or it fails.
    Whole,
    /// A batch: a question that would find more is cut short.
    Batch,
}

impl Extent {
    /// How many rows one question may find.
    pub(super) fn limit(self) -> usize {
        match self {
            Self::Whole => MAX_ROWS,
            Self::Batch => BATCH_ROWS,
        }
    }
}

/// One row that was found.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// How many rows it stands for: without a key, rows that are equal in every column cannot be told apart.
    pub(super) copies: u64,
    /// Whether it is the person's; else others', going along with what it hangs on.
    pub(super) own: bool,
    /// Whether a redaction would change nothing.
    pub(super) redacted: bool,
    /// Whether the ground of its table is not over yet.
    pub(super) within_ground: bool,
    /// Until when.
    pub(super) until: Option<Timestamp>,
    /// Its values of the step's keys, in their order.
    pub(super) keys: Vec<Option<String>>,
}

impl Row {
    /// Tells whether a ground keeps it now: a ground covers the person's rows, not those that merely hang on others.
    pub(super) fn is_kept(&self) -> bool {
        self.own && self.within_ground
    }
}

/// The rows of one table by their locators.
pub(super) type Rows = BTreeMap<String, Row>;

/// What was found in one system.
pub(super) struct Look<'a> {
    pub(super) connection: &'a mut dyn Connection,
    pub(super) plan: &'a Plan,
    pub(super) mode: Mode,
    pub(super) extent: Extent,
    /// The steps of which not all rows were found.
    pub(super) cut: BTreeSet<usize>,
    /// The identities and keys known so far.
    pub(super) frozen: Frozen,
    /// The rows of each step.
    pub(super) rows: Vec<Rows>,
    /// What was known when the look began.
    asked: Frozen,
    /// Keys of persons that rows with an identity say they belong to.
    persons: BTreeMap<String, BTreeSet<String>>,
    /// How much each question knew when it was last asked.
    answered: BTreeMap<(usize, Question), usize>,
}

/// How rows of a table are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Question {
    Identity,
    Owner,
    Container,
}

impl<'a> Look<'a> {
    /// Closes the set.
    ///
    /// # Errors
    /// What kept it from reading, or `MO-2019`.
    pub(super) async fn close(
        connection: &'a mut dyn Connection,
        plan: &'a Plan,
        asked: &Frozen,
        mode: Mode,
        extent: Extent,
    ) -> Result<Self> {
        let mut look = Look {
            connection,
            plan,
            mode,
            extent,
            cut: BTreeSet::new(),
            frozen: asked.clone(),
            rows: vec![Rows::new(); plan.steps.len()],
            asked: asked.clone(),
            persons: BTreeMap::new(),
            answered: BTreeMap::new(),
        };
        look.run().await?;
        if mode == Mode::Reread {
            look.forget_reused_keys().await?;
        }
        Ok(look)
    }

    /// Asks every question again that learned something new, owners before what they own, until none did.
    async fn run(&mut self) -> Result<()> {
        let mut asked = true;
        while asked {
            asked = false;
            for index in (0..self.plan.steps.len()).rev() {
                for question in [Question::Identity, Question::Owner, Question::Container] {
                    asked |= self.ask(index, question).await?;
                }
            }
        }
        Ok(())
    }

    /// The keys of rows that were deleted may have been given to new ones since: what refers to these is not the person's.
    /// Whatever referred to the old ones went in the same transaction.
    async fn forget_reused_keys(&mut self) -> Result<()> {
        let reused = self.keys_of_others().await?;
        if reused.is_empty() {
            return Ok(());
        }
        for (name, value) in reused {
            self.asked.keys.entry(name).or_default().remove(&value);
        }
        self.frozen = self.asked.clone();
        self.rows = vec![Rows::new(); self.plan.steps.len()];
        self.persons.clear();
        self.answered.clear();
        self.cut.clear();
        self.run().await
    }

    async fn ask(&mut self, index: usize, question: Question) -> Result<bool> {
        let step = &self.plan.steps[index];
        let conditions = self.question(step, question);
        let known = conditions.iter().map(|condition| condition.values.len()).sum();
        let before = self.answered.get(&(index, question)).copied();
        if known == 0 || before == Some(known) || before == Some(usize::MAX) {
            return Ok(false);
        }
        self.answered.insert((index, question), known);
        let answer = self.select(step, &conditions).await?;
        if answer.cut {
            // Asked again, it would find others: what a batch holds would grow without an end.
            self.cut.insert(index);
            self.answered.insert((index, question), usize::MAX);
        }
        for (locator, mut found) in answer.rows {
            found.row.own = question != Question::Container;
            self.learn(step, question, &found);
            // A row found as the person's stays the person's, even if it also hangs on one of theirs.
            let row = self.rows[index].entry(locator).or_insert_with(|| found.row.clone());
            row.own |= found.row.own;
            row.copies = row.copies.max(found.row.copies);
        }
        if self.extent == Extent::Whole && self.rows.iter().map(BTreeMap::len).sum::<usize>() > MAX_ROWS {
            return Err(too_many());
        }
        Ok(true)
    }

    /// What a question asks for with what is known by now.
    fn question(&self, step: &Step, question: Question) -> Vec<Condition> {
        match question {
            Question::Identity => self.by_identity(step),
            Question::Owner => self.by_owner(step),
            Question::Container if step.on_erase == Some(OnErase::Delete) => self.by_container(step),
            Question::Container => Vec::new(),
        }
    }

    /// What finds the person's own rows of a step.
    pub(super) fn finding_own(&self, step: &Step) -> Vec<Condition> {
        [Question::Identity, Question::Owner].into_iter().flat_map(|question| self.question(step, question)).collect()
    }

    /// Rows that are the person: by an identity, or because a row with an identity says whose it is.
    fn by_identity(&self, step: &Step) -> Vec<Condition> {
        let mut conditions = Vec::new();
        for (name, kind) in &step.identity {
            // An identity comes from outside, where those who are written alike may be two.
            for column in statement::columns(step, std::slice::from_ref(name)) {
                let (column, dialect) = (Column { tied: false, ..column }, self.connection.dialect());
                conditions.extend(spelling::conditions(dialect, &column, kind, &self.frozen.identities));
            }
        }
        if !step.identity.is_empty() {
            for key in &step.keys {
                let Some(values) = self.persons.get(&key_name(&step.table, key)) else { continue };
                conditions.push(condition(step, key, values.iter().cloned()));
            }
        }
        conditions
    }

    /// Rows that the person owns, and rows of theirs that an earlier redaction left without an owner.
    fn by_owner(&self, step: &Step) -> Vec<Condition> {
        let mut conditions = Vec::new();
        for reference in &step.owner {
            let Some(values) = self.frozen.keys.get(&reference.key()) else { continue };
            conditions.push(condition(step, &reference.columns, values.iter().cloned()));
        }
        let redacted = statement::is_redacted(self.connection.dialect(), step);
        // Where a ground covers every column, there is nothing to recognise a kept row by but its key.
        let recognisable = redacted.is_some() || matches!(step.action, Action::Keep(_));
        let earlier = self.asked.keys.get(&key_name(&step.table, &step.primary_key));
        if let Some(values) = earlier.filter(|_| recognisable && step.action != Action::Delete) {
            let found = condition(step, &step.primary_key, values.iter().cloned());
            conditions.push(Condition { and: redacted, ..found });
        }
        conditions
    }

    fn by_container(&self, step: &Step) -> Vec<Condition> {
        let condition = |reference: &Reference| condition(step, &reference.columns, self.going(reference).into_iter());
        step.container.iter().map(condition).collect()
    }

    /// The keys that a reference may have to rows that go; rows that a ground keeps do not.
    fn going(&self, reference: &Reference) -> BTreeSet<String> {
        let step = self.plan.steps.iter().position(|step| step.table == reference.table);
        let values = self.frozen.keys.get(&reference.key()).cloned().unwrap_or_default();
        let Some(index) = step else { return values };
        let staying: BTreeSet<&String> = self.rows[index]
            .values()
            .filter(|row| row.is_kept())
            .filter_map(|row| self.key_of(index, row, &reference.target))
            .collect();
        values.iter().filter(|value| !staying.contains(value)).cloned().collect()
    }

    /// The value that a row has of one of its step's keys.
    pub(super) fn key_of<'r>(&self, index: usize, row: &'r Row, key: &[String]) -> Option<&'r String> {
        let place = self.plan.steps[index].keys.iter().position(|other| other == key)?;
        row.keys.get(place)?.as_ref()
    }

    /// Takes what a row tells: its keys, and if it is the person's, further identities and whose it is.
    fn learn(&mut self, step: &Step, question: Question, found: &Found<'_>) {
        for (key, value) in step.keys.iter().zip(&found.row.keys) {
            if let Some(value) = value {
                self.frozen.keys.entry(key_name(&step.table, key)).or_default().insert(value.clone());
            }
        }
        if !found.row.own || found.row.redacted {
            return;
        }
        for (name, kind) in &step.identity {
            let Some(Some(value)) = found.cells.get(name.as_str()) else { continue };
            // What cannot be an identity (empty, too long) is none.
            if let Ok(identity) = Identity::new(kind.clone(), value.as_str())
                && !self.frozen.identities.contains(&identity)
            {
                self.frozen.identities.push(identity);
            }
        }
        // Only a row that names the person by an identity tells whose it is: one of two owners does not name the other.
        if let (Question::Identity, [owner]) = (question, step.owner.as_slice())
            && self.plan.steps.iter().any(|step| step.table == owner.table && !step.identity.is_empty())
            && let Some(value) = encode(&found.values(&owner.columns))
        {
            self.persons.entry(owner.key()).or_default().insert(value);
        }
    }

    /// Finds rows that carry a frozen key and are not among those found: the key is shared, or was given away again.
    pub(super) async fn keys_of_others(&mut self) -> Result<Vec<(String, String)>> {
        let mut others = Vec::new();
        for (index, step) in self.plan.steps.iter().enumerate() {
            // Where not all rows were found, others that carry a key may be the person's: the last batch tells.
            if self.cut.contains(&index) {
                continue;
            }
            for key in &step.keys {
                let name = key_name(&step.table, key);
                let Some(values) = self.frozen.keys.get(&name) else { continue };
                let carried: BTreeSet<&String> =
                    self.rows[index].values().filter_map(|row| self.key_of(index, row, key)).collect();
                // A primary key that one of the found rows carries is carried by no other.
                let open = values.iter().filter(|value| *key != step.primary_key || !carried.contains(value));
                let open = condition(step, key, open.cloned());
                for (locator, found) in self.select(step, &[open]).await?.rows {
                    if let Some(value) = self.key_of(index, &found.row, key)
                        && !self.rows[index].contains_key(&locator)
                    {
                        others.push((name.clone(), value.clone()));
                    }
                }
            }
        }
        Ok(others)
    }

    /// Finds others' rows of a step that hang on rows that go, and tells whether there are more of them.
    pub(super) async fn hanging(&mut self, index: usize) -> Result<(BTreeSet<String>, bool)> {
        let step = &self.plan.steps[index];
        let conditions = self.by_container(step);
        let answer = self.select(step, &conditions).await?;
        let others = answer.rows.into_keys().filter(|row| !self.rows[index].contains_key(row));
        Ok((others.collect(), answer.cut))
    }
}

/// More rows than one transaction may touch.
pub(super) fn too_many() -> Problem {
    Problem::new(&codes::erasure::TOO_MANY_ROWS, format!("there are more than {MAX_ROWS}"))
}

pub(super) fn is_too_many(problem: &Problem) -> bool {
    problem.is(&codes::erasure::TOO_MANY_ROWS)
}

/// The condition that columns of a step together have one of these values.
pub(super) fn condition(step: &Step, names: &[String], values: impl Iterator<Item = String>) -> Condition {
    Condition { columns: statement::columns(step, names), values: values.collect(), and: None }
}
