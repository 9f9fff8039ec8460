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
}

impl Bed {
    pub fn sqlite() -> Self {
        let (ambient, clock) = testkit::ambient::ambient();
        Self { folder: tempfile::tempdir().unwrap(), keys: Keys::generate(&ambient), ambient, clock }
    }

    /// Opens the store; another time, as after a restart.
    pub async fn open(&self) -> Store {
        Store::open_sqlite(self.folder.path(), self.keys.clone(), self.ambient.clone()).await.unwrap()
    }
}

impl Bed {
    /// Returns the names of all tables.
    pub async fn tables(&self, store: &Store) -> Vec<String> {
        let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
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
