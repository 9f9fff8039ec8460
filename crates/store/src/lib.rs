//! Our own SQL and our own blobs; nothing else has any.
//!
//! A [`Store`] runs *operations*: named, re-runnable closures over a [`Tx`]. An operation is one transaction and returns
//! only after it is on disk. Repository functions, grouped by subject, take `&mut Tx` so that one operation can use several.

pub mod accounts;
pub mod backup;
pub mod blobs;
pub mod erasures;
pub mod error;
pub mod hold;
pub mod house;
pub mod inbox;
pub mod jobs;
pub mod landing;
pub mod ledger;
pub mod migrations;
pub mod oauth;
pub mod outbox;
pub mod persons;
pub mod postgres;
pub mod retention;
mod rows;
pub mod settings;
pub mod sqlite;
pub mod status;
pub mod tally;
pub mod transfers;
pub mod tx;
pub mod value;
pub mod vault;
pub mod world;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use model::{Ambient, Result};
use tokio::sync::Notify;

pub use blobs::{Blobs, BucketConfig};
pub use tx::Tx;
pub use value::{FromValue, Row, Value};
pub use vault::{KeyId, KeyUse, Keys, Resealed, Vault};

/// The name of the operation that appends to the inbox.
const ARRIVE: &str = "inbox.append";

/// The store: cheap to clone, shared by doors and workers.
#[derive(Clone)]
pub struct Store {
    backend: Backend,
    vault: Arc<Vault>,
    blobs: Arc<Blobs>,
    wake: Arc<Notify>,
    tally: tally::Tally,
}

#[derive(Clone)]
enum Backend {
    Sqlite(sqlite::Sqlite),
    Postgres { database: postgres::Postgres, arrivals: postgres::Gather<inbox::Arrival> },
}

impl Store {
    /// Opens the SQLite store in `folder` (the file `moveout.db`, and `blobs` for large bodies), creating or migrating it as needed.
    ///
    /// # Errors
    /// `MO-5001` if it cannot be opened, `MO-5003` if a newer binary wrote it, `MO-5004` if it was made with other keys.
    pub async fn open_sqlite(folder: &Path, keys: Keys, ambient: Ambient) -> Result<Self> {
        let wake = Arc::new(Notify::new());
        let blobs = Arc::new(Blobs::in_folder(folder.join("blobs"), ambient.clone()));
        let (backend, vault) = sqlite::Sqlite::open(folder, Vault::new(&keys, ambient), wake.clone())?;
        Ok(Self { backend: Backend::Sqlite(backend), vault, blobs, wake, tally: tally::Tally::default() })
    }

    /// Opens the store in a PostgreSQL database, which [`Store::migrate_postgres`] has made. Large bodies lie in `folder`,
    /// which every process on this database must see.
    ///
    /// # Errors
    /// `MO-7001` if the address cannot be read, `MO-5001` if nobody answers there, `MO-5003`, `MO-5014` or `MO-5015` if its schema
    /// does not fit, `MO-5004` if it was made with other keys.
    pub async fn open_postgres(
        settings: &postgres::Settings,
        folder: &Path,
        keys: Keys,
        ambient: Ambient,
    ) -> Result<Self> {
        let wake = Arc::new(Notify::new());
        let blobs = Arc::new(Blobs::in_folder(folder.join("blobs"), ambient.clone()));
        let (vault, tally) = (Vault::new(&keys, ambient), tally::Tally::default());
        let (database, vault) = postgres::Postgres::open(settings, vault, wake.clone(), tally.clone()).await?;
        let arrivals =
            database.gather(ARRIVE, |tx, arrivals| Box::pin(async move { inbox::append(tx, &arrivals).await }));
        Ok(Self { backend: Backend::Postgres { database, arrivals }, vault, blobs, wake, tally })
    }

