//! Erasing again: a restored backup of an application's database brings back people who were erased since it was taken.
//!
//! Each request that was carried out since then is repeated by a request of its own, from the identities that are kept sealed
//! for as long as backups live. What can no longer be repeated is listed, and so is what our own store has forgotten.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use model::erasure::ErasureState;
use model::{Identity, IdentityKind, Problem, Result, codes};
use serde::Serialize;
use store::Tx;
use store::erasures::{self, Ended, Replay};
use wire::confirmation;

use super::preview::preview_in;
use super::request::{Arrival, Start, begin};
use crate::ledger::{Intent, forgotten};
use crate::{Engine, world};

/// The door of replays.
pub const DOOR: &str = "replay";

/// What was restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The moment that the backup is of.
    pub since: Timestamp,
    /// The app whose data it holds; all if unsaid.
    pub app: Option<String>,
    /// The systems that were restored; empty means all.
    pub systems: Vec<String>,
    /// Whether the same backup was restored once more, so that requests are repeated that were repeated before.
    pub again: bool,
}

/// What there is to be erased again.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Due {
    /// Requests that can be repeated.
    pub requests: Vec<Repeat>,
    /// Requests that cannot.
    pub lost: Vec<Lost>,
    /// Requests that our own store has forgotten; the mirror of the ledger remembers them.
    pub forgotten: Vec<Intent>,
}

/// A request that can be repeated.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Repeat {
    /// The request that was carried out.
    pub first: String,
    /// The app it came for.
    pub app: String,
    /// When it ended, or the last replay of it did.
    pub finished_at: Timestamp,
    /// The request that repeats it, if there is one.
    pub request: Option<String>,
    /// How that stands.
    pub state: Option<ErasureState>,
    /// Rows of the person that are there, where somebody looked.
    pub found: Option<u64>,
    #[serde(skip)]
    source: String,
}

/// A request that cannot be repeated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lost {
    /// The request.
    pub first: String,
    /// The app it came for.
    pub app: String,
    /// When it ended.
    pub finished_at: Timestamp,
    /// Why not.
    pub why: String,
}

/// Looks what there is to be erased again, and counts the rows that are back. Nothing is changed or recorded.
///
/// # Errors
/// `MO-1006` or `MO-7002` for an app or system that is not declared, or what the store says.
pub async fn look(engine: &Engine, restored: &Restored) -> Result<Due> {
    let mut due = due(engine, restored).await?;
    let only = Some(&restored.systems[..]).filter(|systems| !systems.is_empty());
    for repeat in due.requests.iter_mut().filter(|repeat| repeat.request.is_none() || restored.again) {
        let source = repeat.source.clone();
        let identities = engine
            .store
            .read("replay.whom", move |tx| Box::pin(async move { erasures::identities(tx, &source).await }));
        let kinds = kinds(engine, &repeat.app, &restored.systems).await?;
        let mapped = mapped(identities.await?, &kinds);
        repeat.found = Some(preview_in(engine, &repeat.app, &mapped, only).await?.found);
    }
    Ok(due)
}

/// Makes the requests that erase again; those of an earlier call for the same backup and systems are returned as they stand.
///
/// # Errors
/// As [`look`].
pub async fn replay(engine: &Engine, restored: &Restored) -> Result<Due> {
    let mut due = due(engine, restored).await?;
    let mut requests = Vec::new();
    for mut repeat in due.requests {
        let kinds = kinds(engine, &repeat.app, &restored.systems).await?;
        let (wanted, again) = (repeat.clone(), restored.again);
        let what = Replay { first: repeat.first.clone(), since: restored.since, systems: restored.systems.clone() };
        let made = engine
            .store
            .write("erasure.replay", move |tx| Box::pin(async move { make(tx, &wanted, &what, &kinds, again).await }));
        match made.await? {
            Some((request, state)) => {
                (repeat.request, repeat.state) = (Some(request), Some(state));
                requests.push(repeat);
            }
            None => due.lost.push(lost(&repeat.first, &repeat.app, repeat.finished_at, UNMAPPED)),
        }
    }
    due.requests = requests;
    Ok(due)
}

const KEPT: &str = "rows that a ground had kept were erased since, and no longer bear what they could be found by; its receipts name the tables";
const SHREDDED: &str = "the replay window is over: nobody knows any more whom it was about";
const UNMAPPED: &str = "no system can be searched any more for what is known of the person";
const UNDECLARED: &str = "the app is no longer declared";

