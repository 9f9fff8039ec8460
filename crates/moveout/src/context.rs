//! What a command works with: settings, output, clock, and the engine over the opened store.

use std::path::PathBuf;

use engine::{Engine, Settings};
use model::world::SecretRef;
use model::{Ambient, Problem, codes};
use store::Store;

use crate::config::{Config, Environment, GivenKeys};
use crate::output::Out;
use crate::{secrets, system};

/// What a command works with.
pub struct Context {
    /// The settings.
    pub config: Config,
    /// Where its words go.
    pub out: Out,
    /// The clock and ids.
    pub ambient: Ambient,
    /// The environment variables.
    pub environment: Environment,
}

impl Context {
    /// Creates it on the machine's clock.
    pub fn new(config: Config, environment: Environment, out: Out) -> Self {
        Self { config, out, ambient: system::ambient(), environment }
    }

    /// Opens the store (creating it if there is none, unless it is in PostgreSQL) and returns the engine over it.
    pub async fn engine(&self) -> anyhow::Result<Engine> {
        self.engine_at(self.config.public_url()).await
    }

    /// Opens the store and returns the engine of a server that outsiders reach under this URL.
    pub async fn engine_at(&self, public_url: String) -> anyhow::Result<Engine> {
        Ok(self.engine_over(self.store().await?, public_url))
    }

    /// Opens the store, creating it if there is none, unless it is in PostgreSQL.
    pub async fn store(&self) -> anyhow::Result<Store> {
        let data = self.config.data.clone();
        let (given, ambient) = (self.config.keys.as_ref(), self.ambient.clone());
        let store = match &self.config.postgres {
            Some(settings) => {
                let keys = secrets::given_keys(given)?;
                secrets::create_private(&data).map_err(|cause| {
                    Problem::new(&codes::config::FILE_UNWRITABLE, format!("{}: {cause}", data.display()))
                        .caused_by(cause)
                })?;
                Store::open_postgres(settings, &data, keys, ambient).await?
            }
            None => Store::open_sqlite(&data, secrets::master_keys(&data, given, &ambient)?, ambient).await?,
        };
        Ok(match &self.config.bucket {
            Some(bucket) => store.with_bucket(bucket)?,
            None => store,
        })
    }

    /// Returns the engine over an opened store.
    pub fn engine_over(&self, store: Store, public_url: String) -> Engine {
        let settings = Settings { public_url, data: self.config.data.clone() };
        let engine =
            Engine::new(store, self.ambient.clone(), self.net(), settings).with_mailer(self.config.mailer.clone());
        match &self.config.ledger_mirror {
            Some(folder) => engine.with_mirror(folder),
            None => engine,
        }
    }

    /// Returns the master keys of a store that was there before: none are made.
    pub fn existing_keys(&self) -> model::Result<store::Keys> {
        secrets::existing_keys(&self.config.data, self.config.keys.as_ref())
    }

    /// Returns the file of the master keys, if they lie in one.
    pub fn key_file(&self) -> Option<PathBuf> {
        match &self.config.keys {
            Some(GivenKeys::File(path)) => Some(path.clone()),
            Some(GivenKeys::Text(_)) => None,
            None => Some(secrets::key_file(&self.config.data)),
        }
    }

    /// Returns the client for addresses that the operator typed.
    pub fn net(&self) -> net::Client {
        net::Client::new(net::Policy::operator())
    }

    /// Resolves a reference to a secret, where files are relative to `folder`.
    pub fn resolve(&self, reference: &SecretRef, folder: &std::path::Path) -> model::Result<String> {
        secrets::resolve(reference, folder, &self.environment)
    }
}
