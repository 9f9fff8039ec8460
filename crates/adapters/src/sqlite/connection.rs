//! A transaction on a SQLite file.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use model::{Problem, Result, codes};
use rusqlite::OpenFlags;
use rusqlite::types::ValueRef;

use super::dialect::SqliteDialect;
use super::errors;
use crate::sql::{Cell, Connection, Dialect, Purpose, Statement};

/// How long a statement waits for the application's own transactions.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How many instructions of SQLite's machine make a round, and after how many rounds a look gives up: some seconds.
const ROUND: i32 = 100_000;
const LOOKING_ROUNDS: u32 = 5_000;

/// A transaction on a connection of its own: rolled back when dropped.
pub(crate) struct SqliteConnection {
    file: rusqlite::Connection,
    /// Tables declared `WITHOUT ROWID`. Only these never hold a null in their primary key.
    without_row_id: BTreeSet<String>,
}

/// How a transaction begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begin {
    /// Reading a snapshot.
    Reading,
    /// Reading a snapshot, and giving up soon: a look at somebody's busy file.
    Looking,
    /// Holding the write lock from the start, so that nobody changes what was looked at.
    Writing,
}

/// Opens an existing file.
pub(super) fn open(path: &Path) -> Result<rusqlite::Connection> {
    // Without SQLITE_OPEN_CREATE a missing file is an error: an empty new database would pass for an empty one.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let failed = |cause| errors::map(&cause, Purpose::Catalog, "");
    let connection = rusqlite::Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
    // Deleted content is overwritten, so that it cannot be read out of the file's free pages.
    connection.execute_batch("PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;").map_err(failed)?;
    Ok(connection)
}

impl SqliteConnection {
    pub(super) fn begin(path: &Path, how: Begin) -> Result<Self> {
        let mut file = open(path)?;
        let failed = |cause| errors::map(&cause, Purpose::Read, "");
        if how == Begin::Looking {
            file.execute_batch("PRAGMA query_only = ON").map_err(failed)?;
            let mut rounds = 0;
            let give_up = move || {
                rounds += 1;
                rounds > LOOKING_ROUNDS
            };
            file.progress_handler(ROUND, Some(give_up)).map_err(failed)?;
        }
        let begin = match how {
            Begin::Reading | Begin::Looking => "BEGIN DEFERRED",
            Begin::Writing => "BEGIN IMMEDIATE",
        };
        file.execute_batch(begin).map_err(failed)?;
        let without_row_id = without_row_id(&file).map_err(|cause| errors::map(&cause, Purpose::Catalog, ""))?;
        Ok(Self { file, without_row_id })
    }

    /// The file itself, for what only SQLite knows.
    pub(super) fn file(&self) -> &rusqlite::Connection {
        &self.file
    }

    pub(super) fn commit(self) -> Result<()> {
        self.file.execute_batch("COMMIT").map_err(|cause| errors::map(&cause, Purpose::Change, ""))?;
        // What was erased is in the write-ahead log until that is reset. Readers may hold it up; then the application's
        // own next checkpoint does it. Waiting for them would keep the application's writers waiting too.
        let _ = self.file.busy_timeout(Duration::ZERO);
        let _ = self.file.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        Ok(())
    }

    fn rows(&self, statement: &Statement) -> rusqlite::Result<Vec<Vec<Cell>>> {
        let mut prepared = self.file.prepare(&statement.sql)?;
        bind(&mut prepared, statement)?;
        let columns = prepared.column_count();
        let mut rows = prepared.raw_query();
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let cell = |index| Ok(text(row.get_ref(index)?));
            found.push((0..columns).map(cell).collect::<rusqlite::Result<_>>()?);
        }
        Ok(found)
    }

    fn touched(&self, statement: &Statement) -> rusqlite::Result<u64> {
        let mut prepared = self.file.prepare(&statement.sql)?;
        bind(&mut prepared, statement)?;
        Ok(prepared.raw_execute()? as u64)
    }
}

fn without_row_id(file: &rusqlite::Connection) -> rusqlite::Result<BTreeSet<String>> {
    let sql = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND wr";
    file.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
}

/// Binds each list as one JSON array; its members are JSON already.
fn bind(prepared: &mut rusqlite::Statement<'_>, statement: &Statement) -> rusqlite::Result<()> {
    for (index, list) in statement.lists.iter().enumerate() {
        prepared.raw_bind_parameter(index + 1, format!("[{}]", list.join(",")))?;
    }
    Ok(())
}

fn text(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(value) => Some(value.to_string()),
        ValueRef::Real(value) => Some(value.to_string()),
        ValueRef::Text(value) | ValueRef::Blob(value) => Some(String::from_utf8_lossy(value).into_owned()),
    }
}

#[async_trait]
impl Connection for SqliteConnection {
    fn dialect(&self) -> &'static dyn Dialect {
        &SqliteDialect
    }

    fn prefers_row_id(&self, table: &str) -> bool {
        !self.without_row_id.contains(table)
    }

    async fn query(&mut self, statement: &Statement) -> Result<Vec<Vec<Cell>>> {
        self.rows(statement).map_err(|cause| errors::map(&cause, statement.purpose, &statement.table))
    }

    async fn exec(&mut self, statement: &Statement) -> Result<u64> {
        self.touched(statement).map_err(|cause| errors::map(&cause, statement.purpose, &statement.table))
    }
}

/// Drives work on a transaction to its end: every statement is ready at once.
pub(super) fn drive<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    use futures_util::FutureExt;
    let unready =
        || Problem::new(&codes::erasure::SYSTEM_UNREACHABLE, "the work awaits something that is not its file");
    work.now_or_never().unwrap_or_else(|| Err(unready()))
}
