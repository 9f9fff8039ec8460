//! Restores a backup: checked first, then put in place in one transaction, so that a process that dies leaves the old store
//! or the new one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use model::{Ambient, Problem, Result, codes};
use serde::Serialize;
use store::backup::{self, Counts, Entry, Header, Reader};
use store::{Keys, Tx, Vault, hold, ledger};
use wire::checkpoint::Checkpoint;

use super::Held;
use crate::Engine;
use crate::jobs;
use crate::ledger::{Beginning, Intent, Mirror, begin_anew, forgotten_in, key_of, mirror_checkpoint};

/// How many forgotten requests are named one by one.
const NAMED: usize = 1000;

/// A backup that was read to its end and found to be whole, and made with the given master key.
pub struct Checked {
    path: PathBuf,
    header: Header,
    vault: Vault,
    /// What is in it.
    pub counts: Counts,
}

/// What a restore did, and what the store has forgotten by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Restored {
    /// The name of the new log.
    pub origin: String,
    /// The name of the log that was restored and closed.
    pub closed: String,
    /// How many leaves that has.
    pub size: u64,
    /// What was restored.
    #[serde(flatten)]
    pub counts: Counts,
    /// Why outgoing work is held now.
    #[serde(flatten)]
    pub held: Held,
}

/// Reads a backup to its end and checks everything that can be checked without a store.
///
/// # Errors
/// `MO-5004` if none of the keys is the backup's, `MO-5030` if it is damaged, cut off, changed or does not fit together.
pub fn check(path: &Path, keys: &Keys, ambient: &Ambient) -> Result<Checked> {
    let (header, reader) = Reader::open(path)?;
    let vault = header.vault(keys, ambient.clone())?;
    let counts = reader.check(&vault)?;
    let checkpoint = Checkpoint::verify(&header.checkpoint, key_of(&vault, &header.origin)?.public())?;
    if (checkpoint.size, data_encoding::BASE64.encode(&checkpoint.root)) != (header.size, header.root.clone()) {
        return Err(Problem::new(&codes::store::BACKUP_BROKEN, "its checkpoint is of another ledger"));
    }
    Ok(Checked { path: path.to_owned(), header, vault, counts })
}

impl Checked {
    /// Returns when the backup was taken.
    pub fn taken_at(&self) -> Timestamp {
        self.header.taken_at
    }
}

/// Puts a backup in the place of everything that the store holds. The engine must be opened anew afterwards.
///
/// # Errors
/// `MO-5031` if the store holds what the backup does not and it is not forced, `MO-5032` if somebody works on it, `MO-5030` if
/// the backup does not fit together; then nothing is changed.
pub async fn restore(engine: &Engine, checked: Checked, force: bool) -> Result<Restored> {
    if jobs::others_at_work(engine)? {
        return Err(Problem::new(&codes::store::STORE_IN_USE, "a process has work of it under way"));
    }
    if !force {
        holds_nothing_newer(engine, &checked).await?;
    }
    // Said before anything is changed: a mirror that cannot be written would keep the new log from being used.
    mirror_checkpoint(engine, checked.header.checkpoint.clone()).await?;
    restore_blobs(engine, &checked.path).await?;
    let mirror = Mirror::of(engine);
    let (beginning, leaves) = beginning(&checked, &mirror, engine.ambient.now())?;
    let (intents, path, header) = (mirror.intents()?, checked.path, checked.header.clone());
    let (origin, held) = engine
        .store
        .write("restore", move |tx| {
            Box::pin(async move {
                let (_, mut reader) = Reader::open(&path)?;
                backup::load(tx, &header, &mut reader).await?;
                fits(tx, &header).await?;
                held_and_begun_anew(tx, beginning, leaves, intents).await
            })
        })
        .await?;
    let Header { origin: closed, size, .. } = checked.header;
    Ok(Restored { origin, closed, size, counts: checked.counts, held })
}

/// Fails if somebody has changed the store since the backup was taken, or it is another one's.
async fn holds_nothing_newer(engine: &Engine, checked: &Checked) -> Result<()> {
    let newest = engine.store.read("restore.newest", |tx| Box::pin(async move { backup::newest(tx).await })).await?;
    let Some(newest) = newest else { return Ok(()) };
    let newer = |detail: String| Err(Problem::new(&codes::store::STORE_NEWER, detail));
    if !engine.store.vault().is_same(&checked.vault) {
        return newer("it belongs to another installation".to_owned());
    }
    let taken_at = checked.header.taken_at;
    match newest > taken_at {
        true => newer(format!("it was last changed at {newest}, the backup is of {taken_at}")),
        false => Ok(()),
    }
}

/// Brings back the blobs. They have names of their own, so they disturb nobody; those that no row names are swept later.
async fn restore_blobs(engine: &Engine, path: &Path) -> Result<()> {
    let (_, mut backup) = Reader::open(path)?;
    while let Some(entry) = backup.next_entry()? {
        let Entry::Blob { id, .. } = entry else { continue };
        let mut receiving = engine.store.blobs().receive_as(id);
        loop {
            let bytes = backup.read()?;
            if bytes.is_empty() {
                break;
            }
            receiving.write(&bytes).await?;
        }
        receiving.finish().await?;
    }
    Ok(())
}

/// Says how the new log begins, and how many leaves of the old one the mirror remembers beyond the backup.
fn beginning(checked: &Checked, mirror: &Mirror, now: Timestamp) -> Result<(Beginning, u64)> {
    let header = &checked.header;
    let mut beginning = Beginning::new(now, header.taken_at, header.checkpoint.clone());
    let mut newest = header.size;
    for note in mirror.notes()? {
        let origin = note.lines().next().unwrap_or_default();
        // What another installation signed, or nobody, says nothing of this one.
        let Ok(checkpoint) = Checkpoint::verify(&note, key_of(&checked.vault, origin)?.public()) else { continue };
        if checkpoint.origin != header.origin {
            beginning.lost.insert(checkpoint.origin);
        } else if checkpoint.size > newest {
            newest = checkpoint.size;
            beginning.seen = Some(note);
        }
    }
    Ok((beginning, newest - header.size))
}

/// Checks that the tables hold the ledger that the backup says they do.
async fn fits(tx: &mut Tx<'_>, header: &Header) -> Result<()> {
    let (size, root) = ledger::verify(tx).await?;
    let origin = ledger::named(tx).await?.unwrap_or_default();
    if (&origin, size, data_encoding::BASE64.encode(&root)) != (&header.origin, header.size, header.root.clone()) {
        return Err(Problem::new(&codes::store::BACKUP_BROKEN, "its ledger is not the one that it says"));
    }
    Ok(())
}

/// Holds outgoing work and begins a new log, which says what was forgotten. Returns its name.
async fn held_and_begun_anew(
    tx: &mut Tx<'_>,
    mut beginning: Beginning,
    forgotten_leaves: u64,
    intents: BTreeMap<String, Intent>,
) -> Result<(String, Held)> {
    let mut forgotten = forgotten_in(tx, intents).await?;
    let forgotten_requests = forgotten.len() as u64;
    forgotten.truncate(NAMED);
    beginning.forgotten_requests = forgotten_requests;
    for past in ledger::past(tx).await? {
        beginning.lost.remove(&past.origin);
    }
    let (restored_at, taken_at) = (beginning.at, beginning.taken_at);
    begin_anew(tx, &beginning).await?;
    let held = Held { restored_at, taken_at, forgotten_requests, forgotten, forgotten_leaves };
    hold::hold(tx, &store::value::json(&held)?).await?;
    let origin = ledger::origin(tx).await?;
    Ok((origin, held))
}
