//! People erased from a PostgreSQL of 10,000 users, 50,000 orders and 100,000 comments (16 rows a person), end to end with
//! survey, verification, ledger and receipt, against the bare statements that delete the same rows.
//!
//! The database runs without fsync, which spares the bare statements most of their time and us little: the harder comparison.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use engine::{Engine, erasure, jobs, world};
use model::erasure::ErasureState;
use tokio_postgres::NoTls;

use crate::bed;

/// How often one erasure alone is measured; the median counts.
const ALONE: usize = 21;

const SCHEMA: &str = "
CREATE TABLE users (id INT PRIMARY KEY, facebook_id TEXT UNIQUE, email TEXT UNIQUE, name TEXT);
CREATE TABLE orders (id INT PRIMARY KEY, user_id INT NOT NULL REFERENCES users(id), address TEXT, total INT);
CREATE TABLE comments (id INT PRIMARY KEY, user_id INT NOT NULL REFERENCES users(id), body TEXT);
INSERT INTO users SELECT n, 'fb' || n, 'user' || n || '@example.org', 'User ' || n FROM generate_series(1, 10000) n;
INSERT INTO orders SELECT n, 1 + n % 10000, 'Street ' || n, n FROM generate_series(1, 50000) n;
INSERT INTO comments SELECT n, 1 + n % 10000, repeat('words of a person ', 10) FROM generate_series(1, 100000) n;
CREATE INDEX ON orders (user_id);
CREATE INDEX ON comments (user_id);
ANALYZE;
";

/// Measures one erasure alone, then `people` that wait together.
pub async fn run(people: usize) -> anyhow::Result<()> {
    ensure!((1..5000).contains(&people), "between 1 and 4999 people");
    let cluster = testkit::postgres::cluster();
    let url = cluster.database().await?;
    cluster.execute(&url, SCHEMA).await?;
    let folder = tempfile::tempdir()?;
    let engine = bed::engine(folder.path()).await?;
    declare(&engine, &url).await?;

    // Even numbers are ours, odd ones the bare statements': both find the same state of the tables.
    let mut persons = (1..10_000).step_by(2).map(|odd| (odd + 1, odd));
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for (mine, theirs) in persons.by_ref().take(ALONE) {
        ours.push(erased(&engine, &[mine]).await?);
        bare.push(deleted(&url, &[theirs]).await?);
    }
    let (one, one_bare) = (median(ours), median(bare));
    let (mine, theirs): (Vec<_>, Vec<_>) = persons.take(people).unzip();
    let begun = cpu_seconds();
    let many = erased(&engine, &mine).await?;
    let cpu = cpu_seconds() - begun;
    let many_bare = deleted(&url, &theirs).await?;

    let ratio = |ours: Duration, bare: Duration| ours.as_secs_f64() / bare.as_secs_f64();
    println!("16 rows a person on PostgreSQL, found, erased, read again, receipt signed");
    println!(
        "one erasure alone      {:>9.2} ms  bare {:>8.2} ms  ratio {:>6.1}",
        ms(one),
        ms(one_bare),
        ratio(one, one_bare)
    );
    println!(
        "{people:>5} waiting together {:>9.2} ms  bare {:>8.2} ms  ratio {:>6.1}",
        ms(many),
        ms(many_bare),
        ratio(many, many_bare)
    );
    println!(
        "                       {:>9.0} erasures/s, {:.2} CPU ms each",
        people as f64 / many.as_secs_f64(),
        cpu * 1000.0 / people as f64
    );
    println!("peak memory            {}", bed::peak_memory());
    Ok(())
}

async fn declare(engine: &Engine, url: &str) -> anyhow::Result<()> {
    let declared = serde_json::from_value(serde_json::json!({
        "app": [{"name": "shop", "secrets": []}],
        "system": [{"name": "db", "adapter": "postgres", "url": url, "table": [
            {"name": "users", "identity": {"facebook_id": "asid", "email": "email"}},
            {"name": "orders", "owner": {"user_id": "users.id"}},
            {"name": "comments", "owner": {"user_id": "users.id"}},
        ]}],
    }))?;
    world::apply(engine, declared, &|secret| Ok(secret.0.clone())).await?;
    Ok(())
}

/// Asks for these people and works until everything is done.
async fn erased(engine: &Engine, people: &[i32]) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    let mut last = None;
    for person in people {
        let identities = vec![format!("asid:fb{person}").parse()?];
        last = Some(erasure::request(engine, "shop", identities, "cli").await?.id);
    }
    jobs::drain(engine).await?;
    let time = begun.elapsed();
    let view = erasure::show(engine, &last.context("nobody")?).await?;
    ensure!(view.state == ErasureState::Complete && view.receipt.is_some(), "{view:?}");
    let erased: u64 = view.systems.iter().flat_map(|system| &system.tables).map(|table| table.erased).sum();
    ensure!(erased == 16, "{view:?}");
    Ok(time)
}

/// Deletes these people with one statement a table, in one transaction.
async fn deleted(url: &str, people: &[i32]) -> anyhow::Result<Duration> {
    let (mut client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let driver = tokio::spawn(connection);
    let begun = Instant::now();
    let tx = client.transaction().await?;
    let mut deleted = 0;
    for sql in [
        "DELETE FROM comments WHERE user_id = ANY($1)",
        "DELETE FROM orders WHERE user_id = ANY($1)",
        "DELETE FROM users WHERE id = ANY($1)",
    ] {
        deleted += tx.execute(sql, &[&people]).await?;
    }
    tx.commit().await?;
    let time = begun.elapsed();
    ensure!(deleted == 16 * people.len() as u64, "{deleted} rows");
    drop(client);
    driver.await??;
    Ok(time)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The processor time of this process so far, as Linux tells it in hundredths of a second.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    fields
        .get(11..13)
        .map_or(0.0, |times| times.iter().filter_map(|time| time.parse::<f64>().ok()).sum::<f64>() / 100.0)
}
