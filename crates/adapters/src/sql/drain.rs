//! Erasing a person who has more rows than one transaction may touch: in batches, each a transaction of its own.
//!
//! A batch takes a limited number of rows of every table, and deletes children before what they refer to, as far as it
//! has found all of these: so no row is left that nothing leads to, and the person's own row goes last, when the rest fits
//! into one transaction. What is given up is that all goes or nothing: what stands in the way of a later batch is found
//! when earlier ones are gone. The verify pass finds whatever was written meanwhile.

use model::erasure::TableResult;
use model::plan::{Action, Erased, Frozen, Plan, key_name};
use model::{Problem, Result, codes};

use super::erase::{carry_out, locators};
use super::look::{Extent, Look, Mode};
use super::statement::{self, Condition};
use super::{Transactions, blockers};

/// How many batches follow each other before the progress is recorded.
const BATCHES: usize = 10;

/// Erases some batches; see [`Erased::more`].
pub(super) async fn drain<D: Transactions>(database: &D, plan: &Plan, frozen: &Frozen) -> Result<Erased> {
    let mut erased = Erased { frozen: frozen.clone(), more: true, ..Erased::default() };
    for _ in 0..BATCHES {
        let mut transaction = database.writing().await?;
        let batch = match batch(&mut transaction, plan, &erased.frozen).await {
            Ok(batch) => batch,
            // What earlier batches did stays done; it is recorded before the failure is told.
            Err(_) if erased.tables.iter().any(|table| table.erased > 0) => return Ok(erased),
            Err(problem) => return Err(problem),
        };
        database.commit(transaction).await?;
        let more = batch.more;
        add(&mut erased, batch, plan);
        if !more {
            erased.more = false;
            break;
        }
    }
    Ok(erased)
}

/// Erases one batch; [`Erased::more`] tells whether there are rows that it did not look at.
async fn batch(connection: &mut dyn super::Connection, plan: &Plan, frozen: &Frozen) -> Result<Erased> {
    let mut look = Look::close(connection, plan, frozen, Mode::Erase, Extent::Batch).await?;
    if let Some(blocker) = blockers::find(&mut look).await?.into_iter().next() {
        return Err(blocker);
    }
    let steps = match look.cut.first() {
        None => plan.steps.len(),
        Some(&first) => {
            if plan.steps[first].action != Action::Delete {
                let detail = format!("{} keeps rows, and has too many of the person for that", plan.steps[first].table);
                return Err(Problem::new(&codes::erasure::TOO_MANY_ROWS, detail));
            }
            first + 1
        }
    };
    let unlinked = unlink(&mut look).await?;
    let done = if unlinked { carry_out(&mut look, steps).await? } else { None };
    // Without rows that go, links of rows went: there will be fewer the next time.
    if let Some(done) = &done
        && !look.cut.is_empty()
        && done.tables.iter().all(|table| table.erased == 0)
    {
        let detail = "a batch of deletions deleted nothing, as if something in the database prevented it";
        return Err(Problem::new(&codes::erasure::ROWS_REMAIN, detail));
    }
    let mut erased = done.unwrap_or_else(|| Erased { frozen: look.frozen.clone(), more: true, ..Erased::default() });
    erased.more |= !look.cut.is_empty();
    erased.frozen = remembered(plan, frozen, erased.frozen);
    Ok(erased)
}

/// Rows that this batch has not found may refer to those that it has, in a table that refers to itself or in a circle:
/// so these links go first, in all of the person's rows. Tells whether none is left.
async fn unlink(look: &mut Look<'_>) -> Result<bool> {
    let plan = look.plan;
    let mut none_left = true;
    for index in look.cut.clone() {
        let step = &plan.steps[index];
        if step.nulled_first.is_empty() {
            continue;
        }
        let linked: Vec<String> =
            step.nulled_first.iter().map(|name| format!("{} IS NOT NULL", super::quote(name))).collect();
        let linked = format!("({})", linked.join(" OR "));
        let conditions =
            look.finding_own(step).into_iter().map(|found| Condition { and: Some(linked.clone()), ..found });
        let conditions: Vec<Condition> = conditions.collect();
        let answer = look.select(step, &conditions).await?;
        let rows = answer.rows.into_iter().map(|(locator, found)| (locator, found.row)).collect();
        look.update(step, &locators(&rows, |row| !row.is_kept()), &statement::nulls(&step.nulled_first)).await?;
        none_left &= !answer.cut;
    }
    Ok(none_left)
}

/// What the next batch must know: the person, what was frozen before, and the rows that stay. The keys of rows that went
/// would only grow; everything that referred to them went with them.
fn remembered(plan: &Plan, before: &Frozen, now: Frozen) -> Frozen {
    let mut frozen = Frozen { identities: now.identities, keys: before.keys.clone() };
    for step in plan.steps.iter().filter(|step| step.action != Action::Delete) {
        for name in step.keys.iter().map(|key| key_name(&step.table, key)) {
            if let Some(values) = now.keys.get(&name) {
                frozen.keys.entry(name).or_default().extend(values.iter().cloned());
            }
        }
    }
    frozen
}

/// Adds the counts of a batch; what it kept is what is kept.
fn add(erased: &mut Erased, batch: Erased, plan: &Plan) {
    if erased.tables.is_empty() {
        let named = |name: &String| TableResult { name: name.clone(), ..TableResult::default() };
        erased.tables = plan.steps.iter().map(|step| named(&step.table)).collect();
    }
    for (all, now) in erased.tables.iter_mut().zip(batch.tables) {
        all.found += now.erased;
        all.erased += now.erased;
        all.kept = now.kept;
    }
    (erased.kept, erased.staying) = (batch.kept, batch.staying);
    erased.frozen = batch.frozen;
}
