//! An application's database, of any kind that an eraser speaks to, empty at first.

use mysql_async::prelude::Queryable;

/// One database; it goes when the test ends.
pub struct Database {
    address: String,
    kind: Kind,
    folder: Option<tempfile::TempDir>,
}

/// What kind of database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    Sqlite,
    /// A database of the test's cluster.
    Postgres,
    /// A database of the test's server.
    Mariadb,
}

impl Kind {
    /// Every kind there is.
    pub const ALL: [Self; 3] = [Self::Sqlite, Self::Postgres, Self::Mariadb];
}

#[expect(clippy::missing_panics_doc, reason = "a test ends where its database fails")]
impl Database {
    /// Makes an empty database.
    pub async fn new(kind: Kind) -> Self {
        let (address, folder) = match kind {
            Kind::Sqlite => {
                let folder = tempfile::tempdir().expect("a folder can be made");
                let path = folder.path().join("app.db");
                // Applications create their file; the adapter never does.
                std::fs::File::create(&path).expect("a file can be made");
                (format!("sqlite:{}", path.display()), Some(folder))
            }
            Kind::Postgres => (crate::postgres::cluster().database().await.expect("a database is made"), None),
            Kind::Mariadb => (crate::mariadb::server().database().await.expect("a database is made"), None),
        };
        Self { address, kind, folder }
    }

    /// What kind it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Where it is, as a system's `url` says it.
    pub fn address(&self) -> &str {
        &self.address
    }

    fn file(&self) -> rusqlite::Connection {
        let folder = self.folder.as_ref().expect("only a file is opened as one");
        let file = rusqlite::Connection::open(folder.path().join("app.db")).expect("the file is there");
        file.busy_timeout(std::time::Duration::from_secs(30)).expect("a time can be set");
        file
    }

    /// Runs statements as the application would.
    pub async fn run(&self, statements: &str) {
        match self.kind {
            Kind::Sqlite => self.file().execute_batch(statements).expect("the statements are right"),
            Kind::Postgres => {
                let done = crate::postgres::cluster().execute(&self.address, statements).await;
                done.expect("the statements are right");
            }
            Kind::Mariadb => {
                // What is indexed there must have a length.
                let statements = statements.replace(" TEXT", " VARCHAR(190)");
                let done = crate::mariadb::server().execute(&self.address, &statements).await;
                done.expect("the statements are right");
            }
        }
    }

    /// Returns every row of a query as text, columns joined by `|`, null as `-`.
    pub async fn rows(&self, query: &str) -> Vec<String> {
        let shown = |cells: Vec<Option<String>>| {
            cells.into_iter().map(|cell| cell.unwrap_or_else(|| "-".to_owned())).collect::<Vec<_>>().join("|")
        };
        let rows: Vec<Vec<Option<String>>> = match self.kind {
            Kind::Sqlite => self.rows_of_file(query).expect("the query is right"),
            Kind::Postgres => {
                let (client, connection) =
                    tokio_postgres::connect(&self.address, tokio_postgres::NoTls).await.expect("the cluster answers");
                tokio::spawn(connection);
                let messages = client.simple_query(query).await.expect("the query is right");
                let row = |message| match message {
                    tokio_postgres::SimpleQueryMessage::Row(row) => {
                        Some((0..row.len()).map(|index| row.get(index).map(str::to_owned)).collect())
                    }
                    _ => None,
                };
                messages.into_iter().filter_map(row).collect()
            }
            Kind::Mariadb => {
                let mut connection = crate::mariadb::server().connect(&self.address).await.expect("the server answers");
                let rows: Vec<mysql_async::Row> = connection.query(query).await.expect("the query is right");
                connection.disconnect().await.expect("the server answers");
                let text = |value| match value {
                    mysql_async::Value::Bytes(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
                    _ => None,
                };
                rows.into_iter().map(|row| row.unwrap().into_iter().map(text).collect()).collect()
            }
        };
        rows.into_iter().map(shown).collect()
    }

    fn rows_of_file(&self, query: &str) -> rusqlite::Result<Vec<Vec<Option<String>>>> {
        use rusqlite::types::Value;
        let file = self.file();
        let mut statement = file.prepare(query)?;
        let columns = statement.column_count();
        let text = |row: &rusqlite::Row<'_>, index| {
            Ok(match row.get(index)? {
                Value::Null => None,
                Value::Integer(value) => Some(value.to_string()),
                Value::Real(value) => Some(value.to_string()),
                Value::Text(value) => Some(value),
                Value::Blob(value) => Some(format!("{value:?}")),
            })
        };
        statement.query_map([], |row| (0..columns).map(|index| text(row, index)).collect())?.collect()
    }

    /// Counts rows: `from` is a table, and perhaps a condition.
    pub async fn count(&self, from: &str) -> u64 {
        let rows = self.rows(&format!("SELECT count(*) FROM {from}")).await;
        rows[0].parse().expect("a count is a number")
    }

    /// Lets every change of this kind (`DELETE` or `UPDATE`) of a table fail, in words that must not get out.
    pub async fn refuse(&self, verb: &str, table: &str) {
        let statements = match self.kind {
            Kind::Sqlite => format!(
                "CREATE TRIGGER refusal BEFORE {verb} ON {table} BEGIN SELECT RAISE(ABORT, 'SECRET zoe@example.org'); END"
            ),
            Kind::Postgres => format!(
                "CREATE FUNCTION refusal() RETURNS trigger LANGUAGE plpgsql AS
                   $$ BEGIN RAISE EXCEPTION 'SECRET zoe@example.org'; END $$;
                 CREATE TRIGGER refusal BEFORE {verb} ON {table} FOR EACH ROW EXECUTE FUNCTION refusal()"
            ),
            Kind::Mariadb => format!(
                "CREATE TRIGGER refusal BEFORE {verb} ON {table} FOR EACH ROW
                   SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'SECRET zoe@example.org'"
            ),
        };
        self.run(&statements).await;
    }

    /// Takes back what [`Self::refuse`] did.
    pub async fn allow(&self, table: &str) {
        let statements = match self.kind {
            Kind::Sqlite | Kind::Mariadb => "DROP TRIGGER refusal".to_owned(),
            Kind::Postgres => format!("DROP TRIGGER refusal ON {table}; DROP FUNCTION refusal"),
        };
        self.run(&statements).await;
    }

    /// Waits until the database says this.
    pub async fn wait_for(&self, query: &str, answer: &str) {
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
        while self.rows(query).await != [answer] {
            assert!(std::time::Instant::now() < deadline, "{query} is not {answer}");
            // MariaDB answers who waits for whom from a cache, and asking too soon keeps that as it is.
            tokio::time::sleep(std::time::Duration::from_millis(150)).await;
        }
    }
}