async fn due(engine: &Engine, restored: &Restored) -> Result<Due> {
    known(engine, restored).await?;
    let (since, app, systems) = (restored.since, restored.app.clone(), restored.systems.clone());
    let ended = engine
        .store
        .read("replay.due", move |tx| {
            Box::pin(async move {
                let mut ended = Vec::new();
                for request in erasures::ended_since(tx, since, app.as_deref()).await? {
                    let replay = Replay { first: request.first.clone(), since, systems: systems.clone() };
                    let repeated = erasures::replayed(tx, &replay).await?;
                    ended.push((request, repeated.map(|request| (request.id, request.state))));
                }
                Ok(ended)
            })
        })
        .await?;
    let apps: BTreeSet<String> = world::apps(engine).await?.into_iter().map(|app| app.declared.name).collect();
    let mut due = Due::default();
    for (Ended { first, app, finished_at, only_kept, source }, repeated) in ended {
        if only_kept {
            due.lost.push(lost(&first, &app, finished_at, KEPT));
            continue;
        }
        let Some(source) = source else {
            due.lost.push(lost(&first, &app, finished_at, SHREDDED));
            continue;
        };
        if !apps.contains(&app) {
            due.lost.push(lost(&first, &app, finished_at, UNDECLARED));
            continue;
        }
        let (request, state) = repeated.unzip();
        due.requests.push(Repeat { first, app, finished_at, request, state, found: None, source });
    }
    let of_app = |intent: &Intent| restored.app.as_ref().is_none_or(|app| *app == intent.app);
    let mut forgotten = forgotten(engine).await?.requests;
    forgotten.retain(|intent| intent.at >= restored.since && of_app(intent));
    due.forgotten = forgotten;
    Ok(due)
}

/// Checks that what was restored is declared.
async fn known(engine: &Engine, restored: &Restored) -> Result<()> {
    if let Some(app) = &restored.app {
        world::app(engine, app).await?;
    }
    let declared = world::systems(engine).await?;
    for name in &restored.systems {
        if declared.iter().all(|system| system.declared.name != *name) {
            return Err(Problem::new(&codes::config::USAGE, format!("no system {name} is declared")));
        }
    }
    Ok(())
}

/// Makes one request, or finds the one that was made; `None` if nothing that is known of the person can be looked for.
async fn make(
    tx: &mut Tx<'_>,
    repeat: &Repeat,
    replay: &Replay,
    kinds: &BTreeSet<IdentityKind>,
    again: bool,
) -> Result<Option<(String, ErasureState)>> {
    if let Some(made) = erasures::replayed(tx, replay).await?
        && !(again && made.state.is_final())
    {
        return Ok(Some((made.id, made.state)));
    }
    let identities = mapped(erasures::identities(tx, &repeat.source).await?, kinds);
    if identities.is_empty() {
        return Ok(None);
    }
    let code = confirmation::from_random(&tx.ambient.random());
    let arrival = Arrival { app: &repeat.app, door: DOOR, code: &code, received_at: tx.ambient.now() };
    let id = begin(tx, &arrival, identities, None, Start::Erase).await?;
    erasures::put_replay(tx, &id, replay).await?;
    Ok(Some((id, ErasureState::Received)))
}

/// Returns the kinds of identities that these systems of an app can be searched for.
async fn kinds(engine: &Engine, app: &str, only: &[String]) -> Result<BTreeSet<IdentityKind>> {
    let mut systems = world::systems_of(engine, app).await?;
    systems.retain(|system| only.is_empty() || only.contains(&system.declared.name));
    Ok(systems.iter().flat_map(|system| system.declared.identities()).cloned().collect())
}

/// Leaves out what was learned from systems that do not take part: it cannot be looked for.
fn mapped(identities: Vec<Identity>, kinds: &BTreeSet<IdentityKind>) -> Vec<Identity> {
    identities.into_iter().filter(|identity| kinds.contains(&identity.kind)).collect()
}

fn lost(first: &str, app: &str, finished_at: Timestamp, why: &str) -> Lost {
    Lost { first: first.to_owned(), app: app.to_owned(), finished_at, why: why.to_owned() }
}

/// Returns how the requests of earlier calls stand now, by id.
///
/// # Errors
/// What the store says.
pub async fn states(engine: &Engine, ids: Vec<String>) -> Result<BTreeMap<String, ErasureState>> {
    engine
        .store
        .read("replay.states", move |tx| {
            Box::pin(async move {
                let mut states = BTreeMap::new();
                for id in ids {
                    if let Some(request) = erasures::by_id(tx, &id).await? {
                        states.insert(id, request.state);
                    }
                }
                Ok(states)
            })
        })
        .await
}
