//! A database of an application, with the verbs of its adapter.

use std::sync::Arc;

use adapters::{Context, Eraser, Spec, open_eraser};
use model::Identity;
use model::erasure::TableResult;
use model::plan::{Erased, Plan, Survey};
use model::world::Table;
use testkit::database::Kind;

/// One database, empty at first.
pub struct Database(testkit::database::Database);

impl std::ops::Deref for Database {
    type Target = testkit::database::Database;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// What became of a person.
#[derive(Debug)]
pub struct Outcome {
    pub survey: Survey,
    pub erased: Erased,
    pub reread: Vec<TableResult>,
}

impl Outcome {
    /// Counts of a table: found, erased, kept, and remaining when read again.
    pub fn of(&self, table: &str) -> (u64, u64, u64, u64) {
        let named = |tables: &[TableResult]| tables.iter().find(|result| result.name == table).cloned().unwrap();
        let (erased, reread) = (named(&self.erased.tables), named(&self.reread));
        assert_eq!(erased.kept, reread.kept, "{table}: what was kept is there when read again");
        (erased.found, erased.erased, erased.kept, reread.remaining)
    }
}

impl Database {
    pub async fn new(kind: Kind) -> Self {
        Self(testkit::database::Database::new(kind).await)
    }

    /// Another one of the same kind.
    pub async fn another(&self) -> Self {
        Self::new(self.kind()).await
    }

    pub fn is_sqlite(&self) -> bool {
        self.kind() == Kind::Sqlite
    }

    /// Connects to a PostgreSQL as the application would.
    pub async fn client(&self) -> tokio_postgres::Client {
        let (client, connection) = tokio_postgres::connect(self.address(), tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    pub async fn eraser(&self) -> Arc<dyn Eraser> {
        let spec: Spec = self.address().parse().unwrap();
        let context = Context::new(net::Client::new(net::Policy::operator()));
        open_eraser(&spec, &context).await.unwrap()
    }

    pub async fn plan(&self, map: &serde_json::Value) -> Result<Plan, Vec<String>> {
        let tables: Vec<Table> = serde_json::from_value(map.clone()).unwrap();
        let catalog = self.eraser().await.catalog().await.unwrap();
        let plan = engine::erasure::plan::plan(&catalog, &tables);
        plan.map(|plan| Plan { as_of: Some(testkit::ambient::ambient().0.now()), ..plan })
            .map_err(|reasons| reasons.iter().map(ToString::to_string).collect())
    }

    /// Surveys, and returns what stands in the way as words.
    pub async fn blockers(&self, map: &serde_json::Value, identities: &[&str]) -> Vec<String> {
        let plan = self.plan(map).await.unwrap();
        let eraser = self.eraser().await;
        let survey = eraser.survey(&plan, &parse(identities)).await.unwrap();
        if let Some(first) = survey.blockers.first() {
            let refused = eraser.erase(&plan, &survey.frozen).await.unwrap_err();
            assert_eq!(refused.reason(), *first, "erasing looks again for what stands in the way");
        }
        survey.blockers.iter().map(ToString::to_string).collect()
    }

    /// Forgets a person: survey, erase, read again.
    pub async fn forget(&self, map: &serde_json::Value, identities: &[&str]) -> Outcome {
        let plan = self.plan(map).await.unwrap();
        self.carry_out(&plan, identities).await
    }

    pub async fn carry_out(&self, plan: &Plan, identities: &[&str]) -> Outcome {
        let eraser = self.eraser().await;
        let survey = eraser.survey(plan, &parse(identities)).await.unwrap();
        assert!(survey.blockers.is_empty(), "{:?}", survey.blockers);
        let erased = eraser.erase(plan, &survey.frozen).await.unwrap();
        let reread = eraser.reread(plan, &survey.frozen).await.unwrap();
        let again = eraser.erase(plan, &survey.frozen).await.unwrap();
        assert!(again.tables.iter().all(|table| table.erased == 0 && table.found == 0), "erasing twice: {again:?}");
        Outcome { survey, erased, reread }
    }
}

pub fn parse(identities: &[&str]) -> Vec<Identity> {
    identities.iter().map(|text| text.parse().unwrap()).collect()
}