    /// Makes a store in a PostgreSQL database, or brings one to the newest schema; returns the names of the migrations that this took.
    ///
    /// # Errors
    /// `MO-7001` if the address cannot be read, `MO-5001` if nobody answers there, `MO-5003` if a newer binary wrote the store.
    pub async fn migrate_postgres(settings: &postgres::Settings, ambient: &Ambient) -> Result<Vec<&'static str>> {
        postgres::migrate(settings, ambient.now()).await
    }

    /// Returns the same store with its large bodies in a bucket.
    ///
    /// # Errors
    /// `MO-7001` if the settings make no sense.
    pub fn with_bucket(self, config: &BucketConfig) -> Result<Self> {
        let blobs = Blobs::in_bucket(config, self.vault.ambient.clone())?;
        Ok(Self { blobs: Arc::new(blobs), ..self })
    }

    /// Tells whether every process on this store runs on one machine.
    fn on_one_machine(&self) -> bool {
        matches!(self.backend, Backend::Sqlite(_))
    }

    /// Returns where bytes are received and opened that belong to rows.
    pub fn blobs(&self) -> &Arc<Blobs> {
        &self.blobs
    }

    /// Returns the vault that seals values of this store.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Returns when this process has made a job due since the last call: a hint for workers, polling is the contract.
    pub async fn job_enqueued(&self) {
        self.wake.notified().await;
    }

    /// Returns how the operations of this process went so far, by name.
    pub fn figures(&self) -> BTreeMap<&'static str, tally::Figures> {
        self.tally.figures()
    }

    /// Runs an operation as one durable transaction: when this returns `Ok`, it is on disk.
    ///
    /// The operation may run more than once, awaits nothing but its `Tx`, and has no effect outside it.
    ///
    /// # Errors
    /// What the operation returns (then nothing of it is kept), or a problem of the store itself.
    pub async fn write<T, F>(&self, name: &'static str, operation: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t, 'c> FnOnce(&'t mut Tx<'c>) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
    {
        let operation = async {
            match &self.backend {
                Backend::Sqlite(sqlite) => sqlite.write(name, operation).await,
                Backend::Postgres { database, .. } => database.write(name, operation).await,
            }
        };
        self.tally.time(name, operation).await
    }

    /// Appends an arrival to the inbox: when this returns `Ok`, it is on disk. What many callers append at the same moment is
    /// one transaction on every database, and who cannot be appended fails alone.
    ///
    /// # Errors
    /// A problem of the store.
    pub async fn arrive(&self, arrival: inbox::Arrival) -> Result<()> {
        let Backend::Postgres { arrivals, .. } = &self.backend else {
            return self.write(ARRIVE, |tx| Box::pin(async move { inbox::append(tx, &[arrival]).await })).await;
        };
        self.tally.time(ARRIVE, arrivals.write(ARRIVE, arrival)).await
    }

    /// As [`Store::write`], for operations each of whose statements sees to it by its own condition that it is still right:
    /// on PostgreSQL they run at READ COMMITTED and are not run again because others were in their way.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub async fn write_guarded<T, F>(&self, name: &'static str, operation: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t, 'c> FnOnce(&'t mut Tx<'c>) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
    {
        let operation = async {
            match &self.backend {
                Backend::Sqlite(sqlite) => sqlite.write(name, operation).await,
                Backend::Postgres { database, .. } => database.write_guarded(name, operation).await,
            }
        };
        self.tally.time(name, operation).await
    }

    /// Runs an operation that only reads, on a consistent snapshot, beside the writer.
    ///
    /// # Errors
    /// What the operation returns, or a problem of the store itself.
    pub async fn read<T, F>(&self, name: &'static str, operation: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t, 'c> FnOnce(&'t mut Tx<'c>) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
    {
        let operation = async {
            match &self.backend {
                Backend::Sqlite(sqlite) => sqlite.read(name, operation).await,
                Backend::Postgres { database, .. } => database.read(name, operation).await,
            }
        };
        self.tally.time(name, operation).await
    }
}
