//! An installation with a small database of people beside it, on SQLite or PostgreSQL.

use std::path::PathBuf;
use std::sync::Arc;

use engine::backup::{self, Restored, Taken};
use engine::{Engine, Settings, erasure, jobs, world};
use jiff::SignedDuration;
use model::erasure::RequestView;
use model::world::SecretRef;
use model::{Ambient, Result};
use store::{Keys, Store, params};
use testkit::ambient::ManualClock;

const WORLD: &str = r#"{"app": [{"name": "shop", "secrets": ["env:APP"]}], "system": [{
    "name": "people", "adapter": "sqlite", "url": "sqlite:{folder}/people.db",
    "table": [{"name": "people", "identity": {"asid": "asid"}}]}]}"#;

pub struct House {
    pub folder: tempfile::TempDir,
    pub engine: Engine,
    pub store: Store,
    pub clock: Arc<ManualClock>,
    ambient: Ambient,
    pub keys: Keys,
    postgres: Option<String>,
}

impl House {
    pub async fn sqlite() -> Self {
        Self::open(None, testkit::ambient::ambient()).await
    }

    pub async fn postgres() -> Self {
        let url = testkit::postgres::cluster().database().await.unwrap();
        Self::open(Some(url), testkit::ambient::ambient()).await
    }

    /// Opens another organisation's installation: what is random differs, where else it comes out the same in every house.
    pub async fn of_others() -> Self {
        let (ambient, clock) = testkit::ambient::ambient();
        ambient.random::<64>();
        Self::open(None, (ambient, clock)).await
    }

    async fn open(postgres: Option<String>, (ambient, clock): (Ambient, Arc<ManualClock>)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::from_text(&"11".repeat(32)).unwrap();
        let (store, engine) = start(folder.path(), &keys, &ambient, postgres.as_deref()).await;
        Self { folder, engine, store, clock, ambient, keys, postgres }
    }

    /// Opens the store anew, as after a restart.
    pub async fn reopen(&mut self) {
        (self.store, self.engine) =
            start(self.folder.path(), &self.keys, &self.ambient, self.postgres.as_deref()).await;
    }

    /// Makes the database of people, and declares it.
    pub async fn people(&self, count: u32) {
        let database = rusqlite::Connection::open(self.folder.path().join("people.db")).unwrap();
        database.execute_batch("CREATE TABLE people (id INTEGER PRIMARY KEY, asid TEXT)").unwrap();
        for number in 1..=count {
            database.execute("INSERT INTO people VALUES (?1, ?1)", [number.to_string()]).unwrap();
        }
        let folder = self.folder.path().display().to_string();
        let declared = serde_json::from_str(&WORLD.replace("{folder}", &folder)).unwrap();
        let resolve = |secret: &SecretRef| match secret.0.as_str() {
            "env:APP" => Ok("the app's secret".to_owned()),
            plain => Ok(plain.to_owned()),
        };
        world::apply(&self.engine, declared, &resolve).await.unwrap();
    }

    pub fn people_left(&self) -> i64 {
        let database = rusqlite::Connection::open(self.folder.path().join("people.db")).unwrap();
        database.query_row("SELECT count(*) FROM people", [], |row| row.get(0)).unwrap()
    }

    /// Erases a person, a second after what was before.
    pub async fn erase(&self, number: u32) -> RequestView {
        self.clock.advance(SignedDuration::from_secs(1));
        let view = self.ask(number).await;
        jobs::drain(&self.engine).await.unwrap();
        erasure::show(&self.engine, &view.id).await.unwrap()
    }

    pub async fn ask(&self, number: u32) -> RequestView {
        let identity = format!("asid:{number}").parse().unwrap();
        erasure::request(&self.engine, "shop", vec![identity], "cli").await.unwrap()
    }

    /// Keeps bytes for an account and returns the blob's id.
    pub async fn keep(&self, bytes: Vec<u8>) -> String {
        let mut receiving = self.store.blobs().receive();
        receiving.write(&bytes).await.unwrap();
        let received = receiving.finish().await.unwrap();
        let keep = self
            .store
            .write("test.keep", move |tx| Box::pin(async move { store::blobs::keep(tx, "account", &received).await }));
        keep.await.unwrap()
    }

    /// Returns the bytes of a blob.
    pub async fn bytes(&self, id: &str) -> Vec<u8> {
        use futures_util::TryStreamExt;
        let id = id.to_owned();
        let find = self.store.read("test.blob", move |tx| Box::pin(async move { store::blobs::find(tx, &id).await }));
        let blob = find.await.unwrap().unwrap();
        let chunks: Vec<_> = self.store.blobs().open(blob).await.unwrap().try_collect().await.unwrap();
        chunks.concat()
    }

    /// Runs a statement on the store by hand.
    pub async fn tamper(&self, sql: &'static str) {
        let tamper = self.store.write("test.tamper", move |tx| Box::pin(async move { tx.exec(sql, params![]).await }));
        assert!(tamper.await.unwrap() > 0, "{sql} touches nothing");
    }

    /// Takes a backup a second after what was before.
    pub async fn back_up(&self, name: &str) -> (PathBuf, Taken) {
        self.clock.advance(SignedDuration::from_secs(1));
        let path = self.folder.path().join(name);
        let taken = backup::take(&self.engine, &path).await.unwrap();
        (path, taken)
    }

    /// Checks and restores a backup, and opens the store anew where that went well.
    pub async fn restore(&mut self, path: &std::path::Path, force: bool) -> Result<Restored> {
        self.clock.advance(SignedDuration::from_secs(1));
        let checked = backup::check(path, &self.keys, &self.ambient)?;
        let restored = backup::restore(&self.engine, checked, force).await?;
        self.reopen().await;
        Ok(restored)
    }
}

async fn start(folder: &std::path::Path, keys: &Keys, ambient: &Ambient, postgres: Option<&str>) -> (Store, Engine) {
    let data = folder.join("data");
    let (keys, ours) = (keys.clone(), ambient.clone());
    let store = match postgres {
        Some(url) => {
            let settings = store::postgres::Settings::new(url);
            Store::migrate_postgres(&settings, ambient).await.unwrap();
            Store::open_postgres(&settings, &data, keys, ours).await.unwrap()
        }
        None => Store::open_sqlite(&data, keys, ours).await.unwrap(),
    };
    let settings = Settings { public_url: "https://moveout.example".to_owned(), data };
    let engine = Engine::new(store.clone(), ambient.clone(), net::Client::new(net::Policy::operator()), settings)
        .with_mirror(&folder.join("mirror"));
    (store, engine)
}
