//! A bulk list of ids becomes requests, many in one operation. What breaks off goes on where it was; the same list imported
//! again finds everything handled.

use std::collections::HashSet;
use std::path::Path;

use model::erasure::{ErasureState, ListCounts, ListFault, ListView};
use model::{Identity, IdentityKind, Problem, Result, codes};
use store::erasures::{self, List};
use store::{Tx, persons};
use tokio::io::AsyncReadExt;
use wire::id_list::{Line, Reader};

use super::request::{Arrival, Start, begin};
use crate::{Engine, jobs, world};

/// The door of bulk lists.
pub const LIST: &str = "list";
/// How many lines are settled in one operation.
const BATCH: usize = 500;
/// How much of the file is read at once, in bytes.
const CHUNK: usize = 64 * 1024;
/// How many ids a dry run remembers at once, to tell which come twice; for more it reads the list several times.
const REMEMBERED: u64 = 200_000;
/// How many faults are shown.
const SHOWN: usize = 20;

/// A list of ids of one kind.
#[derive(Clone, Copy)]
pub struct Import<'a> {
    /// The app whose people are on it.
    pub app: &'a str,
    /// The kind of the ids.
    pub kind: &'a IdentityKind,
    /// The file.
    pub file: &'a Path,
}

/// Makes a request of every id on a list that was not handled before. What this returns is durable; the work is done by jobs,
/// here and now if `work` is set.
///
/// # Errors
/// `MO-1006` for an unknown app, `MO-7004` if the file cannot be read; what was queued before stays, and the same import
/// goes on from there.
pub async fn import(engine: &Engine, import: Import<'_>, work: bool) -> Result<ListView> {
    let app = world::app(engine, import.app).await?.declared.name;
    let fingerprint = fingerprint(import.file).await?;
    let kind = import.kind.to_string();
    let list = engine
        .store
        .write("list.open", move |tx| Box::pin(async move { erasures::open_list(tx, &app, &kind, &fingerprint).await }))
        .await?;
    let mut counts = list.counts.clone();
    let mut faults = Faults::default();
    let mut lines = Lines::open(import).await?;
    // What was settled before it broke off is passed over.
    let settled = counts.lines;
    let mut number = 0;
    while let Some(read) = lines.next().await? {
        let mut batch = Vec::new();
        for line in read {
            number += 1;
            faults.note(number, &line);
            if number > settled {
                batch.push(line);
            }
        }
        for batch in batch.chunks(BATCH) {
            counts = settle(engine, &list, counts, batch).await?;
        }
    }
    finish(engine, &list.id, &counts).await?;
    if work {
        jobs::drain(engine).await?;
    }
    let unknown = engine
        .store
        .read("list.unknown", move |tx| Box::pin(async move { erasures::count_unknown(tx, &list.id).await }));
    counts.unknown += unknown.await?;
    Ok(ListView { counts, faults: faults.0 })
}

/// Says that a list is at its end, and forgets its ids.
async fn finish(engine: &Engine, id: &str, counts: &ListCounts) -> Result<()> {
    let (list, counts) = (id.to_owned(), counts.clone());
    engine
        .store
        .write("list.finish", move |tx| Box::pin(async move { erasures::put_list(tx, &list, &counts, true).await }))
        .await?;
    loop {
        let list = id.to_owned();
        let forget = engine
            .store
            .write("list.forget", move |tx| Box::pin(async move { erasures::forget_list_ids(tx, &list).await }));
        if forget.await? == 0 {
            return Ok(());
        }
    }
}

/// Reads a list and says what importing it would do. Nothing is recorded.
///
/// # Errors
/// As [`import`].
pub async fn import_dry(engine: &Engine, import: Import<'_>) -> Result<ListView> {
    let app = world::app(engine, import.app).await?.declared.name;
    let mut counts = ListCounts::default();
    let mut faults = Faults::default();
    let mut lines = Lines::open(import).await?;
    while let Some(read) = lines.next().await? {
        for line in read {
            count(&mut counts, &line);
            faults.note(counts.lines, &line);
        }
    }
    let passes = counts.valid / REMEMBERED + 1;
    for pass in 0..passes {
        let mut seen = HashSet::new();
        let mut lines = Lines::open(import).await?;
        while let Some(read) = lines.next().await? {
            let mut fresh = Vec::new();
            for line in read {
                let Line::Id(identity) = line else { continue };
                let digest = short_digest(engine, &identity);
                if digest % passes != pass {
                    continue;
                }
                if seen.insert(digest) { fresh.push(identity) } else { counts.duplicates += 1 }
            }
            let known = engine.store.read("list.known", {
                let app = app.clone();
                move |tx| Box::pin(async move { look_up(tx, &app, fresh).await })
            });
            for outcome in known.await? {
                add(&mut counts, outcome);
            }
        }
    }
    Ok(ListView { counts, faults: faults.0 })
}

async fn look_up(tx: &mut Tx<'_>, app: &str, identities: Vec<Identity>) -> Result<Vec<Outcome>> {
    let mut outcomes = Vec::new();
    for identity in identities {
        outcomes.push(Outcome::of(tx, app, &identity).await?);
    }
    Ok(outcomes)
}

/// What becomes of an id.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// A request is made.
    Queued,
    /// There is one, open or carried out.
    Handled,
    /// There was one, and nobody knew the person.
    Unknown,
}

