//! A temporary PostgreSQL: one cluster per test process on a free loopback port, one database per test.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};

use crate::service::{Service, free_port, is_root};

/// Makes, starts, and at the end of its input stops and removes a cluster. `$1` programs, `$2` user or empty, `$3` port, `$4` settings.
const SCRIPT: &str = r#"
set -eu
folder=$(mktemp -d)
as() { if [ -n "$user" ]; then runuser -u "$user" -- "$@"; else "$@"; fi; }
bin=$1 user=$2 port=$3 settings=$4
if [ -n "$user" ]; then chown "$user" "$folder"; fi
cd "$folder"
trap 'as "$bin/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$folder"' EXIT
trap '' INT TERM
as "$bin/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C --no-sync >"$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }
as "$bin/pg_ctl" -D "$folder/data" -w -t 60 -l "$folder/data/server.log" \
  -o "-h 127.0.0.1 -p $port -k '' $settings -c max_connections=200" start >"$folder/log" 2>&1 \
  || { cat "$folder/log" "$folder/data/server.log" >&2; exit 1; }
echo ready
cat >/dev/null
"#;

/// Spares the disk: a test needs nothing that outlives the machine.
const FAST: &str = "-F -c full_page_writes=off -c synchronous_commit=off";

/// A running cluster.
pub struct Cluster {
    port: u16,
    made: AtomicU32,
    _service: Service,
}

/// Returns the cluster of this test process, starting it when it is first asked for.
///
/// # Panics
/// If PostgreSQL is not installed or does not start: a missing service is a failure, not a skip.
pub fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| Cluster::start(FAST).expect("PostgreSQL is needed for this test"))
}

/// As [`cluster`], another one that has everything on disk before it says so: for benchmarks.
///
/// # Panics
/// As [`cluster`].
pub fn durable() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| Cluster::start("").expect("PostgreSQL is needed for this benchmark"))
}

impl Cluster {
    fn start(settings: &str) -> Result<Self> {
        let programs = programs().context("no initdb: apt-get install -y postgresql")?;
        // PostgreSQL refuses to run as root, so Debian's own user runs it then.
        let user = if is_root()? { "postgres" } else { "" };
        let port = free_port()?;
        let service = Service::start(SCRIPT, &[&programs.to_string_lossy(), user, &port.to_string(), settings])?;
        Ok(Self { port, made: AtomicU32::new(0), _service: service })
    }

    /// Creates an empty database and returns its URL.
    ///
    /// # Errors
    /// If the server does not answer.
    pub async fn database(&self) -> Result<String> {
        let name = format!("test_{}", self.made.fetch_add(1, Ordering::Relaxed));
        self.execute(&self.url("postgres"), &format!("CREATE DATABASE {name}")).await?;
        Ok(self.url(&name))
    }

    /// Runs a query on a database of this cluster and returns its first column as text, without nulls.
    ///
    /// # Errors
    /// What the server objects to.
    pub async fn column(&self, url: &str, query: &str) -> Result<Vec<String>> {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
        let driver = tokio::spawn(connection);
        let answer = client.simple_query(query).await?;
        drop(client);
        driver.await??;
        let rows = answer.iter().filter_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        });
        Ok(rows.collect())
    }

    /// Runs statements on a database of this cluster.
    ///
    /// # Errors
    /// What the server objects to.
    pub async fn execute(&self, url: &str, statements: &str) -> Result<()> {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
        let driver = tokio::spawn(connection);
        let done = client.batch_execute(statements).await;
        drop(client);
        driver.await??;
        Ok(done?)
    }

    /// Runs a query and returns the first column of every row, null as an empty text.
    ///
    /// # Errors
    /// What the server objects to.
    pub async fn texts(&self, url: &str, query: &str) -> Result<Vec<String>> {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
        let driver = tokio::spawn(connection);
        let messages = client.simple_query(query).await;
        drop(client);
        driver.await??;
        let text = |message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => Some(row.get(0).unwrap_or_default().to_owned()),
            _ => None,
        };
        Ok(messages?.into_iter().filter_map(text).collect())
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }
}

/// Returns the folder of PostgreSQL's server programs: Debian keeps them off the PATH, one folder a version.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten().map(|version| version.path().join("bin"));
    versions.filter(|folder| folder.join("initdb").is_file()).max()
}

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn every_test_has_a_database_of_its_own() {
        let cluster = super::cluster();
        let (first, second) = (cluster.database().await.unwrap(), cluster.database().await.unwrap());
        assert_ne!(first, second);
        cluster.execute(&first, "CREATE TABLE t (x INT)").await.unwrap();
        assert!(cluster.execute(&second, "SELECT * FROM t").await.is_err());
    }
}
