//! The schema, as an append-only list of migrations: a landed file never changes.

use model::{Problem, Result, codes};
use rusqlite::Connection;

use crate::error;

/// The migrations in order: number, name and SQL text for SQLite.
const SQLITE: &[(i64, &str, &str)] = &[
    (1, "core", include_str!("../migrations/sqlite/0001_core.sql")),
    (2, "erasure", include_str!("../migrations/sqlite/0002_erasure.sql")),
    (3, "transfers", include_str!("../migrations/sqlite/0003_transfers.sql")),
    (4, "oauth", include_str!("../migrations/sqlite/0004_oauth.sql")),
    (5, "landing", include_str!("../migrations/sqlite/0005_landing.sql")),
];

/// Brings a SQLite store to the newest schema.
///
/// # Errors
/// `MO-5003` if a newer binary wrote the store.
pub(crate) fn migrate_sqlite(connection: &mut Connection, now: jiff::Timestamp) -> Result<()> {
    let name = "migrate";
    let failed = |cause| error::sqlite(name, cause);
    let tx = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(failed)?;
    tx.execute_batch("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL)")
        .map_err(failed)?;
    let version: i64 =
        tx.query_row("SELECT COALESCE(MAX(version), 0) FROM schema_version", [], |row| row.get(0)).map_err(failed)?;
    let newest = SQLITE.last().map_or(0, |(number, _, _)| *number);
    if version > newest {
        return Err(Problem::new(
            &codes::store::SCHEMA_UNKNOWN,
            format!("the store has schema {version}, this binary knows up to {newest}"),
        ));
    }
    for (number, name, sql) in SQLITE.iter().filter(|(number, _, _)| *number > version) {
        tx.execute_batch(sql).map_err(failed)?;
        tx.execute(
            "INSERT INTO schema_version (version, name, applied_at) VALUES (?1, ?2, ?3)",
            rusqlite::params![number, name, now.as_microsecond()],
        )
        .map_err(failed)?;
    }
    tx.commit().map_err(failed)
}
