//! What the tests of the store share: a place for a store, and the databases that every test runs on.

use std::sync::Arc;

use model::Ambient;
use store::{Keys, Store};
use testkit::ambient::ManualClock;

/// A place for one store, with a clock that only the test moves.
pub struct Bed {
    pub folder: tempfile::TempDir,
    pub ambient: Ambient,
    pub clock: Arc<ManualClock>,
    pub keys: Keys,
    /// The address of a database of its own; without one the store is SQLite in the folder.
    pub postgres: Option<String>,
}

impl Bed {
    pub fn sqlite() -> Self {
        let (ambient, clock) = testkit::ambient::ambient();
        Self { folder: tempfile::tempdir().unwrap(), keys: Keys::generate(&ambient), ambient, clock, postgres: None }
    }

    pub async fn postgres() -> Self {
        Self { postgres: Some(testkit::postgres::cluster().database().await.unwrap()), ..Self::sqlite() }
    }

    /// Opens the store; another time, as after a restart.
    pub async fn open(&self) -> Store {
        self.try_open(&self.keys).await.unwrap()
    }

    pub async fn try_open(&self, keys: &Keys) -> model::Result<Store> {
        let (folder, keys, ambient) = (self.folder.path(), keys.clone(), self.ambient.clone());
        match &self.postgres {
            Some(url) => Store::open_postgres(url, folder, keys, ambient).await,
            None => Store::open_sqlite(folder, keys, ambient).await,
        }
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

/// Runs each test on every database.
macro_rules! on_every_database {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $test() {
                super::$test(crate::bed::Bed::sqlite()).await;
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $test() {
                super::$test(crate::bed::Bed::postgres().await).await;
            })+
        }
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
