//! A transaction on a PostgreSQL server.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::Result;
use tokio::sync::OwnedSemaphorePermit;
use tokio_postgres::NoTls;
use tokio_postgres::config::SslMode;
use tokio_postgres::types::{ToSql, Type};

use super::dialect::PostgresDialect;
use super::{Postgres, errors};
use crate::sql::pool::Pool;
use crate::sql::{Cell, Connection, Dialect, Purpose, Statement};

/// How long a server may take to answer a connection.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// What every session needs: times as ISO 8601 in UTC, no endless waiting for locks of the application, and an error
/// where row-level security would hide rows: what is hidden would pass for erased.
const SETTINGS: &str = "SET TIME ZONE 'UTC'; SET datestyle = 'ISO'; SET intervalstyle = 'iso_8601'; SET lock_timeout = '30s'; SET standard_conforming_strings = on; SET row_security = off";

/// A connection to the server, with the task that drives it.
pub(super) struct Session {
    client: tokio_postgres::Client,
    driver: tokio::task::JoinHandle<()>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// A transaction. It goes back to the pool when it ends well; when dropped before, its connection is closed, which rolls back.
pub(crate) struct PostgresConnection {
    session: Session,
    sessions: Arc<Pool<Session>>,
    _place: Option<OwnedSemaphorePermit>,
}

/// How a transaction begins.
#[derive(Clone, Copy, Debug)]
pub(super) enum Begin {
    /// Reading one snapshot.
    Reading,
    /// Reading one snapshot, and giving up soon: a look at somebody's busy database.
    Looking,
    /// Locking what is found, and seeing what others committed before the locks were taken.
    Writing,
}

impl Postgres {
    pub(super) async fn begin(&self, how: Begin) -> Result<PostgresConnection> {
        let failed = |cause| errors::map(&cause, Purpose::Catalog, "");
        let begin = match how {
            Begin::Reading => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Begin::Looking => {
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = '5s'; SET LOCAL lock_timeout = '2s'"
            }
            Begin::Writing => "BEGIN ISOLATION LEVEL READ COMMITTED",
        };
        let (place, kept) = self.sessions.take().await;
        let ready = |session| PostgresConnection { session, sessions: self.sessions.clone(), _place: place };
        // One that broke meanwhile is dropped here.
        if let Some(session) = kept
            && session.client.batch_execute(begin).await.is_ok()
        {
            return Ok(ready(session));
        }
        if self.config.get_ssl_mode() == SslMode::Require {
            return Err(errors::no_tls());
        }
        let (client, connection) = self.config.connect(NoTls).await.map_err(|cause| errors::unreachable(&cause))?;
        let driver = tokio::spawn(async move {
            // Whoever uses the client is told of the error.
            let _ = connection.await;
        });
        let session = Session { client, driver };
        session.client.batch_execute(SETTINGS).await.map_err(failed)?;
        session.client.batch_execute(begin).await.map_err(failed)?;
        Ok(ready(session))
    }
}

impl PostgresConnection {
    pub(super) async fn commit(self) -> Result<()> {
        let committed = self.session.client.batch_execute("COMMIT").await;
        committed.map_err(|cause| errors::map(&cause, Purpose::Change, ""))?;
        self.sessions.keep(self.session);
        Ok(())
    }
}

#[async_trait]
impl Connection for PostgresConnection {
    fn dialect(&self) -> &'static dyn Dialect {
        &PostgresDialect
    }

    async fn query(&mut self, statement: &Statement) -> Result<Vec<Vec<Cell>>> {
        let params: Vec<(&(dyn ToSql + Sync), Type)> =
            statement.lists.iter().map(|list| (list as &(dyn ToSql + Sync), Type::TEXT_ARRAY)).collect();
        let failed = |cause| errors::map(&cause, statement.purpose, &statement.table);
        let rows = self.session.client.query_typed(&statement.sql, &params).await.map_err(failed)?;
        let cells = |row: &tokio_postgres::Row| (0..row.len()).map(|index| row.try_get::<_, Cell>(index)).collect();
        rows.iter().map(cells).collect::<Result<_, _>>().map_err(failed)
    }

    async fn exec(&mut self, statement: &Statement) -> Result<u64> {
        let params: Vec<(&(dyn ToSql + Sync), Type)> =
            statement.lists.iter().map(|list| (list as &(dyn ToSql + Sync), Type::TEXT_ARRAY)).collect();
        let touched = self.session.client.execute_typed(&statement.sql, &params).await;
        touched.map_err(|cause| errors::map(&cause, statement.purpose, &statement.table))
    }
}
