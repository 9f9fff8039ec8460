//! A small shop whose people ask to be forgotten: its SQLite database, its declaration, and the platform that calls back.

use std::path::Path;
use std::sync::Arc;

use engine::erasure::Accepted;
use engine::{Engine, Settings, erasure, jobs, world};
use jiff::{SignedDuration, Timestamp};
use model::erasure::RequestView;
use model::{Ambient, Result};
use store::{Keys, Store};

use crate::databases;
use testkit::ambient::ManualClock;
use wire::signed_request::{self, Payload, Secret};

/// The secret of every app here.
const SECRET: &str = "the app's secret";

/// Anna (1) has posts, comments and an invoice; Ben (2) has no invoice; Cem (3) comments on Anna's post.
pub const PEOPLE: &str = "
CREATE TABLE users (id INTEGER PRIMARY KEY, facebook_id TEXT, email TEXT, name TEXT);
CREATE TABLE posts (id INTEGER PRIMARY KEY, author_id INTEGER NOT NULL REFERENCES users(id), text TEXT);
CREATE TABLE comments (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users(id), post_id INTEGER NOT NULL REFERENCES posts(id), text TEXT);
CREATE TABLE invoices (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users(id), number TEXT, total INTEGER, issued_at TEXT, address TEXT);
INSERT INTO users VALUES (1, '1001', 'anna@example.org', 'Anna'), (2, '1002', 'ben@example.org', 'Ben'), (3, '1003', 'cem@example.org', 'Cem');
INSERT INTO posts VALUES (10, 1, 'Hello'), (11, 1, 'Again'), (20, 2, 'Moin');
INSERT INTO comments VALUES (100, 1, 20, 'by Anna'), (101, 3, 10, 'by Cem under Anna'), (102, 3, 20, 'by Cem under Ben');
INSERT INTO invoices VALUES (500, 1, 'R-1', 1999, '2026-03-04', 'Street 1');
";

const APP: &str = r#"{"name": "shop", "secrets": ["env:APP"], "contact": "privacy@shop.example"}"#;

const MAIN_DB: &str = r#"{
    "name": "main-db", "label": "Shop database", "adapter": "sqlite", "url": "sqlite:{folder}/shop.db", "backups_kept": "35d",
    "table": [
        {"name": "users", "identity": {"facebook_id": "asid", "email": "email"}},
        {"name": "posts", "owner": {"author_id": "users.id"}},
        {"name": "comments", "owner": {"user_id": "users.id"}, "container": {"post_id": "posts.id", "on_erase": "delete"}},
        {"name": "invoices", "owner": {"user_id": "users.id"}, "keep": {"columns": ["number", "total", "issued_at"],
            "ground": "legal-obligation", "law": "HGB §257 (4)", "for": "8y", "from": "issued_at", "round": "year_end"}}
    ]
}"#;

/// The shop, and moveout beside it.
pub struct Shop {
    pub folder: tempfile::TempDir,
    pub engine: Engine,
    pub store: Store,
    pub clock: Arc<ManualClock>,
    ambient: Ambient,
    keys: Keys,
}

impl Shop {
    /// Opens a shop with its main database and the usual declaration.
    pub async fn open() -> Self {
        let shop = Self::bare().await;
        shop.sql("shop.db", PEOPLE);
        shop.declare(&shop.declaration(&[]), |_| {}).await;
        shop
    }

    /// Opens a moveout that knows of nothing.
    pub async fn bare() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (ambient, clock) = testkit::ambient::ambient();
        let keys = Keys::generate(&ambient);
        let (store, engine) = start(folder.path(), &keys, &ambient).await;
        Self { folder, engine, store, clock, ambient, keys }
    }

    /// Lets the process die and starts another one on the same store.
    pub async fn restart(&mut self) {
        let (store, engine) = start(self.folder.path(), &self.keys, &self.ambient).await;
        (self.store, self.engine) = (store, engine);
    }

    /// Returns the declaration of the shop with further systems.
    pub fn declaration(&self, more: &[&str]) -> String {
        let systems = [&[MAIN_DB], more].concat().join(",");
        let folder = self.folder.path().display().to_string();
        format!(r#"{{"app": [{APP}], "system": [{systems}]}}"#).replace("{folder}", &folder)
    }

    /// Applies a declaration, changed as wanted.
    pub async fn declare(&self, declaration: &str, change: impl FnOnce(&mut model::world::World)) {
        let mut declared = serde_json::from_str(declaration).unwrap();
        change(&mut declared);
        let resolve = |secret: &model::world::SecretRef| -> Result<String> {
            Ok(if secret.0 == "env:APP" { SECRET.to_owned() } else { secret.0.clone() })
        };
        world::apply(&self.engine, declared, &resolve).await.unwrap();
    }

    /// Runs SQL in one of the shop's databases.
    pub fn sql(&self, file: &str, sql: &str) {
        rusqlite::Connection::open(self.folder.path().join(file)).unwrap().execute_batch(sql).unwrap();
    }

    /// Counts in one of the shop's databases.
    pub fn count(&self, file: &str, from: &str) -> i64 {
        let database = rusqlite::Connection::open(self.folder.path().join(file)).unwrap();
        database.query_row(&format!("SELECT count(*) FROM {from}"), [], |row| row.get(0)).unwrap()
    }

    /// Tells how many rows the main database has, table by table: users, posts, comments, invoices.
    pub fn rows(&self) -> [i64; 4] {
        ["users", "posts", "comments", "invoices"].map(|table| self.count("shop.db", table))
    }

    /// Signs as the platform does.
    pub fn sign(&self, user_id: &str, issued_at: Timestamp) -> String {
        let payload =
            Payload { user_id: user_id.to_owned(), issued_at: Some(issued_at), expires: None, profile_id: None };
        signed_request::sign(&payload, &Secret::new(SECRET).unwrap()).unwrap()
    }

    /// Lets the platform call back, signed now, and does all the work that is due.
    pub async fn callback(&self, user_id: &str) -> Accepted {
        let accepted =
            erasure::accept_callback(&self.engine, "shop", &self.sign(user_id, self.ambient.now())).await.unwrap();
        jobs::drain(&self.engine).await.unwrap();
        accepted
    }

    /// Asks by the command line's door, and does all the work that is due.
    pub async fn ask(&self, identity: &str) -> RequestView {
        let identities = vec![identity.parse().unwrap()];
        let view = erasure::request(&self.engine, "shop", identities, "cli").await.unwrap();
        self.drained(&view.id).await
    }

    /// Does all the work that is due and shows a request.
    pub async fn drained(&self, id: &str) -> RequestView {
        jobs::drain(&self.engine).await.unwrap();
        erasure::show(&self.engine, id).await.unwrap()
    }

    /// Lets the retention job run now.
    pub async fn sweep(&self) {
        let enqueue = self.store.write("test.sweep", |tx| {
            Box::pin(async move { store::jobs::enqueue(tx, "retention", "all", None).await })
        });
        enqueue.await.unwrap();
        jobs::drain(&self.engine).await.unwrap();
    }

    /// Lets time pass.
    pub fn wait(&self, duration: SignedDuration) {
        self.clock.advance(duration);
    }
}

async fn start(folder: &Path, keys: &Keys, ambient: &Ambient) -> (Store, Engine) {
    let store = databases::open(&folder.join("data"), keys.clone(), ambient.clone()).await;
    let settings = Settings { public_url: "https://moveout.example".to_owned(), data: folder.join("data") };
    let engine = Engine::new(store.clone(), ambient.clone(), net::Client::new(net::Policy::operator()), settings);
    (store, engine)
}
