//! Redis and Valkey: the keys of somebody's cache or session store, `redis://:password@host:6379/0`, or `rediss://` with TLS.

mod commands;
mod erase;
mod errors;

use std::time::Duration;

use model::{Problem, Result, codes};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ClientTlsConfig, TlsCertificates};
use tokio::sync::Mutex;

use self::commands::Commands;
use crate::open::{Context, Described};
use crate::spec::Spec;
use crate::verbs::Capabilities;

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an answer may take: a server that saves or loads its data can be silent for a while.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);

/// A key-value store that speaks Redis' protocol.
pub struct Redis {
    client: Client,
    /// The connection that was opened last; those that broke are replaced.
    connection: Mutex<Option<MultiplexedConnection>>,
}

impl Redis {
    /// Reads the address; the server is connected to when first needed.
    ///
    /// The secret `ca` (PEM) is the authority that the server's certificate comes from, where it is none of the machine's;
    /// `certificate` and `key` (PEM) are our own, where the server asks for one.
    ///
    /// # Errors
    /// `MO-3013` if it is no address of a Redis, or a certificate is not well formed.
    pub fn new(spec: &Spec, context: &Context) -> Result<Self> {
        let secret = |name: &str| context.secrets.get(name).map(|secret| secret.expose().as_bytes().to_vec());
        let malformed = |detail| Problem::new(&codes::transfer::SPEC_MALFORMED, detail);
        let client_tls = match (secret("certificate"), secret("key")) {
            (Some(client_cert), Some(client_key)) => Some(ClientTlsConfig { client_cert, client_key }),
            (None, None) => None,
            _ => return Err(malformed("the secrets certificate and key belong together")),
        };
        let root_cert = secret("ca");
        let address = || "write it like redis://user:password@host:6379/0; rediss:// is with TLS";
        let client = if client_tls.is_some() || root_cert.is_some() {
            Client::build_with_tls(spec.target.as_str(), TlsCertificates { client_tls, root_cert })
        } else {
            Client::open(spec.target.as_str())
        };
        Ok(Self { client: client.map_err(|_| malformed(address()))?, connection: Mutex::default() })
    }

    /// Opens a connection, also where one is open: that may have died without a word.
    async fn connect(&self) -> Result<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(ANSWER_TIMEOUT));
        let connected = self.client.get_multiplexed_async_connection_with_config(&config).await;
        let connection = connected.map_err(|error| errors::unreachable(&error))?;
        *self.connection.lock().await = Some(connection.clone());
        Ok(connection)
    }

    async fn commands(&self) -> Result<Commands> {
        let open = self.connection.lock().await.clone();
        match open {
            Some(connection) => Ok(Commands(connection)),
            None => self.connect().await.map(Commands),
        }
    }

    /// Passes a result on, and lets go of a connection that was lost.
    async fn noticed<T>(&self, result: Result<T>) -> Result<T> {
        if matches!(&result, Err(problem) if problem.is(&codes::erasure::SYSTEM_UNREACHABLE)) {
            *self.connection.lock().await = None;
        }
        result
    }
}

/// What this adapter says of itself.
pub(crate) fn described() -> Described {
    Described {
        name: "redis",
        capabilities: Capabilities { erases: true, ..Capabilities::default() },
        about: "a Redis or Valkey: erases and re-reads keys, patterns, fields of hashes, members of sets and lists",
    }
}
