//! Killed at any moment under concurrent writes: every acknowledged write is there, none is there twice, none is there in half.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use futures_util::future::join_all;
use store::{Keys, Store, ledger, params, settings};

use crate::bed::{Bed, on_every_database, write};

on_every_database!(a_killed_writer_loses_and_doubles_nothing);

/// How often the writer is killed.
const KILLS: usize = 12;
/// The most acknowledgements that are waited for before a kill. On PostgreSQL all writers queue up for the head of the ledger.
const MOST_ACKS: usize = 300;
const MOST_ACKS_IN_A_QUEUE: usize = 30;
/// How many operations the writer has under way at once.
const WRITERS: usize = 16;
/// Marks the arguments that the writer is told its work by; to the test harness they are filters that match nothing.
const FOLDER: &str = "crash-folder=";
const URL: &str = "crash-url=";
const RUN: &str = "crash-run=";
const KEYS: &str = "crash-keys=";

fn argument(mark: &str) -> Option<String> {
    std::env::args().find_map(|argument| argument.strip_prefix(mark).map(str::to_owned))
}

/// The writer's process, when it is started with its arguments; nothing in a usual run of the tests.
#[tokio::test]
async fn writer_process() {
    let (Some(folder), Some(run), Some(keys)) = (argument(FOLDER), argument(RUN), argument(KEYS)) else { return };
    let (ambient, _) = testkit::ambient::ambient();
    let keys = Keys::from_text(&keys).unwrap();
    let store = match argument(URL) {
        Some(url) => Store::open_postgres(&url, Path::new(&folder), keys, ambient).await.unwrap(),
        None => Store::open_sqlite(Path::new(&folder), keys, ambient).await.unwrap(),
    };
    join_all((0..WRITERS).map(|writer| write_for_ever(&store, format!("{run}-{writer}")))).await;
}

/// Writes one row in each of two tables, and says so once the store has said that they are on disk.
async fn write_for_ever(store: &Store, name: String) {
    let mut acknowledgements = std::io::stdout();
    for count in 0_u64.. {
        let entry = format!("{name}-{count}");
        let row = entry.clone();
        store
            .write("test.crash", move |tx| {
                Box::pin(async move {
                    settings::set(tx, &row, "written").await?;
                    ledger::append(tx, row.as_bytes()).await.map(drop)
                })
            })
            .await
            .unwrap();
        writeln!(acknowledgements, "\nack {entry}").unwrap();
    }
}

/// Starts a writer, reads some acknowledgements, kills it, and returns all that it gave.
fn write_and_kill(bed: &Bed, run: usize, wanted: usize) -> Vec<String> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "crash::writer_process", "--nocapture"]).arg(format!("{RUN}{run}"));
    command.arg(format!("{FOLDER}{}", bed.folder.path().display())).arg(format!("{KEYS}{}", bed.keys.to_text().trim()));
    command.args(bed.postgres.iter().map(|url| format!("{URL}{url}")));
    let mut writer = command.stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(writer.stdout.take().unwrap()).lines();
    let mut acknowledged = vec![];
    for line in lines {
        acknowledged.extend(line.unwrap().strip_prefix("ack ").map(str::to_owned));
        if acknowledged.len() == wanted {
            // What is in the pipe by then is read to its end.
            writer.kill().unwrap();
        }
    }
    assert!(!writer.wait().unwrap().success(), "it was killed, and did not end by itself");
    // The last line may be cut off.
    acknowledged.truncate(acknowledged.len().saturating_sub(1).max(wanted));
    acknowledged
}

async fn a_killed_writer_loses_and_doubles_nothing(bed: Bed) {
    let mut acknowledged = BTreeSet::new();
    let most = if bed.postgres.is_some() { MOST_ACKS_IN_A_QUEUE } else { MOST_ACKS };
    for run in 0..KILLS {
        let wanted = 1 + usize::from(u16::from_le_bytes(bed.ambient.random())) % most;
        for entry in write_and_kill(&bed, run, wanted) {
            assert!(acknowledged.insert(entry), "acknowledged twice");
        }
        let store = bed.open().await;
        let (size, _) = write!(store, |tx| ledger::verify(tx)).unwrap();
        let sql = "SELECT name FROM setting WHERE value = 'written'";
        let rows = write!(store, |tx| tx.query(sql, params![])).unwrap();
        let kept: BTreeSet<String> = rows.iter().map(|row| row.get("name").unwrap()).collect();
        let lost: Vec<_> = acknowledged.difference(&kept).collect();
        assert!(lost.is_empty(), "run {run}: acknowledged and lost: {lost:?}");
        assert_eq!(kept.len() as u64, size, "run {run}: a write is there in half, or twice");
        let sql = "SELECT COUNT(DISTINCT leaf) AS n FROM ledger_leaf";
        let leaves = write!(store, |tx| tx.query_one(sql, params![])).unwrap();
        assert_eq!(leaves.get::<u64>("n").unwrap(), size, "run {run}: a write is there twice");
    }
}
