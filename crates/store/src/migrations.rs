//! The schema, as an append-only list of migrations: a landed file never changes.

use deadpool_postgres::Object;
use jiff::Timestamp;
use model::{Problem, Result, codes};
use rusqlite::Connection;

use crate::{Tx, error, params};

/// The migrations in order: number, name and SQL text, which [`for_postgres`] fits to PostgreSQL.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "core", include_str!("../migrations/sqlite/0001_core.sql")),
    (2, "erasure", include_str!("../migrations/sqlite/0002_erasure.sql")),
    (3, "transfers", include_str!("../migrations/sqlite/0003_transfers.sql")),
    (4, "oauth", include_str!("../migrations/sqlite/0004_oauth.sql")),
    (5, "landing", include_str!("../migrations/sqlite/0005_landing.sql")),
    (6, "system_secrets", include_str!("../migrations/sqlite/0006_system_secrets.sql")),
    (7, "lanes", include_str!("../migrations/sqlite/0007_lanes.sql")),
    (8, "outbox", include_str!("../migrations/sqlite/0008_outbox.sql")),
    (9, "kept", include_str!("../migrations/sqlite/0009_kept.sql")),
    (10, "lists", include_str!("../migrations/sqlite/0010_lists.sql")),
    (11, "cool_off", include_str!("../migrations/sqlite/0011_cool_off.sql")),
    (12, "identity_map", include_str!("../migrations/sqlite/0012_identity_map.sql")),
    (13, "restores", include_str!("../migrations/sqlite/0013_restores.sql")),
    (14, "proofs", include_str!("../migrations/sqlite/0014_proofs.sql")),
    (15, "erasure_tasks", include_str!("../migrations/sqlite/0015_erasure_tasks.sql")),
];

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
    for (number, name, sql) in missing(version)? {
        tx.execute_batch(sql).map_err(failed)?;
        tx.execute(&APPLIED.replace('$', "?"), rusqlite::params![number, name, now.as_microsecond()])
            .map_err(failed)?;
    }
    tx.commit().map_err(failed)
}

/// Brings a PostgreSQL store to the newest schema; processes that start together do it one after the other.
///
/// # Errors
/// `MO-5003` if a newer binary wrote the store.
pub(crate) async fn migrate_postgres(client: &mut Object, now: Timestamp) -> Result<()> {
    let failed = |cause| error::postgres("migrate", cause);
    // Two processes may both try to make the table; the one that comes second is told so, and finds it there.
    if let Err(cause) = client.batch_execute(VERSIONS).await
        && error::tries(&cause) == 1
    {
        return Err(failed(cause));
    }
    let tx = client.transaction().await.map_err(failed)?;
    tx.batch_execute("LOCK TABLE schema_version IN ACCESS EXCLUSIVE MODE").await.map_err(failed)?;
    let version: i64 = tx.query_one(NEWEST, &[]).await.map_err(failed)?.get(0);
    for (number, name, sql) in missing(version)? {
        tx.batch_execute(&for_postgres(sql)).await.map_err(failed)?;
        tx.execute(APPLIED, &[number, name, &now.as_microsecond()]).await.map_err(failed)?;
    }
    tx.commit().await.map_err(failed)
}

/// Returns the migrations that a store of this version lacks.
fn missing(version: i64) -> Result<impl Iterator<Item = &'static (i64, &'static str, &'static str)>> {
    let newest = MIGRATIONS.last().map_or(0, |(number, _, _)| *number);
    if version > newest {
        return Err(Problem::new(
            &codes::store::SCHEMA_UNKNOWN,
            format!("the store has schema {version}, this binary knows up to {newest}"),
        ));
    }
    Ok(MIGRATIONS.iter().filter(move |(number, _, _)| *number > version))
}

/// Makes the tables of an empty database as they were at a version, within the transaction of a restore.
///
/// # Errors
/// `MO-5003` for a version that this binary does not know.
pub(crate) async fn build(tx: &mut Tx<'_>, version: i64) -> Result<()> {
    missing(version).map(drop)?;
    tx.batch(VERSIONS).await?;
    let wanted = |(number, _, _): &&(i64, &str, &str)| *number <= version;
    carry_out(tx, MIGRATIONS.iter().filter(wanted)).await
}

/// Brings tables of a version to the newest schema, within the transaction of a restore.
///
/// # Errors
/// A problem of the store.
pub(crate) async fn complete(tx: &mut Tx<'_>, version: i64) -> Result<()> {
    carry_out(tx, missing(version)?).await
}

async fn carry_out(
    tx: &mut Tx<'_>,
    migrations: impl Iterator<Item = &'static (i64, &'static str, &'static str)>,
) -> Result<()> {
    for (number, name, sql) in migrations {
        let fitted = if tx.is_postgres() { for_postgres(sql) } else { (*sql).to_owned() };
        tx.batch(&fitted).await?;
        tx.exec(APPLIED, params![*number, *name, tx.ambient.now()]).await?;
    }
    Ok(())
}

/// Our DDL keeps to what both databases understand, but for the name of bytes and SQLite's way to cluster a table.
fn for_postgres(sql: &str) -> String {
    sql.replace(" BLOB", " BYTEA").replace(" WITHOUT ROWID", "")
}
