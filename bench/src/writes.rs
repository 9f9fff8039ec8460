//! Durable writes of one row by many callers at once (a callback appended to the inbox, as the door does it), against the same
//! machine's bare limit: a thread that appends the same bytes to a file and syncs once for all that wait.
//!
//! Everybody's answer comes after the sync. How many share one is up to the machine and the same for both.

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use store::Store;
use store::inbox::Arrival;
use tokio::sync::{mpsc, oneshot};

use crate::bed;

/// How many bytes a callback has when it is sealed.
const PAYLOAD: usize = 220;
/// How many callers there are.
const CALLERS: [usize; 2] = [64, 512];
/// How many bare writes share a sync at most, as in the store.
const GROUP: usize = 512;

/// Measures `writes` from each number of callers.
pub async fn run(writes: usize) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let sqlite = bed::sqlite(&folder.path().join("sqlite")).await?;
    let postgres = bed::postgres(&folder.path().join("postgres")).await?;
    println!("{writes} durable writes of one row with {PAYLOAD} bytes");
    println!(
        "{:>8} {:>14} {:>14} {:>7} {:>14} {:>7}",
        "callers", "bare append/s", "SQLite/s", "ratio", "PostgreSQL/s", "ratio"
    );
    for callers in CALLERS {
        let bare = bare(&folder.path().join("bare"), callers, writes).await?;
        let on_sqlite = stored(&sqlite, callers, writes).await?;
        // One statement a transaction goes another way there; a fifth of the writes says enough.
        let fewer = (writes / 5).max(callers);
        let on_postgres = stored(&postgres, callers, fewer).await?;
        let rate = |writes: usize, time: Duration| writes as f64 / time.as_secs_f64();
        let (limit, sqlite, postgres) = (rate(writes, bare), rate(writes, on_sqlite), rate(fewer, on_postgres));
        println!(
            "{callers:>8} {limit:>14.0} {sqlite:>14.0} {:>7.2} {postgres:>14.0} {:>7.2}",
            sqlite / limit,
            postgres / limit
        );
    }
    println!("peak memory {}", bed::peak_memory());
    Ok(())
}

/// Lets the callers write through the store.
async fn stored(store: &Store, callers: usize, writes: usize) -> anyhow::Result<Duration> {
    let received_at = testkit::ambient::ambient().0.now();
    let begun = Instant::now();
    let caller = |caller: usize| async move {
        for number in (caller..writes).step_by(callers) {
            let (code, payload) = (format!("{callers}-{number}"), [7_u8; PAYLOAD]);
            let arrival = Arrival {
                app: "shop".to_owned(),
                door: "callback",
                confirmation_code: code,
                payload: payload.to_vec(),
                received_at,
            };
            store.arrive(arrival).await?;
        }
        anyhow::Ok(())
    };
    try_join_all((0..callers).map(caller)).await?;
    Ok(begun.elapsed())
}

type Line = (Vec<u8>, oneshot::Sender<()>);

/// Lets the callers write to a file.
async fn bare(path: &Path, callers: usize, writes: usize) -> anyhow::Result<Duration> {
    let (queue, waiting) = mpsc::channel(GROUP);
    let file = std::fs::File::create(path)?;
    let writer = std::thread::spawn(move || append_all(file, waiting));
    let begun = Instant::now();
    let caller = |caller: usize| {
        let queue = queue.clone();
        async move {
            for _ in (caller..writes).step_by(callers) {
                let (done, written) = oneshot::channel();
                queue.send((vec![7; PAYLOAD], done)).await?;
                written.await?;
            }
            anyhow::Ok(())
        }
    };
    try_join_all((0..callers).map(caller)).await?;
    let time = begun.elapsed();
    drop(queue);
    writer.join().map_err(|_| anyhow::anyhow!("the bare writer panicked"))??;
    Ok(time)
}

fn append_all(mut file: std::fs::File, mut waiting: mpsc::Receiver<Line>) -> std::io::Result<()> {
    let (mut group, mut bytes) = (Vec::new(), Vec::new());
    while waiting.blocking_recv_many(&mut group, GROUP) > 0 {
        bytes.clear();
        group.iter().for_each(|(line, _): &Line| bytes.extend_from_slice(line));
        file.write_all(&bytes)?;
        file.sync_data()?;
        for (_, done) in group.drain(..) {
            let _ = done.send(());
        }
    }
    Ok(())
}