impl Outcome {
    /// Says what becomes of an id.
    async fn of(tx: &mut Tx<'_>, app: &str, identity: &Identity) -> Result<Self> {
        use ErasureState::{AwaitingIdentity, Cancelled, Expired, NoData, Refused};
        let person = std::slice::from_ref(identity);
        let known = erasures::of_person(tx, app, person).await?;
        // What was taken back or refused erased nothing.
        let handled =
            known.iter().find(|request| !matches!(request.state, AwaitingIdentity | Cancelled | Expired | Refused));
        let handled = handled.map(|request| request.state);
        Ok(match handled {
            None => Self::Queued,
            // Whoever is in the identity map after a request was carried out has come anew.
            Some(state) if state.is_final() && !persons::having(tx, app, person).await?.is_empty() => Self::Queued,
            Some(NoData) => Self::Unknown,
            Some(_) => Self::Handled,
        })
    }
}

fn add(counts: &mut ListCounts, outcome: Outcome) {
    match outcome {
        Outcome::Queued => counts.queued += 1,
        Outcome::Handled => counts.already_handled += 1,
        Outcome::Unknown => {
            counts.already_handled += 1;
            counts.unknown += 1;
        }
    }
}

fn count(counts: &mut ListCounts, line: &Line) {
    counts.lines += 1;
    match line {
        Line::Id(_) => counts.valid += 1,
        Line::Blank => counts.blank += 1,
        Line::Malformed(_) => counts.malformed += 1,
    }
}

/// Settles some lines: requests, their jobs and how far the list has come are one operation.
async fn settle(engine: &Engine, list: &List, counts: ListCounts, lines: &[Line]) -> Result<ListCounts> {
    let (list, lines) = (list.clone(), lines.to_vec());
    engine
        .store
        .write("list.settle", move |tx| {
            Box::pin(async move {
                let mut counts = counts;
                for line in &lines {
                    count(&mut counts, line);
                    if let Line::Id(identity) = line {
                        take(tx, &list, identity, &mut counts).await?;
                    }
                }
                erasures::put_list(tx, &list.id, &counts, false).await?;
                Ok(counts)
            })
        })
        .await
}

async fn take(tx: &mut Tx<'_>, list: &List, identity: &Identity, counts: &mut ListCounts) -> Result<()> {
    if !erasures::first_on_list(tx, list, identity).await? {
        counts.duplicates += 1;
        return Ok(());
    }
    let outcome = Outcome::of(tx, &list.app, identity).await?;
    add(counts, outcome);
    if outcome == Outcome::Queued {
        let code = wire::confirmation::from_random(&tx.ambient.random());
        let arrival = Arrival { app: &list.app, door: LIST, code: &code, received_at: tx.ambient.now() };
        let id = begin(tx, &arrival, vec![identity.clone()], None, Start::Erase).await?;
        erasures::set_list(tx, &id, &list.id).await?;
    }
    Ok(())
}

/// The first faults, each with the number of its line.
#[derive(Default)]
struct Faults(Vec<ListFault>);

impl Faults {
    fn note(&mut self, line: u64, found: &Line) {
        if let Line::Malformed(fault) = found
            && self.0.len() < SHOWN
        {
            self.0.push(ListFault { line, why: fault.words().to_owned() });
        }
    }
}

/// The lines of a list, as many at a time as one chunk of the file holds.
struct Lines {
    file: tokio::fs::File,
    reader: Option<Reader>,
    buffer: Vec<u8>,
}

impl Lines {
    async fn open(import: Import<'_>) -> Result<Self> {
        let file = tokio::fs::File::open(import.file).await.map_err(|cause| unreadable(import.file, cause))?;
        Ok(Self { file, reader: Some(Reader::new(import.kind.clone())), buffer: vec![0; CHUNK] })
    }

    async fn next(&mut self) -> Result<Option<Vec<Line>>> {
        let mut lines = Vec::new();
        let Some(reader) = &mut self.reader else { return Ok(None) };
        let failed = |cause| Problem::new(&codes::config::FILE_UNREADABLE, "the list broke off").caused_by(cause);
        match self.file.read(&mut self.buffer).await.map_err(failed)? {
            0 => {
                if let Some(reader) = self.reader.take() {
                    reader.end(&mut |line| lines.push(line));
                }
            }
            length => reader.push(&self.buffer[..length], &mut |line| lines.push(line)),
        }
        Ok(Some(lines))
    }
}

fn unreadable(file: &Path, cause: std::io::Error) -> Problem {
    Problem::new(&codes::config::FILE_UNREADABLE, format!("{}: {cause}", file.display())).caused_by(cause)
}

/// Tells one file from another.
async fn fingerprint(path: &Path) -> Result<String> {
    let mut file = tokio::fs::File::open(path).await.map_err(|cause| unreadable(path, cause))?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; CHUNK];
    loop {
        match file.read(&mut buffer).await.map_err(|cause| unreadable(path, cause))? {
            0 => return Ok(hasher.finalize().to_hex().to_string()),
            length => hasher.update(&buffer[..length]),
        };
    }
}

/// Enough of a keyed digest to tell ids of one list apart.
fn short_digest(engine: &Engine, identity: &Identity) -> u64 {
    let digest = engine.store.vault().digest("list", identity.folded().value.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    u64::from_be_bytes(first)
}
