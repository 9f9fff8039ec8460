//! A temporary PostgreSQL: one cluster per test process on a free loopback port, one database per test.
//!
//! The cluster hangs on a pipe: when the test process ends, in whatever way, the pipe closes and the cluster stops and removes itself.

use std::fmt::Display;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use tokio::sync::OnceCell;

use crate::service::{free_port, is_root};

/// Makes and starts a cluster, does what its input says, and at the end of its input stops and removes the cluster.
/// `$1` programs, `$2` user or empty, `$3` port, `$4` port for a pooler, `$5` more options of the server.
const SCRIPT: &str = r#"
set -eu
folder=$(mktemp -d)
as() { if [ -n "$user" ]; then runuser -u "$user" -- "$@"; else "$@"; fi; }
bin=$1 user=$2 port=$3 pooler_port=$4 more=$5
if [ -n "$user" ]; then chown "$user" "$folder"; fi
cd "$folder"
control() { as "$bin/pg_ctl" -D "$folder/data" -w -t 60 "$@" >"$folder/log" 2>&1 </dev/null; }
trap 'kill -9 $(cat pooler.pid 2>/dev/null) 2>/dev/null || true; control -m immediate stop || true; rm -rf "$folder"' EXIT
trap '' INT TERM
as "$bin/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C --no-sync --wal-segsize=1 >"$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }
as sh -c 'umask 077; printf %s "$CERTIFICATE" >data/server.crt; printf %s "$KEY" >data/server.key'
start() {
  control -l "$folder/data/server.log" -o "-h 127.0.0.1 -p $port -k '' -c max_connections=200 -c ssl=on $more" start || { cat "$folder/log" "$folder/data/server.log" >&2; exit 1; }
}
start
echo ready
while read -r command value; do
  case $command in
    crash) control -m immediate stop ;;
    start) start ;;
    limit)
      server=$(head -1 data/postmaster.pid)
      for process in "$server" $(cat "/proc/$server/task/$server/children"); do
        as prlimit --pid "$process" --fsize="$value:" 2>/dev/null || true
      done ;;
    pooler)
      as tee pooler.ini >/dev/null <<END
[databases]
* = host=127.0.0.1 port=$port user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $pooler_port
unix_socket_dir =
pidfile = $folder/pooler.pid
logfile = $folder/pooler.log
auth_type = any
pool_mode = transaction
default_pool_size = 3
max_client_conn = 900
END
      as /usr/sbin/pgbouncer -q -d pooler.ini >/dev/null 2>&1 </dev/null ;;
  esac
  echo ready
done
"#;

/// A running cluster.
pub struct Cluster {
    port: u16,
    pooler_port: u16,
    certificate: String,
    made: AtomicU32,
    template: OnceCell<String>,
    pooler: OnceCell<()>,
    script: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
    _shell: Child,
}

/// Returns the cluster of this test process, starting it when it is first asked for.
///
/// # Panics
/// If PostgreSQL is not installed or does not start: a missing service is a failure, not a skip.
pub fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| Cluster::start().expect("PostgreSQL is needed for this test"))
}

/// Returns a cluster that acknowledges only what is on disk: for measurements.
///
/// # Panics
/// As [`cluster`].
pub fn durable() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| Cluster::start_with("").expect("PostgreSQL is needed for this measurement"))
}

impl Cluster {
    /// Starts a cluster of one's own, for a test that hurts it.
    ///
    /// # Errors
    /// If PostgreSQL is not installed or does not start.
    pub fn start() -> Result<Self> {
        // A test survives no power failure either.
        Self::start_with("-F -c full_page_writes=off")
    }

