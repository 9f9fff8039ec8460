//! Jobs claimed in batches of 16 by 8 workers and ended together, against bare statements that do the same to a bare table.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::ensure;
use futures_util::future::try_join_all;
use store::Store;
use store::jobs::{self, Claim, Places};

use crate::bed;

const WORKERS: usize = 8;
const BATCH: usize = 16;
/// How many apps the jobs belong to.
const APPS: usize = 4;

/// Measures `count` jobs on each database.
pub async fn run(count: usize) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    println!("{count} jobs of {APPS} apps, {WORKERS} workers, batches of {BATCH}, claimed and ended");
    println!("{:>12} {:>12} {:>12} {:>7}", "", "bare jobs/s", "ours jobs/s", "ratio");
    let row = |name: &str, bare: Duration, ours: Duration| {
        let rate = |time: Duration| count as f64 / time.as_secs_f64();
        println!(
            "{name:>12} {:>12.0} {:>12.0} {:>7.2}",
            rate(bare),
            rate(ours),
            bare.as_secs_f64() / ours.as_secs_f64()
        );
    };
    let sqlite = bed::sqlite(&folder.path().join("sqlite")).await?;
    let bare = bare_sqlite(&folder.path().join("bare.db"), count)?;
    row("SQLite", bare, through_the_store(&sqlite, count).await?);
    let postgres = bed::postgres(&folder.path().join("postgres")).await?;
    let bare = bare_postgres(&testkit::postgres::durable().database().await?, count).await?;
    row("PostgreSQL", bare, through_the_store(&postgres, count).await?);
    Ok(())
}

async fn through_the_store(store: &Store, count: usize) -> anyhow::Result<Duration> {
    for first in (0..count).step_by(1000) {
        store
            .write("bench.enqueue", move |tx| {
                Box::pin(async move {
                    for number in first..(first + 1000).min(count) {
                        let app = format!("app{}", number % APPS);
                        jobs::enqueue_for(tx, "erasure", &app, &number.to_string(), None).await?;
                    }
                    Ok(())
                })
            })
            .await?;
    }
    let begun = Instant::now();
    let worker = |number: usize| async move {
        let mut done = 0;
        loop {
            let owner = number.to_string();
            let claim =
                Claim { owner, kinds: vec!["erasure"], limit: BATCH, busy: HashMap::new(), most: |_| Places::ANY };
            let claimed = store
                .write_guarded("bench.claim", move |tx| Box::pin(async move { jobs::claim(tx, &claim).await }))
                .await?;
            if claimed.is_empty() {
                return anyhow::Ok(done);
            }
            let ended = store
                .write_guarded("bench.end", move |tx| Box::pin(async move { jobs::complete_all(tx, &claimed).await }))
                .await?;
            done += ended.len();
        }
    };
    let done: usize = try_join_all((0..WORKERS).map(worker)).await?.into_iter().sum();
    let time = begun.elapsed();
    ensure!(done == count, "{done} of {count} jobs were done");
    Ok(time)
}

const TABLE: &str = "CREATE TABLE job (id BIGINT PRIMARY KEY, run_at BIGINT NOT NULL, lease_until BIGINT)";
const INDEX: &str = "CREATE INDEX job_due ON job (run_at)";

/// One connection is the fastest way on SQLite: the workers take turns on it.
fn bare_sqlite(path: &Path, count: usize) -> anyhow::Result<Duration> {
    let database = rusqlite::Connection::open(path)?;
    database.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")?;
    database.execute_batch(&format!("{TABLE}; {INDEX}; BEGIN"))?;
    for number in 0..count as i64 {
        database.execute("INSERT INTO job VALUES (?1, ?1, NULL)", [number])?;
    }
    database.execute_batch("COMMIT")?;
    let database = Arc::new(Mutex::new(database));
    let begun = Instant::now();
    let worker = || {
        let database = database.clone();
        std::thread::spawn(move || -> rusqlite::Result<usize> {
            let mut done = 0;
            loop {
                let ids = {
                    let database = database.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                    let mut claim = database.prepare_cached(
                        "UPDATE job SET lease_until = 1 WHERE id IN (SELECT id FROM job WHERE lease_until IS NULL ORDER BY run_at LIMIT ?1) RETURNING id",
                    )?;
                    claim.query_map([BATCH as i64], |row| row.get(0))?.collect::<rusqlite::Result<Vec<i64>>>()?
                };
                if ids.is_empty() {
                    return Ok(done);
                }
                let list = ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
                let database = database.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                done += database.execute(&format!("DELETE FROM job WHERE id IN ({list})"), [])?;
            }
        })
    };
    let workers: Vec<_> = (0..WORKERS).map(|_| worker()).collect();
    let mut done = 0;
    for worker in workers {
        done += worker.join().map_err(|_| anyhow::anyhow!("a worker panicked"))??;
    }
    ensure!(done == count, "{done} of {count} jobs were done");
    Ok(begun.elapsed())
}

async fn bare_postgres(url: &str, count: usize) -> anyhow::Result<Duration> {
    let setup =
        format!("{TABLE}; {INDEX}; INSERT INTO job SELECT n, n, NULL FROM generate_series(1, {count}) AS n; ANALYZE");
    testkit::postgres::durable().execute(url, &setup).await?;
    let mut clients = Vec::new();
    for _ in 0..WORKERS {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
        tokio::spawn(connection);
        clients.push(client);
    }
    let begun = Instant::now();
    let worker = |client: tokio_postgres::Client| async move {
        let claim = client
            .prepare(
                "UPDATE job SET lease_until = 1 WHERE id IN
                     (SELECT id FROM job WHERE lease_until IS NULL ORDER BY run_at LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING id",
            )
            .await?;
        let end = client.prepare("DELETE FROM job WHERE id = ANY($1)").await?;
        let mut done = 0;
        loop {
            let rows = client.query(&claim, &[&(BATCH as i64)]).await?;
            if rows.is_empty() {
                return anyhow::Ok(done);
            }
            let ids: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
            done += client.execute(&end, &[&ids]).await?;
        }
    };
    let done: u64 = try_join_all(clients.into_iter().map(worker)).await?.into_iter().sum();
    ensure!(done == count as u64, "{done} of {count} jobs were done");
    Ok(begun.elapsed())
}
