//! Erases in one system and reads every location again. Nothing counts as erased that was not read and found empty.

use std::sync::Arc;

use adapters::Eraser;
use model::erasure::{ErasureState, SystemState};
use model::plan::{Frozen, Plan};
use model::{Problem, Result, codes};
use store::erasures::{self, KeptRow, Request, SystemRow};

use super::job::{Halt, Run};
use super::{kept, processor, stop, systems, tables};
use crate::world;

/// How often a system is erased before rows that come back block the request: writers may add rows between erasing and reading.
const ATTEMPTS: usize = 2;

/// Erases a person in one system, by the frozen plan and keys, until a re-reading finds nothing.
pub(super) async fn system(run: &Run<'_>, request: &Request, row: &SystemRow) -> Result<(), Halt> {
    let mut work = Work::begin(run, request, row).await?;
    if request.intent.is_none() {
        // Nothing was found anywhere, and without an intent nothing is destroyed. Rows that have come since the look
        // are counted as found, so that the intent is the next step.
        return work.is_clear().await.map(drop);
    }
    for _ in 0..ATTEMPTS {
        if work.erase().await? {
            // There is more than one go could erase. What was done is recorded; the next step goes on, if nobody
            // has paused the request meanwhile.
            return Ok(());
        }
        if work.is_clear().await? {
            return Ok(());
        }
    }
    Err(work.failed(Problem::new(&codes::erasure::ROWS_REMAIN, work.evidence())))
}

/// The work in one system.
struct Work<'a> {
    run: &'a Run<'a>,
    row: SystemRow,
    plan: Plan,
    frozen: Frozen,
    eraser: Arc<dyn Eraser>,
}

impl<'a> Work<'a> {
    /// Records that the system is being worked on, and opens it.
    async fn begin(run: &'a Run<'a>, request: &Request, row: &SystemRow) -> Result<Self, Halt> {
        // Looking whether others are done is no news: the request goes on waiting for them.
        let news = !processor::is_awaited(row);
        let reason = row.reason.clone().filter(|_| !news);
        let row = SystemRow { state: SystemState::Running, reason, ..row.clone() };
        let name = row.name.clone();
        let declared = world::systems_of(run.engine, &request.app).await?;
        let declared = declared.iter().find(|system| system.declared.name == name).ok_or_else(|| {
            Halt::at(&name, Problem::new(&codes::erasure::SYSTEM_REMOVED, format!("{name} was to be erased next")))
        })?;
        let (Some(plan), Some(frozen)) = (row.plan.clone(), start(run, &row, news).await?) else {
            let lost = "a system has no plan or no frozen keys";
            return Err(Problem::new(&codes::store::SEALED_VALUE_BROKEN, lost).into());
        };
        let opened = systems::open(run.engine, declared, Some(&run.job.subject))
            .await
            .map_err(|problem| Halt::at(&name, problem))?;
        Ok(Self { run, row, plan, frozen, eraser: opened.eraser.clone() })
    }

    /// Erases, records what was done, and tells whether there is more to erase.
    async fn erase(&mut self) -> Result<bool, Halt> {
        stop::ensure_going(self.run.engine).await.map_err(|problem| match problem.is(&codes::erasure::STOPPED) {
            true => Halt::Stopped(problem),
            false => Halt::Store(problem),
        })?;
        let erased = self.eraser.erase(&self.plan, &self.frozen).await.map_err(|problem| self.failed(problem))?;
        let more = erased.more;
        self.row.tables = tables::after_erase(&self.row.tables, &erased.tables, self.run.engine.ambient.now());
        self.row.kept = erased.kept;
        self.frozen = erased.frozen;
        let (id, row, frozen) = (self.run.job.subject.clone(), self.row.clone(), self.frozen.clone());
        let left = KeptRow {
            erasure: id.clone(),
            system: row.name.clone(),
            keys: erased.staying,
            next_at: kept::first(&row.kept),
            intent: None,
        };
        let record = self.run.write("erasure.erased", move |tx| {
            Box::pin(async move {
                erasures::freeze_keys(tx, &id, &row.name, &frozen).await?;
                erasures::put_kept(tx, &left).await?;
                erasures::put_system(tx, &id, &row).await
            })
        });
        record.await?;
        Ok(more)
    }

    /// Reads again and tells whether only what may stay is there; then the system is finished.
    async fn is_clear(&mut self) -> Result<bool, Halt> {
        let reread = self.eraser.reread(&self.plan, &self.frozen).await.map_err(|problem| self.failed(problem))?;
        self.row.tables = tables::after_reread(&self.row.tables, &reread);
        let clear = self.row.tables.iter().all(|table| table.remaining == 0) && self.is_attested();
        if clear {
            (self.row.state, self.row.reason) = (tables::outcome(&self.row), None);
        }
        let (id, row) = (self.run.job.subject.clone(), self.row.clone());
        self.run
            .write("erasure.reread", move |tx| Box::pin(async move { erasures::put_system(tx, &id, &row).await }))
            .await?;
        Ok(clear)
    }

    /// Tells whether somebody vouches for every place that cannot be read again.
    fn is_attested(&self) -> bool {
        let mut blind = self.plan.locations.iter().filter(|location| !location.place.is_readable());
        blind.all(|location| {
            let table = self.row.tables.iter().find(|table| table.name == location.name);
            table.is_some_and(|table| table.found == 0 || table.evidence.is_some())
        })
    }

    fn failed(&self, problem: Problem) -> Halt {
        Halt::at(&self.row.name, problem)
    }

    fn evidence(&self) -> String {
        let left = self.row.tables.iter().filter(|table| table.remaining > 0);
        let left: Vec<String> = left.map(|table| format!("{} in {}", table.remaining, table.name)).collect();
        format!("in {}, read again after erasing {ATTEMPTS} times: {}", self.row.name, left.join(", "))
    }
}

/// Records that a system is being worked on, if that is news, and returns whom it is about there.
async fn start(run: &Run<'_>, row: &SystemRow, news: bool) -> Result<Option<Frozen>> {
    let (id, row) = (run.job.subject.clone(), row.clone());
    run.write("erasure.begin", move |tx| {
        Box::pin(async move {
            if news {
                erasures::put_system(tx, &id, &row).await?;
                erasures::set_state(tx, &id, ErasureState::Running, None).await?;
            }
            erasures::system_frozen(tx, &id, &row.name).await
        })
    })
    .await
}
