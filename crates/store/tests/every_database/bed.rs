//! What the tests of the store share: a place for a store, and the databases that every test runs on.

use std::sync::Arc;
use std::time::Duration;

use model::Ambient;
use store::blobs::Credentials;
use store::postgres::Settings;
use store::{BucketConfig, Keys, Store};
use testkit::ambient::ManualClock;
use testkit::postgres::Cluster;
use testkit::s3::S3;

/// The bucket of a store that has one.
pub const BUCKET: &str = "bodies";

/// A place for one store, with a clock that only the test moves.
pub struct Bed {
    pub folder: tempfile::TempDir,
    pub ambient: Ambient,
    pub clock: Arc<ManualClock>,
    pub keys: Keys,
    /// How a database of its own is reached; without one the store is SQLite in the folder.
    pub postgres: Option<Settings>,
    /// A server with a bucket; without one large bodies lie in the folder.
    pub bucket: Option<S3>,
}

impl Bed {
    pub fn sqlite() -> Self {
        let (ambient, clock) = testkit::ambient::ambient();
        Self {
            folder: tempfile::tempdir().unwrap(),
            keys: Keys::generate(&ambient),
            ambient,
            clock,
            postgres: None,
            bucket: None,
        }
    }

    pub async fn postgres() -> Self {
        Self::postgres_in(testkit::postgres::cluster()).await
    }

    /// A place in a cluster of the test's own.
    pub async fn postgres_in(cluster: &Cluster) -> Self {
        let bed = Self::sqlite();
        let migrate = async |url: &str| Store::migrate_postgres(&Settings::new(url), &bed.ambient).await.map(drop);
        let url = cluster.migrated(migrate).await.unwrap();
        // A test that moves its clock must not find that the database's has stood still.
        Self { postgres: Some(Settings { clock_every: Duration::from_secs(3600), ..Settings::new(url) }), ..bed }
    }

    /// PostgreSQL behind a pooler that hands its connections on after every transaction.
    pub async fn pgbouncer() -> Self {
        let bed = Self::postgres().await;
        let settings = bed.postgres.unwrap();
        let url = testkit::postgres::cluster().pooled(&settings.url).await.unwrap();
        Self { postgres: Some(Settings { url, prepared: false, ..settings }), ..bed }
    }

    /// Opens the store; another time, as after a restart.
    pub async fn open(&self) -> Store {
        self.try_open(&self.keys).await.unwrap()
    }

    pub async fn try_open(&self, keys: &Keys) -> model::Result<Store> {
        let (folder, keys, ambient) = (self.folder.path(), keys.clone(), self.ambient.clone());
        let store = match &self.postgres {
            Some(settings) => Store::open_postgres(settings, folder, keys, ambient).await?,
            None => Store::open_sqlite(folder, keys, ambient).await?,
        };
        match self.bucket_config() {
            Some(config) => store.with_bucket(&config),
            None => Ok(store),
        }
    }

    /// Gives the store a bucket of its own.
    pub fn with_bucket(self) -> Self {
        let s3 = S3::start().unwrap();
        s3.bucket(BUCKET).unwrap();
        Self { bucket: Some(s3), ..self }
    }

    pub fn bucket_config(&self) -> Option<BucketConfig> {
        Some(BucketConfig {
            bucket: BUCKET.to_owned(),
            prefix: "moveout/blobs".to_owned(),
            endpoint: Some(self.bucket.as_ref()?.endpoint()),
            region: None,
            path_style: true,
            credentials: Some(Credentials {
                key: testkit::s3::ACCESS_KEY.to_owned(),
                secret: testkit::s3::SECRET_KEY.to_owned().into(),
                token: None,
            }),
        })
    }
}

impl Bed {
    /// Returns the names of all tables.
    pub async fn tables(&self, store: &Store) -> Vec<String> {
        let sql = match &self.postgres {
            Some(_) => "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'",
            None => "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        };
        let rows =
            store.read("test.tables", move |tx| Box::pin(async move { tx.query(sql, &[]).await })).await.unwrap();
        rows.iter().map(|row| row.get("name").unwrap()).collect()
    }
}

/// Runs each test on every database, and behind a pooler.
macro_rules! on_every_database {
    (@ $database:ident, $bed:expr, $($test:ident),+) => {
        mod $database {
            $(#[tokio::test]
            async fn $test() {
                super::$test($bed).await;
            })+
        }
    };
    ($($test:ident),+ $(,)?) => {
        $crate::bed::on_every_database!(@ sqlite, $crate::bed::Bed::sqlite(), $($test),+);
        $crate::bed::on_every_database!(@ postgres, $crate::bed::Bed::postgres().await, $($test),+);
        $crate::bed::on_every_database!(@ pgbouncer, $crate::bed::Bed::pgbouncer().await, $($test),+);
    };
}
pub(crate) use on_every_database;

/// Runs a repository call as one durable operation: `write!(store, |tx| jobs::claim(tx, &claim))`.
macro_rules! write {
    ($store:expr, |$tx:ident| $call:expr) => {
        $store.write("test", move |$tx| Box::pin(async move { $call.await })).await
    };
}
pub(crate) use write;
