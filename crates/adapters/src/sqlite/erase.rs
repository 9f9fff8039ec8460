//! Erasing in a SQLite file.

use std::path::Path;

use async_trait::async_trait;
use model::catalog::Catalog;
use model::erasure::TableResult;
use model::plan::{Erased, Frozen, Plan, Survey};
use model::{Identity, Problem, Result, codes};

use super::Sqlite;
use super::connection::{Begin, SqliteConnection, drive, open};
use crate::sql;
use crate::verbs::Eraser;

/// The file, for work that is on a thread that may block already.
struct File<'a>(&'a Path);

#[async_trait]
impl sql::Transactions for File<'_> {
    type Transaction = SqliteConnection;

    async fn writing(&self) -> Result<SqliteConnection> {
        SqliteConnection::begin(self.0, Begin::Writing)
    }

    async fn commit(&self, transaction: SqliteConnection) -> Result<()> {
        transaction.commit()
    }
}

impl Sqlite {
    /// Runs work on the file, on a thread that may block.
    pub(super) async fn on_file<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let path = self.path.clone();
        tokio::task::spawn_blocking(move || work(&path))
            .await
            .map_err(|_| Problem::new(&codes::erasure::SYSTEM_UNREACHABLE, "the work on the file was broken off"))?
    }
}

#[async_trait]
impl Eraser for Sqlite {
    async fn catalog(&self) -> Result<Catalog> {
        self.on_file(|path| super::catalog::read(&open(path)?)).await
    }

    async fn survey(&self, plan: &Plan, identities: &[Identity]) -> Result<Survey> {
        let (plan, identities) = (plan.clone(), identities.to_vec());
        self.on_file(move |path| {
            let mut transaction = SqliteConnection::begin(path, Begin::Reading)?;
            drive(sql::survey(&mut transaction, &plan, &identities))
        })
        .await
    }

    async fn erase(&self, plan: &Plan, frozen: &Frozen) -> Result<Erased> {
        let (plan, frozen) = (plan.clone(), frozen.clone());
        self.on_file(move |path| drive(sql::erase(&File(path), &plan, &frozen))).await
    }

    async fn reread(&self, plan: &Plan, frozen: &Frozen) -> Result<Vec<TableResult>> {
        let (plan, frozen) = (plan.clone(), frozen.clone());
        self.on_file(move |path| {
            let mut transaction = SqliteConnection::begin(path, Begin::Reading)?;
            drive(sql::reread(&mut transaction, &plan, &frozen))
        })
        .await
    }
}
