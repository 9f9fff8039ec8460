//! PostgreSQL: a pool of connections, a serializable transaction for each operation, run again when another one was in its way.
//!
//! The connection is not encrypted: the database is on this machine, or on a network that keeps strangers out.

mod values;

use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use model::{Problem, Result, codes};
use tokio::sync::Notify;
use tokio_postgres::{IsolationLevel, NoTls};

use crate::tx::Tx;
use crate::vault::Vault;
use crate::{error, migrations};

pub(crate) use values::{exec, query};

/// How many transactions run at once.
const CONNECTIONS: usize = 16;
/// How often a connection is tried; at the longest pauses that is about half a minute.
const PATIENCE: u32 = 16;
/// The longest pause before an operation is run again. The first is a hundredth of it.
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// A store in a PostgreSQL database.
#[derive(Clone)]
pub struct Postgres {
    pool: Pool,
    vault: Arc<Vault>,
    wake: Arc<Notify>,
    /// What to add to our clock to get the database's.
    skew: SignedDuration,
}

/// How a try went wrong, and how often the operation is worth running.
struct Trouble {
    problem: Problem,
    tries: u32,
}

impl Trouble {
    fn new(name: &str, cause: tokio_postgres::Error) -> Self {
        Self { tries: error::tries(&cause), problem: error::postgres(name, cause) }
    }
}

impl Postgres {
    /// Connects to the database, migrates it as needed, and unlocks the vault.
    pub(crate) async fn open(url: &str, vault: Vault, wake: Arc<Notify>) -> Result<(Self, Arc<Vault>)> {
        // The text of a parse error may hold parts of the address, which holds a password.
        let config: tokio_postgres::Config = url.parse().map_err(|_| {
            Problem::new(&codes::config::CONFIG_INVALID, "store.url is not of the form postgres://USER@HOST/DATABASE")
        })?;
        let manager = Manager::from_config(config, NoTls, ManagerConfig { recycling_method: RecyclingMethod::Fast });
        let pool = Pool::builder(manager).max_size(CONNECTIONS).build().map_err(|cause| {
            Problem::new(&codes::store::UNAVAILABLE, "the connection pool cannot be made").caused_by(cause)
        })?;
        let mut client = connect(&pool, "migrate").await?;
        migrations::migrate_postgres(&mut client, vault.ambient.now()).await?;
        let skew = skew(&client, vault.ambient.now()).await?;
        drop(client);
        let locked = Self { pool, vault: Arc::new(vault), wake, skew };
        let root = locked.write("vault.unlock", |tx| Box::pin(Vault::unlock(tx))).await?;
        let vault = Arc::new(locked.vault.rooted(root));
        Ok((Self { vault: vault.clone(), ..locked }, vault))
    }

    pub(crate) async fn write<T, F>(&self, name: &'static str, operation: F) -> Result<T>
    where
        F: for<'t, 'c> FnOnce(&'t mut Tx<'c>) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
    {
        self.until_it_goes_well(name, IsolationLevel::Serializable, false, operation).await
    }

    pub(crate) async fn write_guarded<T, F>(&self, name: &'static str, operation: F) -> Result<T>
    where
        F: for<'t, 'c> FnOnce(&'t mut Tx<'c>) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
    {
        self.until_it_goes_well(name, IsolationLevel::ReadCommitted, false, operation).await
    }

    pub(crate) async fn read<T, F>(&self, name: &'static str, operation: F) -> Result<T>
    where
        F: for<'t, 'c> FnOnce(&'t mut Tx<'c>) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
    {
        self.until_it_goes_well(name, IsolationLevel::RepeatableRead, true, operation).await
    }

    async fn until_it_goes_well<T, F>(
        &self,
        name: &'static str,
        isolation: IsolationLevel,
        read_only: bool,
        operation: F,
    ) -> Result<T>
    where
        F: for<'t, 'c> FnOnce(&'t mut Tx<'c>) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
    {
        let mut tries = 1;
        loop {
            match self.once(name, isolation, read_only, operation.clone()).await {
                Ok(value) => return Ok(value),
                Err(trouble) if tries < trouble.tries => {
                    tracing::debug!(problem = %trouble.problem, name, tries, "operation is run again");
                    tokio::time::sleep(self.pause(tries)).await;
                    tries += 1;
                }
                Err(trouble) => return Err(trouble.problem),
            }
        }
    }

    /// Runs the operation in one transaction.
    async fn once<T, F>(
        &self,
        name: &'static str,
        isolation: IsolationLevel,
        read_only: bool,
        operation: F,
    ) -> Result<T, Trouble>
    where
        F: for<'t, 'c> FnOnce(&'t mut Tx<'c>) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
    {
        let mut client = connect(&self.pool, name).await.map_err(|problem| Trouble { problem, tries: PATIENCE })?;
        let begun = client.build_transaction().isolation_level(isolation).read_only(read_only).start().await;
        let transaction = begun.map_err(|cause| Trouble::new(name, cause))?;
        let mut tx = Tx::postgres(name, &transaction, &self.vault, self.skew);
        let result = operation(&mut tx).await;
        let (tries, enqueued) = (tx.tries, tx.enqueued);
        // Without a commit the transaction is rolled back when it is dropped.
        let value = result.map_err(|problem| Trouble { problem, tries })?;
        transaction.commit().await.map_err(|cause| {
            // When the connection breaks here nobody knows whether it is kept, so it is not simply run again.
            let unclear = cause.code().is_none();
            let trouble = Trouble::new(name, cause);
            if unclear { Trouble { tries: 1, ..trouble } } else { trouble }
        })?;
        if enqueued {
            self.wake.notify_one();
        }
        Ok(value)
    }

    /// Grows with each try, with jitter, so that operations that were in each other's way part.
    fn pause(&self, tries: u32) -> Duration {
        let most = (LONGEST_PAUSE / 100).saturating_mul(1 << tries.min(10)).min(LONGEST_PAUSE);
        let [byte] = self.vault.ambient.random::<1>();
        most * (u32::from(byte) + 1) / 256
    }
}

async fn connect(pool: &Pool, name: &str) -> Result<Object> {
    pool.get().await.map_err(|cause| {
        Problem::new(&codes::store::UNAVAILABLE, format!("in {name}: no connection to PostgreSQL")).caused_by(cause)
    })
}

/// Measures how far the database's clock is ahead of ours: leases are made and judged by its clock alone, on every machine.
async fn skew(client: &Object, now: Timestamp) -> Result<SignedDuration> {
    let sql = "SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::BIGINT";
    let row = client.query_one(sql, &[]).await.map_err(|cause| error::postgres("open", cause))?;
    Ok(SignedDuration::from_micros(row.get::<_, i64>(0).saturating_sub(now.as_microsecond())))
}
