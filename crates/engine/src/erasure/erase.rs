//! Erases in one system and reads every location again. Nothing counts as erased that was not read and found empty.

use model::erasure::{ErasureState, SystemState};
use model::{Problem, Result, codes};
use store::erasures::{self, Request, SystemRow};

use super::job::{Halt, Run};
use super::{identity, tables};
use crate::world;

/// How often a system is erased before rows that come back block the request: writers may add rows between erasing and reading.
const ATTEMPTS: usize = 2;

/// Erases a person in one system, by the frozen plan and keys, until a re-reading finds nothing.
pub(super) async fn system(run: &Run<'_>, request: &Request, row: &SystemRow) -> Result<(), Halt> {
    let name = row.name.as_str();
    let declared = world::systems_of(run.engine, &request.app).await?;
    let declared = declared.iter().find(|system| system.declared.name == name).ok_or_else(|| {
        Halt::at(name, Problem::new(&codes::erasure::SYSTEM_REMOVED, format!("{name} was to be erased next")))
    })?;
    let mut row = SystemRow { state: SystemState::Running, reason: None, ..row.clone() };
    let frozen = begin(run, &row).await?;
    let (Some(plan), Some(frozen)) = (row.plan.clone(), frozen) else {
        return Err(Problem::new(&codes::store::SEALED_VALUE_BROKEN, "a system has no plan or no frozen keys").into());
    };
    let eraser = identity::open(run.engine, declared).await.map_err(|problem| Halt::at(name, problem))?;
    for _ in 0..ATTEMPTS {
        let erased = eraser.erase(&plan, &frozen).await.map_err(|problem| Halt::at(name, problem))?;
        row.tables = tables::after_erase(&row.tables, &erased.tables);
        if !erased.kept.is_empty() {
            row.kept = erased.kept;
        }
        put(run, &row).await?;
        let reread = eraser.reread(&plan, &frozen).await.map_err(|problem| Halt::at(name, problem))?;
        row.tables = tables::after_reread(&row.tables, &reread);
        if tables::remaining(&row.tables) == 0 {
            let kept = !row.kept.is_empty() || row.tables.iter().any(|table| table.kept > 0);
            row.state = if kept { SystemState::Kept } else { SystemState::VerifiedEmpty };
            return Ok(put(run, &row).await?);
        }
        put(run, &row).await?;
    }
    Err(Halt::at(name, Problem::new(&codes::erasure::ROWS_REMAIN, evidence(&row))))
}

/// Records that a system is being erased, and returns whom it is about there.
async fn begin(run: &Run<'_>, row: &SystemRow) -> Result<Option<model::plan::Frozen>> {
    let (id, row) = (run.job.subject.clone(), row.clone());
    run.write("erasure.begin", move |tx| {
        Box::pin(async move {
            erasures::put_system(tx, &id, &row).await?;
            erasures::set_state(tx, &id, ErasureState::Running, None).await?;
            erasures::system_frozen(tx, &id, &row.name).await
        })
    })
    .await
}

async fn put(run: &Run<'_>, row: &SystemRow) -> Result<()> {
    let (id, row) = (run.job.subject.clone(), row.clone());
    run.write("erasure.system", move |tx| Box::pin(async move { erasures::put_system(tx, &id, &row).await })).await
}

fn evidence(row: &SystemRow) -> String {
    let left = row.tables.iter().filter(|table| table.remaining > 0);
    let left: Vec<String> = left.map(|table| format!("{} in {}", table.remaining, table.name)).collect();
    format!("in {}, read again after erasing {ATTEMPTS} times: {}", row.name, left.join(", "))
}