    fn start_with(options: &str) -> Result<Self> {
        let programs = programs().context("no initdb: apt-get install -y postgresql")?;
        // PostgreSQL refuses to run as root, so Debian's own user runs it then.
        let user = if is_root()? { "postgres" } else { "" };
        let (port, pooler_port) = (free_port()?, free_port()?);
        let identity = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
        let certificate = identity.cert.pem();
        let mut shell = Command::new("sh")
            .args(["-c", SCRIPT, "sh"])
            .arg(&programs)
            .args([user, &port.to_string(), &pooler_port.to_string(), options])
            .env("CERTIFICATE", &certificate)
            .env("KEY", identity.signing_key.serialize_pem())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let script = (
            shell.stdin.take().context("stdin is piped")?,
            BufReader::new(shell.stdout.take().context("stdout is piped")?),
        );
        let cluster = Self {
            port,
            pooler_port,
            certificate,
            made: AtomicU32::new(0),
            template: OnceCell::new(),
            pooler: OnceCell::new(),
            script: Mutex::new(script),
            _shell: shell,
        };
        cluster.answered().context("the cluster did not start; its words are above")?;
        Ok(cluster)
    }

    /// Stops the server as a crash would: at once, without a word to anybody.
    ///
    /// # Errors
    /// If it does not stop.
    pub fn crash(&self) -> Result<()> {
        self.tell("crash")
    }

    /// Starts the server again after a crash.
    ///
    /// # Errors
    /// If it does not start.
    pub fn restart(&self) -> Result<()> {
        self.tell("start")
    }

    /// Fills the server's disk, as far as it can tell: no file of it grows beyond so many bytes. Without a number there is space again.
    ///
    /// # Errors
    /// If nobody listens any more.
    pub fn limit_files(&self, bytes: Option<u64>) -> Result<()> {
        self.tell(&bytes.map_or_else(|| "limit unlimited".to_owned(), |bytes| format!("limit {bytes}")))
    }

    /// Returns the URL under which a database of this cluster is reached through a pooler (pgbouncer) that hands the server's
    /// connections on after every transaction.
    ///
    /// # Errors
    /// If the pooler does not answer.
    pub async fn pooled(&self, url: &str) -> Result<String> {
        let pooled = url.replace(&format!(":{}/", self.port), &format!(":{}/", self.pooler_port));
        let start = async || {
            self.tell("pooler")?;
            let deadline = Instant::now() + Duration::from_secs(30);
            while let Err(cause) = self.execute(&pooled, "SELECT 1").await {
                ensure!(Instant::now() < deadline, "no pgbouncer (apt-get install -y pgbouncer): {cause}");
                tokio::task::yield_now().await;
            }
            Ok(())
        };
        self.pooler.get_or_try_init(start).await?;
        Ok(pooled)
    }

    /// Returns the certificate that the server shows on encrypted connections, in PEM; it is its own authority.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Returns the port of the server.
    pub fn port(&self) -> u16 {
        self.port
    }

    fn tell(&self, command: &str) -> Result<()> {
        let mut script = self.script.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(script.0, "{command}")?;
        drop(script);
        self.answered().with_context(|| format!("{command} failed"))
    }

    fn answered(&self) -> Result<()> {
        let mut said = String::new();
        self.script.lock().unwrap_or_else(PoisonError::into_inner).1.read_line(&mut said)?;
        ensure!(said == "ready\n", "the script says {said:?}");
        Ok(())
    }

    /// Creates an empty database and returns its URL.
    ///
    /// # Errors
    /// If the server does not answer.
    pub async fn database(&self) -> Result<String> {
        self.copy_of("template1").await
    }

    /// Creates a database with the schema that `migrate` makes and returns its URL. The schema is made once, and copied.
    ///
    /// # Errors
    /// If the server does not answer, or what `migrate` says.
    pub async fn migrated<E: Display>(&self, migrate: impl AsyncFnOnce(&str) -> Result<(), E>) -> Result<String> {
        let make = async || {
            let url = self.database().await?;
            migrate(&url).await.map_err(|error| anyhow!("the schema cannot be made: {error}"))?;
            url.rsplit('/').next().map(str::to_owned).context("a URL ends with the database")
        };
        self.copy_of(self.template.get_or_try_init(make).await?).await
    }

    async fn copy_of(&self, template: &str) -> Result<String> {
        let name = format!("test_{}", self.made.fetch_add(1, Ordering::Relaxed));
        // The server waits some seconds for connections to the template that are about to close.
        self.execute(&self.url("postgres"), &format!("CREATE DATABASE {name} TEMPLATE {template}")).await?;
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
