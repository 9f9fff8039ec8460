//! The ledger is computed anew and held against what others remember of it: the mirror, and checkpoints kept elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::BASE64;
use jiff::Timestamp;
use model::merkle::Hash;
use model::{Problem, Result, codes};
use serde::Serialize;
use store::{Tx, ledger};
use wire::checkpoint::Checkpoint;

use super::key_of;
use super::mirror::Mirror;
use super::origin::Beginning;
use crate::Engine;

/// What a look at the whole ledger found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Audited {
    /// The log's name; none before the first leaf.
    pub origin: Option<String>,
    /// How many leaves there are.
    pub size: u64,
    /// The root over them, in base64 as checkpoints write it.
    pub root: String,
    /// How many earlier checkpoints the ledger agrees with.
    pub checkpoints: usize,
    /// How many earlier checkpoints are of what a restore has forgotten, and says so.
    pub forgotten_checkpoints: usize,
    /// The logs that restores have closed, the oldest first.
    pub past: Vec<AuditedLog>,
}

/// A log that a restore has closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditedLog {
    /// Its name.
    pub origin: String,
    /// How many leaves are left of it.
    pub size: u64,
    /// The root over them, in base64.
    pub root: String,
    /// When the store was restored.
    pub restored_at: Timestamp,
    /// When the backup was made.
    pub taken_at: Timestamp,
}

/// Checkpoints that somebody remembers, by log and size.
type Remembered = BTreeMap<String, BTreeMap<u64, (Hash, usize)>>;

/// Computes every hash anew, follows the chain of logs over restores, and holds them against earlier checkpoints: those of the
/// mirror, and `held` that somebody else kept. The mirror may lie beside the store: only a checkpoint kept elsewhere finds who
/// rewrote both.
///
/// # Errors
/// `MO-5012` naming what does not hold, `MO-7004` if the mirror cannot be read.
pub async fn audit(engine: &Engine, held: Vec<String>) -> Result<Audited> {
    let mut notes = Mirror::of(engine).notes()?;
    notes.extend(held);
    let audited = engine.store.read("ledger.audit", move |tx| {
        Box::pin(async move {
            let remembered = verified(tx, &notes)?;
            look(tx, &remembered).await
        })
    });
    audited.await
}

/// Checks the signature of each note under the key of the log that it names.
fn verified(tx: &Tx<'_>, notes: &[String]) -> Result<Remembered> {
    let mut keys = BTreeMap::new();
    let mut remembered = Remembered::new();
    for note in notes {
        let origin = note.lines().next().unwrap_or_default();
        if !keys.contains_key(origin) {
            keys.insert(origin.to_owned(), key_of(tx.vault(), origin)?.public().clone());
        }
        let checkpoint = Checkpoint::verify(note, &keys[origin])?;
        let sizes = remembered.entry(checkpoint.origin).or_default();
        let known = sizes.entry(checkpoint.size).or_insert((checkpoint.root, 0));
        if known.0 != checkpoint.root {
            return Err(broken(format!("{origin} has signed two roots over {} leaves", checkpoint.size)));
        }
        known.1 += 1;
    }
    Ok(remembered)
}

/// Walks every log and compares.
async fn look(tx: &mut Tx<'_>, remembered: &Remembered) -> Result<Audited> {
    let (size, root) = ledger::verify(tx).await?;
    let origin = ledger::named(tx).await?;
    let past = ledger::past(tx).await?;
    let mut audited = Audited {
        origin: origin.clone(),
        size,
        root: BASE64.encode(&root),
        checkpoints: 0,
        forgotten_checkpoints: 0,
        past: Vec::new(),
    };
    let nothing = BTreeMap::new();
    let mut lost = BTreeSet::new();
    for (place, log) in past.iter().enumerate() {
        let next = past.get(place + 1).map(|next| next.origin.clone());
        let beginning = beginning(tx, next).await?;
        let held = remembered.get(&log.origin).unwrap_or(&nothing);
        audited.take(closed(tx, log, &beginning, held).await?);
        lost.extend(beginning.lost);
    }
    for (name, checkpoints) in remembered {
        if origin.as_ref() == Some(name) {
            for (at, (known, count)) in checkpoints {
                agrees(tx, size, &Checkpoint { origin: name.clone(), size: *at, root: *known }).await?;
                audited.checkpoints += count;
            }
        } else if lost.contains(name) {
            audited.forgotten_checkpoints += checkpoints.values().map(|(_, count)| count).sum::<usize>();
        } else if !past.iter().any(|log| log.origin == *name) {
            return Err(broken(format!("there are checkpoints of {name}, a log that the store knows nothing of")));
        }
    }
    Ok(audited)
}

