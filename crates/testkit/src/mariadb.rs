//! A temporary MariaDB: one server per test process on a free loopback port, one database per test.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};
use mysql_async::Conn;
use mysql_async::prelude::Queryable;

use crate::service::{Service, free_port, is_root};

/// Makes, starts, and at the end of its input stops and removes a server. `$1` user or empty, `$2` port, `$3` certificate, `$4` its key.
const SCRIPT: &str = r#"
set -eu
PATH="$PATH:/usr/sbin"
command -v mariadbd mariadb-install-db >/dev/null || { echo 'apt-get install -y --no-install-recommends mariadb-server-core mariadb-client-core' >&2; exit 1; }
user=$1 port=$2
folder=$(mktemp -d)
cd "$folder"
server=
stop() { if [ -n "$server" ]; then kill -9 "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi; rm -rf "$folder"; }
trap stop EXIT
trap '' INT TERM
light="--innodb-flush-log-at-trx-commit=0 --innodb-doublewrite=0 --innodb-log-file-size=16M --innodb-buffer-pool-size=64M"
mariadb-install-db --no-defaults --datadir="$folder/data" ${user:+--user="$user"} --skip-test-db --auth-root-authentication-method=normal \
  $light >"$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }
cat >"$folder/init.sql" <<SQL
CREATE USER test@'127.0.0.1' IDENTIFIED BY 'secret';
GRANT ALL ON *.* TO test@'127.0.0.1' WITH GRANT OPTION;
SQL
echo "$3" >"$folder/cert.pem"
echo "$4" >"$folder/key.pem"
mariadbd --no-defaults ${user:+--user="$user"} --datadir="$folder/data" --bind-address=127.0.0.1 --port="$port" --socket="$folder/socket" \
  --skip-name-resolve --skip-log-bin --init-file="$folder/init.sql" \
  --ssl-cert="$folder/cert.pem" --ssl-key="$folder/key.pem" --character-set-server=utf8mb4 $light >"$folder/log" 2>&1 </dev/null &
server=$!
tries=0
until grep -q 'ready for connections' "$folder/log"; do
  tries=$((tries + 1))
  if [ "$tries" -gt 600 ] || ! kill -0 "$server" 2>/dev/null; then cat "$folder/log" >&2; exit 1; fi
  sleep 0.1
done
echo ready
cat >/dev/null
"#;

/// A running server.
pub struct Server {
    port: u16,
    made: AtomicU32,
    certificate: String,
    _service: Service,
}

/// Returns the server of this test process, starting it when it is first asked for.
///
/// # Panics
/// If MariaDB is not installed or does not start: a missing service is a failure, not a skip.
pub fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| Server::start().expect("MariaDB is needed for this test"))
}

impl Server {
    fn start() -> Result<Self> {
        // MariaDB runs as root only where it is told to.
        let user = if is_root()? { "root" } else { "" };
        let port = free_port()?;
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()])?;
        let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        let service = Service::start(SCRIPT, &[user, &port.to_string(), &certificate, &key])?;
        Ok(Self { port, made: AtomicU32::new(0), certificate, _service: service })
    }

    /// Creates an empty database and returns its URL.
    ///
    /// # Errors
    /// If the server does not answer.
    pub async fn database(&self) -> Result<String> {
        let name = format!("test_{}", self.made.fetch_add(1, Ordering::Relaxed));
        self.execute(&self.url("information_schema"), &format!("CREATE DATABASE {name}")).await?;
        Ok(self.url(&name))
    }

    /// The certificate that it shows to whoever asks for TLS, in PEM.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Connects as an application would that quotes as standard SQL does.
    ///
    /// # Errors
    /// If the server does not answer.
    pub async fn connect(&self, url: &str) -> Result<Conn> {
        let mut connection = Conn::from_url(format!("{url}?prefer_socket=false")).await?;
        connection.query_drop("SET SESSION sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES,NO_BACKSLASH_ESCAPES')").await?;
        Ok(connection)
    }

    /// Runs statements on a database of this server.
    ///
    /// # Errors
    /// What the server objects to.
    pub async fn execute(&self, url: &str, statements: &str) -> Result<()> {
        let mut connection = self.connect(url).await?;
        connection.query_drop(statements).await.with_context(|| statements.to_owned())?;
        Ok(connection.disconnect().await?)
    }

    fn url(&self, database: &str) -> String {
        format!("mysql://test:secret@127.0.0.1:{}/{database}", self.port)
    }
}

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn every_test_has_a_database_of_its_own() {
        let server = super::server();
        let (first, second) = (server.database().await.unwrap(), server.database().await.unwrap());
        assert_ne!(first, second);
        server.execute(&first, "CREATE TABLE \"t\" (x INT)").await.unwrap();
        assert!(server.execute(&second, "SELECT * FROM t").await.is_err());
    }
}
