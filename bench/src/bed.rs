//! What every benchmark stands on.

use std::path::Path;

use engine::Engine;
use store::postgres::Settings;
use store::{Keys, Store};

/// Opens a moveout on SQLite in `folder`.
pub async fn engine(folder: &Path) -> anyhow::Result<Engine> {
    let (ambient, _) = testkit::ambient::ambient();
    let store = Store::open_sqlite(folder, Keys::generate(&ambient), ambient.clone()).await?;
    let settings = engine::Settings { public_url: "http://127.0.0.1".to_owned(), data: folder.to_owned() };
    Ok(Engine::new(store, ambient, net::Client::new(net::Policy::operator()), settings))
}

/// Opens a store on SQLite in `folder`.
pub async fn sqlite(folder: &Path) -> anyhow::Result<Store> {
    let (ambient, _) = testkit::ambient::ambient();
    Ok(Store::open_sqlite(folder, Keys::generate(&ambient), ambient).await?)
}

/// Opens a store in a PostgreSQL that acknowledges only what is on disk.
pub async fn postgres(folder: &Path) -> anyhow::Result<Store> {
    let (ambient, _) = testkit::ambient::ambient();
    let settings = Settings::new(testkit::postgres::durable().database().await?);
    Store::migrate_postgres(&settings, &ambient).await?;
    Ok(Store::open_postgres(&settings, folder, Keys::generate(&ambient), ambient).await?)
}

/// The most memory that the process has held, as Linux tells it.
pub fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.map_or_else(|| "unknown".to_owned(), |peak| peak.trim().to_owned())
}
