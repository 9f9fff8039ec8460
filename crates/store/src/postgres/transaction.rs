//! One transaction on one connection, with as few round trips as its statements allow.

use deadpool_postgres::Object;
use futures_util::future::{join, join_all};
use tokio_postgres::Error;

use super::mark::Mark;
use super::values::Statements;
use crate::value::{Row, Value};

/// What a transaction may do and see.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Serializable.
    Write,
    /// Each statement sees what was committed before it, and sees by its own condition to it that it is still right.
    Guarded,
    /// A snapshot.
    Read,
}

impl Kind {
    fn begin(self) -> &'static str {
        match self {
            Self::Write => "BEGIN ISOLATION LEVEL SERIALIZABLE",
            Self::Guarded => "BEGIN ISOLATION LEVEL READ COMMITTED",
            Self::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        }
    }
}

/// A transaction. Dropped before its end it takes its connection with it, and the server rolls back.
pub(crate) struct Transaction {
    /// Taken when the transaction has ended well enough for the connection to serve the next.
    client: Option<Object>,
    statements: Statements,
    /// What begins it; sent together with the first statement.
    begin: Option<&'static str>,
}

impl Transaction {
    /// Prepares a transaction. Nothing is sent yet.
    pub(super) fn new(client: Object, kind: Kind, statements: Statements) -> Self {
        Self { client: Some(client), statements, begin: Some(kind.begin()) }
    }

    /// Runs a statement and returns how many rows it touched.
    pub(crate) async fn exec(&mut self, sql: &str, params: &[Value]) -> Result<u64, Error> {
        let (client, statements) = (connection(&self.client), self.statements);
        behind(client, self.begin.take(), statements.exec(client, sql, params)).await
    }

    /// Runs a query and returns its rows.
    pub(crate) async fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, Error> {
        let (client, statements) = (connection(&self.client), self.statements);
        behind(client, self.begin.take(), statements.query(client, sql, params)).await
    }

    /// Runs statements that do not depend on each other's outcome, all in one round trip. The first error is the one that counts:
    /// those behind it only say that the transaction is over.
    pub(crate) async fn exec_all(&mut self, all: &[(String, Vec<Value>)]) -> Result<u64, Error> {
        let (client, statements) = (connection(&self.client), self.statements);
        let sent = join_all(all.iter().map(|(sql, params)| statements.exec(client, sql, params)));
        let together = async { sent.await.into_iter().sum() };
        behind(client, self.begin.take(), together).await
    }

    /// Runs several statements without parameters.
    pub(crate) async fn batch(&mut self, sql: &str) -> Result<(), Error> {
        let client = connection(&self.client);
        behind(client, self.begin.take(), client.batch_execute(sql)).await
    }

    /// Commits, with the mark that tells later that it did if the answer is lost.
    pub(super) async fn commit(mut self, mark: Option<&Mark>) -> Result<(), Error> {
        if self.begin.is_none() {
            let mark = mark.map(Mark::leave).unwrap_or_default();
            let committed = connection(&self.client).batch_execute(&format!("{mark}COMMIT")).await;
            if committed.is_err() {
                self.roll_back().await;
                return committed;
            }
        }
        self.client.take();
        Ok(())
    }

    /// Ends it without effect.
    pub(super) async fn roll_back(mut self) {
        let clean = self.begin.is_some() || connection(&self.client).batch_execute("ROLLBACK").await.is_ok();
        if clean {
            self.client.take();
        }
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            // Taken out of the pool and closed.
            drop(Object::take(client));
        }
    }
}

fn connection(client: &Option<Object>) -> &Object {
    client.as_ref().expect("a transaction has its connection until it ends")
}

/// Sends what begins the transaction, if it has not begun, and the statement right behind it.
async fn behind<T>(
    client: &Object,
    begin: Option<&'static str>,
    statement: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let Some(begin) = begin else { return statement.await };
    let (begun, done) = join(client.batch_execute(begin), statement).await;
    begun.and(done)
}
