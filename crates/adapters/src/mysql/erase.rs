//! Erasing in a MySQL or MariaDB database.

use async_trait::async_trait;
use model::catalog::Catalog;
use model::erasure::TableResult;
use model::plan::{Erased, Frozen, Plan, Survey};
use model::{Identity, Result};

use super::Mysql;
use super::connection::{Begin, MysqlConnection};
use crate::sql;
use crate::verbs::Eraser;

#[async_trait]
impl sql::Transactions for Mysql {
    type Transaction = MysqlConnection;

    async fn writing(&self) -> Result<MysqlConnection> {
        self.begin(Begin::Writing).await
    }

    async fn commit(&self, transaction: MysqlConnection) -> Result<()> {
        transaction.commit().await
    }
}

#[async_trait]
impl Eraser for Mysql {
    async fn catalog(&self) -> Result<Catalog> {
        let mut transaction = self.begin(Begin::Reading).await?;
        let database = self.address.db_name().unwrap_or_default();
        let catalog = super::catalog::read(&mut transaction, database).await?;
        transaction.commit().await?;
        Ok(catalog)
    }

    async fn survey(&self, plan: &Plan, identities: &[Identity]) -> Result<Survey> {
        let mut transaction = self.begin(Begin::Reading).await?;
        let survey = sql::survey(&mut transaction, plan, identities).await?;
        transaction.commit().await?;
        Ok(survey)
    }

    async fn erase(&self, plan: &Plan, frozen: &Frozen) -> Result<Erased> {
        sql::erase(self, plan, frozen).await
    }

    async fn reread(&self, plan: &Plan, frozen: &Frozen) -> Result<Vec<TableResult>> {
        let mut transaction = self.begin(Begin::Reading).await?;
        let tables = sql::reread(&mut transaction, plan, frozen).await?;
        transaction.commit().await?;
        Ok(tables)
    }
}
