//! PostgreSQL: a pool of connections, a serializable transaction for each operation, run again when another one was in its way
//! or the server went away under it.

mod clock;
mod gather;
mod mark;
mod pool;
mod settings;
mod tls;
mod transaction;
mod values;

use std::sync::Arc;
use std::time::{Duration, Instant};

use deadpool_postgres::Object;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use model::{Problem, Result, codes};
use tokio::sync::Notify;

use crate::error::{self, Trouble};
use crate::migrations;
use crate::tally::Tally;
use crate::tx::Tx;
use crate::vault::Vault;

use clock::DatabaseClock;
pub(crate) use gather::Gather;
use mark::{Mark, Marks};
use pool::Pool;
pub use settings::Settings;
use transaction::Kind;
pub(crate) use transaction::Transaction;

/// The longest pause before an operation is run again. The first is a hundredth of it.
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// A store in a PostgreSQL database.
#[derive(Clone)]
pub struct Postgres {
    pool: Pool,
    vault: Arc<Vault>,
    wake: Arc<Notify>,
    clock: DatabaseClock,
    marks: Marks,
    tally: Tally,
    /// For how long an operation is run again.
    patience: Duration,
}

impl Postgres {
    /// Connects to the database, looks whether its schema is ours, and unlocks the vault.
    pub(crate) async fn open(
        settings: &Settings,
        vault: Vault,
        wake: Arc<Notify>,
        tally: Tally,
    ) -> Result<(Self, Arc<Vault>)> {
        let pool = Pool::new(settings)?;
        let client = pool.connect("open").await.map_err(|trouble| trouble.problem)?;
        migrations::runs_on(migrations::version_of_postgres(&client).await?)?;
        let failed = |cause| error::postgres("open", cause);
        let clock = DatabaseClock::new(&client, &vault.ambient, settings.clock_every).await.map_err(failed)?;
        let marks = Marks::new(&client, &vault.ambient).await?;
        drop(client);
        let locked = Self { pool, vault: Arc::new(vault), wake, clock, marks, tally, patience: settings.patience };
        let root = locked.write("vault.unlock", |tx| Box::pin(Vault::unlock(tx))).await?;
        let vault = Arc::new(locked.vault.rooted(root));
        Ok((Self { vault: vault.clone(), ..locked }, vault))
    }

