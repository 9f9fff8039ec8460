//! Readers beside the writer: a few read-only connections, used from blocking threads.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use model::Result;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::Semaphore;

use super::{connect, drive};
use crate::{error, tx::Tx, vault::Vault};

/// How many operations read at once.
const READERS: usize = 8;

/// The read-only connections; made when first needed, kept for the next.
#[derive(Clone)]
pub(super) struct Readers {
    path: PathBuf,
    vault: Arc<Vault>,
    places: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Readers {
    pub(super) fn new(path: PathBuf, vault: Arc<Vault>) -> Self {
        Self { path, vault, places: Arc::new(Semaphore::new(READERS)), idle: Arc::default() }
    }

    /// Runs one operation on a snapshot.
    pub(super) async fn run<T, F>(&self, name: &'static str, operation: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t, 'c> FnOnce(&'t mut Tx<'c>) -> BoxFuture<'t, Result<T>> + Send + 'static,
    {
        let place = self.places.clone().acquire_owned().await.map_err(|_| error::gone(name))?;
        let readers = self.clone();
        let work = move || {
            let _place = place;
            let mut connection = readers.take()?;
            let result = readers.snapshot(name, &mut connection, operation);
            if connection.is_autocommit() {
                readers.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
            }
            result
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| error::gone(name))?
    }

    fn take(&self) -> Result<Connection> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match idle {
            Some(connection) => Ok(connection),
            None => connect(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX).and_then(
                |connection| {
                    // Read-only by rule rather than by flag: a WAL reader may have to create the -shm file.
                    connection
                        .pragma_update(None, "query_only", true)
                        .map_err(|cause| error::sqlite("open a reader", cause))?;
                    Ok(connection)
                },
            ),
        }
    }

    fn snapshot<T, F>(&self, name: &'static str, connection: &mut Connection, operation: F) -> Result<T>
    where
        F: for<'t, 'c> FnOnce(&'t mut Tx<'c>) -> BoxFuture<'t, Result<T>>,
    {
        let failed = |cause| error::sqlite(name, cause);
        connection.execute_batch("BEGIN DEFERRED").map_err(failed)?;
        let result = drive(&mut Tx::sqlite(name, &mut *connection, &self.vault), operation);
        connection.execute_batch("ROLLBACK").map_err(failed)?;
        result
    }
}
