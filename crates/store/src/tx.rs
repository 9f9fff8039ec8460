//! The one transaction type over every database.

use jiff::{SignedDuration, Timestamp};
use model::{Ambient, Problem, Result, codes};

use crate::value::{Row, Value};
use crate::vault::Vault;
use crate::{error, postgres, sqlite};

/// Where the statements of a transaction go.
enum Connection<'c> {
    Sqlite(&'c mut rusqlite::Connection),
    Postgres(&'c mut postgres::Transaction),
}

/// A transaction: one SQL text with `$n` placeholders serves every database.
pub struct Tx<'c> {
    pub(crate) name: &'static str,
    connection: Connection<'c>,
    pub(crate) vault: &'c Vault,
    /// Whether this transaction made a job due, so that workers of this process should look when it is committed.
    pub(crate) enqueued: bool,
    /// How often the whole operation is worth running, after what its statements met.
    pub(crate) tries: u32,
    /// What to add to our clock to get the database's.
    skew: SignedDuration,
    /// The clock and ids of the process, so that repository functions need no second handle.
    pub ambient: &'c Ambient,
}

impl<'c> Tx<'c> {
    pub(crate) fn sqlite(name: &'static str, connection: &'c mut rusqlite::Connection, vault: &'c Vault) -> Self {
        // SQLite lives in this process, so its clock is ours.
        Self::new(name, Connection::Sqlite(connection), vault, SignedDuration::ZERO)
    }

    pub(crate) fn postgres(
        name: &'static str,
        transaction: &'c mut postgres::Transaction,
        vault: &'c Vault,
        skew: SignedDuration,
    ) -> Self {
        Self::new(name, Connection::Postgres(transaction), vault, skew)
    }

    fn new(name: &'static str, connection: Connection<'c>, vault: &'c Vault, skew: SignedDuration) -> Self {
        Self { name, connection, vault, enqueued: false, tries: 1, skew, ambient: &vault.ambient }
    }

    /// Returns the vault of the store.
    pub fn vault(&self) -> &'c Vault {
        self.vault
    }

    /// Returns the database's time: what leases are measured by.
    pub(crate) fn now(&self) -> Timestamp {
        self.database_time(self.ambient.now())
    }

    /// Returns what the database's clock shows when ours shows `time`.
    pub(crate) fn database_time(&self, time: Timestamp) -> Timestamp {
        time.saturating_add(self.skew).unwrap_or(time)
    }

    /// Returns what lets a query lock what it finds and look past what others have locked; nothing where there is one writer.
    pub(crate) fn skip_locked(&self) -> &'static str {
        match self.connection {
            Connection::Sqlite(_) => "",
            Connection::Postgres(_) => "FOR UPDATE SKIP LOCKED",
        }
    }

    /// Runs a statement and returns how many rows it touched.
    ///
    /// # Errors
    /// A coded problem of the store; the operation should return it.
    pub async fn exec(&mut self, sql: &str, params: &[Value]) -> Result<u64> {
        match &mut self.connection {
            Connection::Sqlite(connection) => {
                sqlite::exec(connection, sql, params).map_err(|cause| error::sqlite(self.name, cause))
            }
            Connection::Postgres(transaction) => {
                let done = transaction.exec(sql, params).await;
                done.map_err(|cause| self.failed(cause))
            }
        }
    }

    /// Runs several statements without parameters, of those that both databases understand as they are.
    ///
    /// # Errors
    /// A coded problem of the store; the operation should return it.
    pub(crate) async fn batch(&mut self, sql: &str) -> Result<()> {
        match &mut self.connection {
            Connection::Sqlite(connection) => {
                connection.execute_batch(sql).map_err(|cause| error::sqlite(self.name, cause))
            }
            Connection::Postgres(transaction) => {
                let done = transaction.batch(sql).await;
                done.map_err(|cause| self.failed(cause))
            }
        }
    }

    /// Tells whether this is PostgreSQL: for the few things that have no common words, like the catalogue.
    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self.connection, Connection::Postgres(_))
    }

    /// Runs a query (or a statement with RETURNING) and returns its rows.
    ///
    /// # Errors
    /// A coded problem of the store; the operation should return it.
    pub async fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>> {
        match &mut self.connection {
            Connection::Sqlite(connection) => {
                sqlite::query(connection, sql, params).map_err(|cause| error::sqlite(self.name, cause))
            }
            Connection::Postgres(transaction) => {
                let rows = transaction.query(sql, params).await;
                rows.map_err(|cause| self.failed(cause))
            }
        }
    }

    /// Runs statements that do not depend on each other, in one round trip where there are round trips, and returns how many rows
    /// they touched in all.
    ///
    /// # Errors
    /// A coded problem of the store; the operation should return it.
    pub async fn exec_all(&mut self, statements: &[(String, Vec<Value>)]) -> Result<u64> {
        match &mut self.connection {
            Connection::Sqlite(connection) => statements
                .iter()
                .map(|(sql, params)| sqlite::exec(connection, sql, params))
                .sum::<rusqlite::Result<u64>>()
                .map_err(|cause| error::sqlite(self.name, cause)),
            Connection::Postgres(transaction) => {
                let done = transaction.exec_all(statements).await;
                done.map_err(|cause| self.failed(cause))
            }
        }
    }

    fn failed(&mut self, cause: tokio_postgres::Error) -> Problem {
        self.tries = self.tries.max(error::tries(&cause));
        error::postgres(self.name, cause)
    }

    /// Runs a query of at most one row.
    ///
    /// # Errors
    /// A coded problem of the store; `MO-5008` if there are several rows.
    pub async fn query_opt(&mut self, sql: &str, params: &[Value]) -> Result<Option<Row>> {
        let mut rows = self.query(sql, params).await?;
        if rows.len() > 1 {
            return Err(Problem::new(&codes::store::QUERY_FAILED, format!("in {}: more than one row", self.name)));
        }
        Ok(rows.pop())
    }

    /// Runs a query of exactly one row.
    ///
    /// # Errors
    /// A coded problem of the store; `MO-5008` if there is not exactly one row.
    pub async fn query_one(&mut self, sql: &str, params: &[Value]) -> Result<Row> {
        let row = self.query_opt(sql, params).await?;
        row.ok_or_else(|| Problem::new(&codes::store::QUERY_FAILED, format!("in {}: no row", self.name)))
    }
}
