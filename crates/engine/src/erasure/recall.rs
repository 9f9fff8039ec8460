//! What earlier requests of the same person left on a ground. It no longer bears the person's identities, so no search finds
//! it; but it is there, and nobody is told that everything is gone, or that nothing was there.

use model::erasure::{Kept, SystemState};
use model::plan::{Keys, Plan};
use model::{Identity, codes};
use model::{Problem, Result};
use store::Tx;
use store::erasures::{self, KeptRow, Request, SystemRow};
use store::world::System;

use super::job::{Halt, Run};
use super::{kept, systems};

/// What an earlier request left in one system, and is still there.
#[derive(Clone)]
pub(super) struct Recalled {
    row: SystemRow,
    keys: Keys,
    next_at: Option<jiff::Timestamp>,
}

/// Finds what any earlier request left that shares an identity with this one's closed set, and reads it again.
pub(super) async fn recall(
    run: &Run<'_>,
    request: &Request,
    identities: &[Identity],
    declared: &[System],
) -> Result<Vec<Recalled>, Halt> {
    let (app, own, identities) = (request.app.clone(), request.id.clone(), identities.to_vec());
    let left = run
        .engine
        .store
        .read("erasure.recall", move |tx| {
            Box::pin(async move {
                let mut left: Vec<(SystemRow, KeptRow)> = Vec::new();
                for earlier in erasures::keeping(tx, &app, &identities).await? {
                    let rows = erasures::systems(tx, &earlier).await?;
                    for kept in erasures::kept(tx, &earlier).await?.into_iter().filter(|kept| kept.erasure != own) {
                        left.extend(rows.iter().find(|row| row.name == kept.system).map(|row| (row.clone(), kept)));
                    }
                }
                Ok(left)
            })
        })
        .await?;
    let mut recalled = Vec::new();
    for (row, kept) in left {
        let system = declared.iter().find(|system| system.declared.name == row.name);
        let there = match system {
            Some(system) => {
                is_there(run, &row, &kept.keys, system).await.map_err(|problem| Halt::at(&row.name, problem))?
            }
            // Nobody can look; what was said of it stands.
            None => true,
        };
        if there {
            recalled.push(Recalled { row, keys: kept.keys, next_at: kept.next_at });
        }
    }
    Ok(recalled)
}

/// Reads again what an earlier request left, and tells whether any of it is there.
async fn is_there(run: &Run<'_>, row: &SystemRow, keys: &Keys, system: &System) -> Result<bool> {
    let Some(plan) = &row.plan else { return Ok(true) };
    let opened = systems::open(run.engine, system, Some(&run.job.subject)).await?;
    // Without an instant no ground is over: what is due goes by a job of its own, and is there until then.
    let plan = Plan { as_of: None, ..plan.clone() };
    let tables = opened.eraser.reread(&plan, &kept::frozen(keys)).await?;
    Ok(tables.iter().any(|table| table.kept + table.remaining > 0))
}

/// Adds what was recalled to a request that ends: it is said there too, and goes there too when its ground is over.
pub(super) async fn add(
    tx: &mut Tx<'_>,
    request: &Request,
    systems: &mut Vec<SystemRow>,
    recalled: &[Recalled],
) -> Result<()> {
    for Recalled { row: earlier, keys, next_at } in recalled {
        let known = systems.iter().position(|row| row.name == earlier.name);
        let index = known.unwrap_or_else(|| {
            systems.push(of_system_that_is_gone(earlier, systems.len()));
            systems.len() - 1
        });
        let row = &mut systems[index];
        row.state = SystemState::Kept;
        row.kept.extend(missing(&row.kept, &earlier.kept));
        erasures::put_system(tx, &request.id, row).await?;
        let own = erasures::kept(tx, &request.id).await?.into_iter().find(|own| own.system == earlier.name);
        let mut own = own.unwrap_or_else(|| KeptRow {
            erasure: request.id.clone(),
            system: earlier.name.clone(),
            keys: Keys::new(),
            next_at: None,
            intent: None,
        });
        for (name, values) in keys {
            own.keys.entry(name.clone()).or_default().extend(values.iter().cloned());
        }
        own.next_at = [own.next_at, *next_at].into_iter().flatten().min();
        erasures::put_kept(tx, &own).await?;
    }
    Ok(())
}

fn missing(known: &[Kept], earlier: &[Kept]) -> Vec<Kept> {
    earlier.iter().filter(|kept| !known.contains(kept)).cloned().collect()
}

/// Where an earlier request left something, and nobody declares it any more.
fn of_system_that_is_gone(earlier: &SystemRow, position: usize) -> SystemRow {
    let detail = format!("{} holds rows that an earlier request kept", earlier.name);
    SystemRow {
        position: position as u64,
        reason: Some(Problem::new(&codes::erasure::SYSTEM_GONE_SINCE, detail).reason()),
        tables: Vec::new(),
        kept: Vec::new(),
        ..earlier.clone()
    }
}