    pub(crate) async fn write<T, F>(&self, name: &'static str, operation: F) -> Result<T>
    where
        F: for<'t, 'c> FnOnce(&'t mut Tx<'c>) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
    {
        self.until_it_goes_well(name, Kind::Write, operation).await
    }

    pub(crate) async fn write_guarded<T, F>(&self, name: &'static str, operation: F) -> Result<T>
    where
        F: for<'t, 'c> FnOnce(&'t mut Tx<'c>) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
    {
        self.until_it_goes_well(name, Kind::Guarded, operation).await
    }

    pub(crate) async fn read<T, F>(&self, name: &'static str, operation: F) -> Result<T>
    where
        F: for<'t, 'c> FnOnce(&'t mut Tx<'c>) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
    {
        self.until_it_goes_well(name, Kind::Read, operation).await
    }

    /// Starts to gather what many callers write in one operation.
    pub(crate) fn gather<I, F>(&self, name: &'static str, operation: F) -> Gather<I>
    where
        I: Clone + Send + Sync + 'static,
        F: for<'t, 'c> Fn(&'t mut Tx<'c>, Arc<[I]>) -> BoxFuture<'t, Result<()>> + Copy + Send + Sync + 'static,
    {
        let database = self.clone();
        Gather::start(move |items| {
            let database = database.clone();
            Box::pin(async move { database.write(name, move |tx| operation(tx, items)).await })
        })
    }

    async fn until_it_goes_well<T, F>(&self, name: &'static str, kind: Kind, operation: F) -> Result<T>
    where
        F: for<'t, 'c> FnOnce(&'t mut Tx<'c>) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
    {
        let mut patience = self.patience();
        loop {
            match self.once(name, kind, operation.clone()).await {
                Ok(value) => return Ok(value),
                Err(trouble) if patience.again(&trouble).await => self.tally.retried(name),
                Err(trouble) => return Err(trouble.problem),
            }
        }
    }

    /// Runs the operation in one transaction.
    async fn once<T, F>(&self, name: &'static str, kind: Kind, operation: F) -> Result<T, Trouble>
    where
        F: for<'t, 'c> FnOnce(&'t mut Tx<'c>) -> BoxFuture<'t, Result<T>> + Clone + Send + 'static,
    {
        let client = self.pool.connect(name).await?;
        let ahead = self.clock.ahead(&client).await.map_err(|cause| Trouble::new(name, cause))?;
        let mut transaction = Transaction::new(client, kind, self.pool.statements);
        let mut tx = Tx::postgres(name, &mut transaction, &self.vault, ahead);
        let result = operation(&mut tx).await;
        let (tries, enqueued) = (tx.tries, tx.enqueued);
        let value = match result {
            Ok(value) => value,
            Err(problem) => {
                transaction.roll_back().await;
                return Err(Trouble { problem, tries });
            }
        };
        match kind {
            Kind::Read => transaction.commit(None).await.map_err(|cause| Trouble::new(name, cause))?,
            Kind::Write | Kind::Guarded => self.commit(name, transaction).await?,
        }
        if enqueued {
            self.wake.notify_one();
        }
        Ok(value)
    }

    /// Commits; when the answer is lost, finds out what became of it.
    async fn commit(&self, name: &'static str, transaction: Transaction) -> Result<(), Trouble> {
        let mark = self.marks.fresh();
        if let Err(cause) = transaction.commit(Some(&mark)).await {
            let open = error::leaves_open(&cause);
            let trouble = Trouble::new(name, cause);
            if !open || !self.was_kept(name, &mark).await? {
                return Err(trouble);
            }
        }
        self.marks.forget(&mark, &self.pool);
        Ok(())
    }

    /// Asks the database, until it answers, whether it kept a transaction whose answer was lost.
    async fn was_kept(&self, name: &'static str, mark: &Mark) -> Result<bool, Trouble> {
        let mut patience = self.patience();
        loop {
            let answer = match self.pool.connect(name).await {
                Ok(client) => mark.was_kept(client).await.map_err(|cause| Trouble::new(name, cause)),
                Err(trouble) => Err(trouble),
            };
            match answer {
                Ok(kept) => return Ok(kept),
                Err(trouble) if patience.again(&trouble).await => {}
                Err(trouble) => {
                    let detail = format!("in {name}: PostgreSQL went away while it was saving, and does not come back");
                    let problem = Problem::new(&codes::store::OUTCOME_UNKNOWN, detail).caused_by(trouble.problem);
                    return Err(Trouble { problem, tries: 1 });
                }
            }
        }
    }

    fn patience(&self) -> Patience<'_> {
        Patience { vault: &self.vault, until: Instant::now() + self.patience, tries: 0 }
    }
}

/// How long and how often something is tried.
struct Patience<'v> {
    vault: &'v Vault,
    until: Instant,
    tries: u32,
}

impl Patience<'_> {
    /// Counts a try that failed, and waits for the next one if there is to be one. The pause grows with each try, with jitter, so
    /// that operations that were in each other's way part.
    async fn again(&mut self, trouble: &Trouble) -> bool {
        self.tries += 1;
        if self.tries >= trouble.tries || Instant::now() >= self.until {
            return false;
        }
        let most = (LONGEST_PAUSE / 100).saturating_mul(1 << self.tries.min(10)).min(LONGEST_PAUSE);
        let [byte] = self.vault.ambient.random::<1>();
        tokio::time::sleep(most * (u32::from(byte) + 1) / 256).await;
        true
    }
}

/// Brings the database to the newest schema and returns what this took.
pub(crate) async fn migrate(settings: &Settings, now: Timestamp) -> Result<Vec<&'static str>> {
    let mut client: Object = Pool::new(settings)?.connect("migrate").await.map_err(|trouble| trouble.problem)?;
    migrations::migrate_postgres(&mut client, now).await
}
