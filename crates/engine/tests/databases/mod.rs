//! Runs a suite on every database: a store that a test opens is where the wrapper of the test says.

use std::path::Path;
use std::time::Duration;

use model::Ambient;
use store::postgres::Settings;
use store::{Keys, Store};

/// The file in which a folder remembers its database.
pub const STORE_URL: &str = "store-url";

tokio::task_local! {
    /// Set while a test runs on PostgreSQL.
    static ON_POSTGRES: ();
}

/// Runs a test on PostgreSQL.
pub async fn on_postgres(test: impl Future<Output = ()>) {
    ON_POSTGRES.scope((), test).await;
}

/// Opens the store of a folder; another time, as after a restart.
pub async fn open(folder: &Path, keys: Keys, ambient: Ambient) -> Store {
    if ON_POSTGRES.try_with(|()| ()).is_err() {
        return Store::open_sqlite(folder, keys, ambient).await.unwrap();
    }
    let note = folder.join(STORE_URL);
    let url = match std::fs::read_to_string(&note) {
        Ok(url) => url,
        Err(_) => {
            let migrate = async |url: &str| Store::migrate_postgres(&Settings::new(url), &ambient).await.map(drop);
            let url = testkit::postgres::cluster().migrated(migrate).await.unwrap();
            std::fs::create_dir_all(folder).unwrap();
            std::fs::write(&note, &url).unwrap();
            url
        }
    };
    // A test that moves its clock must not find that the database's has stood still.
    let settings = Settings { clock_every: Duration::from_secs(3600), ..Settings::new(url) };
    Store::open_postgres(&settings, folder, keys, ambient).await.unwrap()
}

/// Runs each test on every database.
macro_rules! on_every_database {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $test() {
                super::$test().await;
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $test() {
                crate::databases::on_postgres(super::$test()).await;
            })+
        }
    };
}
pub(crate) use on_every_database;
