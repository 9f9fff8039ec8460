//! A database of an application, with the verbs of its adapter.

use std::sync::Arc;

use adapters::{Context, Eraser, Spec, open_eraser};
use model::Identity;
use model::erasure::TableResult;
use model::plan::{Erased, Plan, Survey};
use model::world::Table;

/// One database, empty at first.
pub struct Database {
    spec: String,
    kind: Kind,
}

enum Kind {
    Sqlite(tempfile::TempDir),
    Postgres,
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
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.db");
        // Applications create their file; the adapter never does.
        std::fs::File::create(&path).unwrap();
        Self { spec: format!("sqlite:{}", path.display()), kind: Kind::Sqlite(folder) }
    }

    pub async fn postgres() -> Self {
        Self { spec: testkit::postgres::cluster().database().await.unwrap(), kind: Kind::Postgres }
    }

    pub fn is_sqlite(&self) -> bool {
        matches!(self.kind, Kind::Sqlite(_))
    }

    fn file(&self) -> rusqlite::Connection {
        let Kind::Sqlite(folder) = &self.kind else { panic!("not a file") };
        rusqlite::Connection::open(folder.path().join("app.db")).unwrap()
    }

    /// Where it is.
    pub fn address(&self) -> &str {
        &self.spec
    }

    /// Connects to a PostgreSQL as the application would.
    pub async fn client(&self) -> tokio_postgres::Client {
        let (client, connection) = tokio_postgres::connect(&self.spec, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    /// Runs statements as the application would.
    pub async fn run(&self, statements: &str) {
        match &self.kind {
            Kind::Sqlite(_) => self.file().execute_batch(statements).unwrap(),
            Kind::Postgres => testkit::postgres::cluster().execute(&self.spec, statements).await.unwrap(),
        }
    }

    /// Lets every change of this kind (`DELETE` or `UPDATE`) of a table fail, in words that must not get out.
    pub async fn refuse(&self, verb: &str, table: &str) {
        let statements = match &self.kind {
            Kind::Sqlite(_) => format!(
                "CREATE TRIGGER refusal BEFORE {verb} ON {table} BEGIN SELECT RAISE(ABORT, 'SECRET zoe@example.org'); END"
            ),
            Kind::Postgres => format!(
                "CREATE FUNCTION refusal() RETURNS trigger LANGUAGE plpgsql AS
                   $$ BEGIN RAISE EXCEPTION 'SECRET zoe@example.org'; END $$;
                 CREATE TRIGGER refusal BEFORE {verb} ON {table} FOR EACH ROW EXECUTE FUNCTION refusal()"
            ),
        };
        self.run(&statements).await;
    }

    pub async fn allow(&self, table: &str) {
        let on = if self.is_sqlite() { String::new() } else { format!(" ON {table}") };
        self.run(&format!("DROP TRIGGER refusal{on}")).await;
    }

    /// Returns every row of a query as text, columns joined by `|`, null as `-`.
    pub async fn rows(&self, query: &str) -> Vec<String> {
        let shown = |cells: Vec<Option<String>>| {
            cells.into_iter().map(|cell| cell.unwrap_or_else(|| "-".to_owned())).collect::<Vec<_>>().join("|")
        };
        match &self.kind {
            Kind::Sqlite(_) => {
                let file = self.file();
                let mut statement = file.prepare(query).unwrap();
                let columns = statement.column_count();
                let text = |row: &rusqlite::Row<'_>, index| {
                    use rusqlite::types::Value;
                    match row.get(index).unwrap() {
                        Value::Null => None,
                        Value::Integer(value) => Some(value.to_string()),
                        Value::Real(value) => Some(value.to_string()),
                        Value::Text(value) => Some(value),
                        Value::Blob(value) => Some(format!("{value:?}")),
                    }
                };
                let rows = statement.query_map([], |row| Ok((0..columns).map(|index| text(row, index)).collect()));
                rows.unwrap().map(|row| shown(row.unwrap())).collect()
            }
            Kind::Postgres => {
                let messages = self.client().await.simple_query(query).await.unwrap();
                let row = |message| match message {
                    tokio_postgres::SimpleQueryMessage::Row(row) => {
                        Some(shown((0..row.len()).map(|index| row.get(index).map(str::to_owned)).collect()))
                    }
                    _ => None,
                };
                messages.into_iter().filter_map(row).collect()
            }
        }
    }

    pub async fn eraser(&self) -> Arc<dyn Eraser> {
        let spec: Spec = self.spec.parse().unwrap();
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
