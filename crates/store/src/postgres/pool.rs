//! The connections, and what it means when there is none.

use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, PoolError, RecyclingMethod, Runtime, Timeouts};
use model::{Problem, Result, codes};

use super::settings::Settings;
use super::values::Statements;
use crate::error::{MANY, Trouble};

/// How many transactions run at once.
const CONNECTIONS: usize = 16;
/// How long a new connection may take.
const TO_CONNECT: Duration = Duration::from_secs(5);
/// How long an operation waits for one of the connections before it counts as a try.
const TO_WAIT: Duration = Duration::from_secs(10);

/// The connections to a database.
#[derive(Clone)]
pub(super) struct Pool {
    connections: deadpool_postgres::Pool,
    pub(super) statements: Statements,
}

impl Pool {
    /// Makes a pool that connects when it is first asked.
    pub(super) fn new(settings: &Settings) -> Result<Self> {
        let (mut config, tls) = settings.parse()?;
        // A peer that is gone without a word is noticed within a minute.
        config.connect_timeout(TO_CONNECT).tcp_user_timeout(Duration::from_secs(30));
        config
            .keepalives_idle(Duration::from_secs(20))
            .keepalives_interval(Duration::from_secs(10))
            .keepalives_retries(3);
        let manager = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let builder = deadpool_postgres::Pool::builder(Manager::from_config(config, tls, manager));
        let timeouts = Timeouts { wait: Some(TO_WAIT), create: Some(TO_CONNECT * 2), recycle: None };
        let made = builder.max_size(CONNECTIONS).runtime(Runtime::Tokio1).timeouts(timeouts).build();
        let connections = made.map_err(|cause| {
            Problem::new(&codes::store::UNAVAILABLE, "the connection pool cannot be made").caused_by(cause)
        })?;
        let statements = if settings.prepared { Statements::Prepared } else { Statements::Unprepared };
        Ok(Self { connections, statements })
    }

    /// Returns a connection that nobody else uses.
    pub(super) async fn connect(&self, name: &str) -> Result<Object, Trouble> {
        self.connections.get().await.map_err(|cause| refused(name, cause))
    }
}

fn refused(name: &str, cause: PoolError) -> Trouble {
    let (detail, tries) = match &cause {
        // A name or a password that is wrong does not become right by waiting.
        PoolError::Backend(refusal) => match refusal.code() {
            Some(state) => (
                format!("PostgreSQL refuses the connection with SQLSTATE {}", state.code()),
                crate::error::tries(refusal),
            ),
            None => ("no connection to PostgreSQL".to_owned(), MANY),
        },
        _ => ("all connections to PostgreSQL are in use".to_owned(), MANY),
    };
    let problem = Problem::new(&codes::store::UNAVAILABLE, format!("in {name}: {detail}")).caused_by(cause);
    Trouble { problem, tries }
}
