//! Carries migrations out.

use deadpool_postgres::Object;
use jiff::Timestamp;
use model::Result;
use rusqlite::Connection;
use tokio_postgres::error::SqlState;

use super::{MIGRATIONS, Migration, missing};
use crate::{Tx, error, params};

const VERSIONS: &str = "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL)";
const NEWEST: &str = "SELECT COALESCE(MAX(version), 0) FROM schema_version";
const APPLIED: &str = "INSERT INTO schema_version (version, name, applied_at) VALUES ($1, $2, $3)";

/// Brings a SQLite store to the newest schema.
///
/// # Errors
/// `MO-5003` if a newer binary wrote the store.
pub(crate) fn migrate_sqlite(connection: &mut Connection, now: Timestamp) -> Result<()> {
    let failed = |cause| error::sqlite("migrate", cause);
    let tx = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(failed)?;
    tx.execute_batch(VERSIONS).map_err(failed)?;
    let version: i64 = tx.query_row(NEWEST, [], |row| row.get(0)).map_err(failed)?;
    for (number, migration) in (version + 1..).zip(missing(MIGRATIONS, version)?) {
        tx.execute_batch(migration.sql).map_err(failed)?;
        let applied = rusqlite::params![number, migration.name, now.as_microsecond()];
        tx.execute(&APPLIED.replace('$', "?"), applied).map_err(failed)?;
    }
    tx.commit().map_err(failed)
}

/// Returns which migration a PostgreSQL store has last seen; 0 where there is no store.
///
/// # Errors
/// A problem of the store.
pub(crate) async fn version_of_postgres(client: &Object) -> Result<i64> {
    match client.query_one(NEWEST, &[]).await {
        Ok(row) => Ok(row.get(0)),
        Err(cause) if cause.code() == Some(&SqlState::UNDEFINED_TABLE) => Ok(0),
        Err(cause) => Err(error::postgres("schema version", cause)),
    }
}

/// Brings a PostgreSQL store to the newest schema and returns the names of the migrations that this took.
///
/// Processes that do it at the same time do each migration once: whoever notes its number first carries it out.
///
/// # Errors
/// `MO-5003` if a newer binary wrote the store.
pub(crate) async fn migrate_postgres(client: &mut Object, now: Timestamp) -> Result<Vec<&'static str>> {
    // Two processes may both try to make the table; the one that comes second is told so, and finds it there.
    if let Err(cause) = client.batch_execute(VERSIONS).await
        && error::tries(&cause) == 1
    {
        return Err(error::postgres("migrate", cause));
    }
    let mut done = vec![];
    loop {
        let version = version_of_postgres(client).await?;
        let Some(next) = missing(MIGRATIONS, version)?.first() else { return Ok(done) };
        let carried_out = step(client, version + 1, next, now).await;
        if carried_out.map_err(|cause| error::postgres(next.name, cause))? {
            done.push(next.name);
        }
    }
}

/// Carries one migration out, unless somebody else has noted it.
async fn step(
    client: &mut Object,
    number: i64,
    migration: &Migration,
    now: Timestamp,
) -> Result<bool, tokio_postgres::Error> {
    let tx = client.transaction().await?;
    // Waits for whoever is at the same migration right now.
    let noted = format!("{APPLIED} ON CONFLICT (version) DO NOTHING");
    if tx.execute(&noted, &[&number, &migration.name, &now.as_microsecond()]).await? == 0 {
        return Ok(false);
    }
    tx.batch_execute(&for_postgres(migration.sql)).await?;
    tx.commit().await?;
    Ok(true)
}

/// Makes the tables of an empty database as they were at a version, within the transaction of a restore.
///
/// # Errors
/// `MO-5003` for a version that this binary does not know.
pub(crate) async fn build(tx: &mut Tx<'_>, version: i64) -> Result<()> {
    let later = missing(MIGRATIONS, version)?.len();
    tx.batch(VERSIONS).await?;
    carry_out(tx, 0, &MIGRATIONS[..MIGRATIONS.len() - later]).await
}

/// Brings tables of a version to the newest schema, within the transaction of a restore.
///
/// # Errors
/// A problem of the store.
pub(crate) async fn complete(tx: &mut Tx<'_>, version: i64) -> Result<()> {
    carry_out(tx, version, missing(MIGRATIONS, version)?).await
}

async fn carry_out(tx: &mut Tx<'_>, version: i64, migrations: &[Migration]) -> Result<()> {
    for (number, migration) in (version + 1..).zip(migrations) {
        let fitted = if tx.is_postgres() { for_postgres(migration.sql) } else { migration.sql.to_owned() };
        tx.batch(&fitted).await?;
        tx.exec(APPLIED, params![number, migration.name, tx.ambient.now()]).await?;
    }
    Ok(())
}

/// Our DDL keeps to what both databases understand, but for the name of bytes and SQLite's way to cluster a table.
fn for_postgres(sql: &str) -> String {
    sql.replace(" BLOB", " BYTEA").replace(" WITHOUT ROWID", "")
}
