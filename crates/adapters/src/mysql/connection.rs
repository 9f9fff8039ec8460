//! A transaction on a MySQL or MariaDB server.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::Result;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Row, Value};
use tokio::sync::OwnedSemaphorePermit;

use super::dialect::MysqlDialect;
use super::{Mysql, errors};
use crate::sql::pool::Pool;
use crate::sql::{Cell, Connection, Dialect, Purpose, Statement};

/// How long a server may take to answer a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What every session needs: standard quotes and nothing that a quote within could end, values refused rather than cut
/// short, times in UTC, no endless waiting for locks of the application, foreign keys checked whatever the server's
/// default is, and no default that hides rows or gives an index up because a list is long.
const SETTINGS: &str = "SET SESSION sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES',
    time_zone = '+00:00', autocommit = 1, foreign_key_checks = 1, unique_checks = 1, sql_safe_updates = 0,
    sql_big_selects = 1, sql_select_limit = 18446744073709551615, innodb_lock_wait_timeout = 30, lock_wait_timeout = 30
    /*!50709 , range_optimizer_max_mem_size = 0 */ /*M!100308 , in_predicate_conversion_threshold = 0 */";

/// A transaction. Its connection goes back to the pool when it ends well; when dropped before, it is closed, which rolls back.
pub(crate) struct MysqlConnection {
    session: Conn,
    looking: bool,
    sessions: Arc<Pool<Conn>>,
    _place: Option<OwnedSemaphorePermit>,
}

/// How a transaction begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begin {
    /// Reading one snapshot.
    Reading,
    /// Reading one snapshot, and giving up soon: a look at somebody's busy database.
    Looking,
    /// Locking what is found, and seeing what others committed before the locks were taken.
    Writing,
}

impl Mysql {
    pub(super) async fn begin(&self, how: Begin) -> Result<MysqlConnection> {
        let (place, kept) = self.sessions.take().await;
        let looking = how == Begin::Looking;
        let ready = |session| MysqlConnection { session, looking, sessions: self.sessions.clone(), _place: place };
        // One that broke meanwhile is dropped here.
        if let Some(mut session) = kept
            && begin(&mut session, how).await.is_ok()
        {
            return Ok(ready(session));
        }
        let connecting = tokio::time::timeout(CONNECT_TIMEOUT, Conn::new(self.address.clone()));
        let mut session = match connecting.await {
            Ok(connected) => connected.map_err(|cause| errors::unreachable(&cause))?,
            Err(_) => return Err(errors::silent()),
        };
        let failed = |cause| errors::map(&cause, Purpose::Catalog, "");
        session.query_drop("SET NAMES utf8mb4 COLLATE utf8mb4_bin").await.map_err(failed)?;
        session.query_drop(SETTINGS).await.map_err(failed)?;
        begin(&mut session, how).await.map_err(failed)?;
        Ok(ready(session))
    }
}

async fn begin(session: &mut Conn, how: Begin) -> mysql_async::Result<()> {
    let (isolation, start) = match how {
        Begin::Reading | Begin::Looking => ("REPEATABLE READ", "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"),
        Begin::Writing => ("READ COMMITTED", "START TRANSACTION"),
    };
    session.query_drop(format!("SET TRANSACTION ISOLATION LEVEL {isolation}")).await?;
    session.query_drop(start).await
}

impl MysqlConnection {
    pub(super) async fn commit(mut self) -> Result<()> {
        let committed = self.session.query_drop("COMMIT").await;
        committed.map_err(|cause| errors::map(&cause, Purpose::Change, ""))?;
        self.sessions.keep(self.session);
        Ok(())
    }
}

/// Gives a query a time limit; MariaDB and MySQL each read their own and take the other's for a comment.
fn soon(query: &str) -> String {
    let limited = query.replacen("SELECT ", "SELECT /*+ MAX_EXECUTION_TIME(5000) */ ", 1);
    format!("/*M!100101 SET STATEMENT max_statement_time = 5 FOR */ {limited}")
}

fn cell(value: Value) -> Cell {
    match value {
        Value::NULL => None,
        // Answers to plain statements are text, whatever their type.
        Value::Bytes(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        other => Some(other.as_sql(true)),
    }
}

#[async_trait]
impl Connection for MysqlConnection {
    fn dialect(&self) -> &'static dyn Dialect {
        &MysqlDialect
    }

    async fn query(&mut self, statement: &Statement) -> Result<Vec<Vec<Cell>>> {
        let sql = if self.looking { soon(&statement.sql) } else { statement.sql.clone() };
        let rows: Vec<Row> =
            self.session.query(sql).await.map_err(|cause| errors::map(&cause, statement.purpose, &statement.table))?;
        Ok(rows.into_iter().map(|row| row.unwrap().into_iter().map(cell).collect()).collect())
    }

    async fn exec(&mut self, statement: &Statement) -> Result<u64> {
        let done = self.session.query_drop(statement.sql.as_str()).await;
        done.map_err(|cause| errors::map(&cause, statement.purpose, &statement.table))?;
        Ok(self.session.affected_rows())
    }
}
