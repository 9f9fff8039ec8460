//! SQLite: WAL, synchronous=FULL, one writer thread with group commit, readers beside it.

mod reader;
mod values;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use model::{Problem, Result, codes};
use rusqlite::{Connection, OpenFlags};
use tokio::sync::Notify;

use crate::{error, migrations, tx::Tx, vault::Vault};

pub(crate) use values::{exec, query};

/// How long a statement waits for another process that holds the write lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// A store in one file.
#[derive(Clone)]
pub struct Sqlite {
    writer: writer::Writer,
    readers: reader::Readers,
}

impl Sqlite {
    /// Opens `moveout.db` in `folder`, creating and migrating it as needed, and unlocks the vault.
    pub(crate) fn open(folder: &Path, vault: Vault, wake: Arc<Notify>) -> Result<(Self, Arc<Vault>)> {
        std::fs::create_dir_all(folder).map_err(|cause| {
            Problem::new(&codes::store::UNAVAILABLE, format!("{} cannot be created", folder.display())).caused_by(cause)
        })?;
        let path = folder.join("moveout.db");
        let mut connection = connect(&path, OpenFlags::default())?;
        migrations::migrate_sqlite(&mut connection, vault.ambient.now())?;
        let vault = Arc::new(unlock(&mut connection, &vault)?);
        let writer = writer::Writer::start(connection, vault.clone(), wake)?;
        Ok((Self { writer, readers: reader::Readers::new(path, vault.clone()) }, vault))
    }

    pub(crate) async fn write<T, F>(&self, name: &'static str, operation: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t, 'c> FnOnce(&'t mut Tx<'c>) -> BoxFuture<'t, Result<T>> + Send + 'static,
    {
        self.writer.run(name, operation).await
    }

    pub(crate) async fn read<T, F>(&self, name: &'static str, operation: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t, 'c> FnOnce(&'t mut Tx<'c>) -> BoxFuture<'t, Result<T>> + Send + 'static,
    {
        self.readers.run(name, operation).await
    }
}

fn unlock(connection: &mut Connection, vault: &Vault) -> Result<Vault> {
    let name = "vault.unlock";
    let failed = |cause| error::sqlite(name, cause);
    connection.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
    let root = drive(&mut Tx::sqlite(name, connection, vault), |tx| Box::pin(Vault::unlock(tx)))?;
    connection.execute_batch("COMMIT").map_err(failed)?;
    Ok(vault.rooted(root))
}

/// Opens a connection with the settings that the promises need.
fn connect(path: &Path, flags: OpenFlags) -> Result<Connection> {
    let failed = |cause| error::sqlite("open", cause);
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(256);
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA secure_delete = ON;",
        )
        .map_err(failed)?;
    Ok(connection)
}

/// Drives an operation to its end: on SQLite every statement is ready at once, so a pending future awaits something foreign.
fn drive<T, F>(tx: &mut Tx<'_>, operation: F) -> Result<T>
where
    F: for<'t, 'c> FnOnce(&'t mut Tx<'c>) -> BoxFuture<'t, Result<T>>,
{
    use futures_util::FutureExt;
    let name = tx.name;
    operation(tx).now_or_never().unwrap_or_else(|| {
        Err(Problem::new(
            &codes::store::QUERY_FAILED,
            format!("in {name}: an operation awaits something that is not its transaction"),
        ))
    })
}
