//! PostgreSQL: somebody's application database, `postgres://user@host/db`.

mod catalog;
mod connection;
mod dialect;
mod erase;
mod errors;
mod inspect;

use std::sync::Arc;

use model::{Problem, Result, codes};

use crate::open::Described;
use crate::sql::pool::Pool;
use crate::verbs::Capabilities;

/// An application's PostgreSQL database.
pub struct Postgres {
    config: tokio_postgres::Config,
    sessions: Arc<Pool<connection::Session>>,
}

impl Postgres {
    /// Reads the address; the server is connected to when first needed.
    ///
    /// # Errors
    /// `MO-3013` if it is no address of a PostgreSQL.
    pub fn new(url: &str) -> Result<Self> {
        let mut config: tokio_postgres::Config = url.parse().map_err(|_| {
            Problem::new(&codes::transfer::SPEC_MALFORMED, "write it like postgres://user:password@host:5432/database")
        })?;
        config.application_name("moveout").connect_timeout(connection::CONNECT_TIMEOUT);
        Ok(Self { config, sessions: Pool::new() })
    }
}

/// What this adapter says of itself.
pub(crate) fn described() -> Described {
    Described {
        name: "postgres",
        capabilities: Capabilities { erases: true, ..Capabilities::default() },
        about: "an application's PostgreSQL database: finds, erases and re-reads a person by a map of its tables",
    }
}