/// What was found of a log that a restore has closed.
struct Closed {
    log: AuditedLog,
    checkpoints: usize,
    forgotten: usize,
}

impl Audited {
    fn take(&mut self, closed: Closed) {
        self.checkpoints += closed.checkpoints;
        self.forgotten_checkpoints += closed.forgotten;
        self.past.push(closed.log);
    }
}

/// Holds a closed log against what the log behind it says of it, and against its own earlier checkpoints.
async fn closed(
    tx: &mut Tx<'_>,
    log: &ledger::Past,
    beginning: &Beginning,
    remembered: &BTreeMap<u64, (Hash, usize)>,
) -> Result<Closed> {
    let key = key_of(tx.vault(), &log.origin)?;
    let previous = Checkpoint::verify(&beginning.previous, key.public())?;
    let seen = beginning.seen.as_deref().map(|note| Checkpoint::verify(note, key.public())).transpose()?;
    let seen = seen.map_or(previous.size, |seen| seen.size);
    let sizes = remembered.keys().copied().filter(|size| *size <= log.size).collect();
    let roots = ledger::past_roots(tx, log, &sizes).await?;
    let root = roots.get(&log.size).copied().unwrap_or_default();
    if (previous.size, previous.root) != (log.size, root) {
        return Err(broken(format!("the log {} is not what the log behind it goes on from", log.origin)));
    }
    let (mut checkpoints, mut forgotten) = (0, 0);
    for (size, (known, count)) in remembered {
        match roots.get(size) {
            Some(root) if root == known => checkpoints += count,
            None if *size <= seen => forgotten += count,
            None => return Err(forgot(*size, seen)),
            Some(_) => return Err(differs(*size)),
        }
    }
    let root = BASE64.encode(&root);
    let Beginning { at, taken_at, .. } = *beginning;
    let log = AuditedLog { origin: log.origin.clone(), size: log.size, root, restored_at: at, taken_at };
    Ok(Closed { log, checkpoints, forgotten })
}

/// Reads what the first leaf of a log (the present one if none is named) says of the log before it.
async fn beginning(tx: &mut Tx<'_>, log: Option<String>) -> Result<Beginning> {
    let first = ledger::leaves(log).next(tx).await?.into_iter().next();
    Beginning::read(&first.ok_or_else(|| broken("a log behind a restore is empty".to_owned()))?)
}

/// Checks that the present log begins with what an earlier checkpoint says.
pub(super) async fn agrees(tx: &mut Tx<'_>, size: u64, earlier: &Checkpoint) -> Result<()> {
    if earlier.size > size {
        return Err(forgot(earlier.size, size));
    }
    if ledger::root(tx, earlier.size).await? != earlier.root {
        return Err(differs(earlier.size));
    }
    Ok(())
}

fn forgot(held: u64, known: u64) -> Problem {
    broken(format!("a checkpoint has {held} leaves, the ledger only {known}: it forgot some"))
}

fn differs(size: u64) -> Problem {
    broken(format!("the first {size} leaves are not those of an earlier checkpoint"))
}

fn broken(detail: String) -> Problem {
    Problem::new(&codes::store::LEDGER_BROKEN, detail)
}
