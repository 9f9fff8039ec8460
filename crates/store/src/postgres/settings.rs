//! How the database is reached.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use model::{Problem, Result, codes};
use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::tls;

/// How the database is reached.
#[derive(Clone)]
pub struct Settings {
    /// Its address: `postgres://USER:PASSWORD@HOST/DATABASE`, with `?sslmode=verify-full|require|disable` and `sslrootcert=FILE`.
    pub url: String,
    /// Whether statements are prepared: not behind a pooler that hands connections on after each transaction.
    pub prepared: bool,
    /// For how long an operation is run again while the database is away or others are in the way.
    pub patience: Duration,
    /// How often the difference between the database's clock and ours is measured.
    pub clock_every: Duration,
}

impl Settings {
    /// Returns the usual settings for an address.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            prepared: true,
            patience: Duration::from_secs(30),
            clock_every: Duration::from_secs(60),
        }
    }

    /// Reads the address. What it says about encryption is read here, because the library knows less of it.
    pub(super) fn parse(&self) -> Result<(Config, MakeRustlsConnect)> {
        let (address, query) = self.url.split_once('?').unwrap_or((&self.url, ""));
        let (encryption, rest): (Vec<&str>, Vec<&str>) =
            query.split('&').filter(|part| !part.is_empty()).partition(|part| part.starts_with("ssl"));
        // The text of a parse error may hold parts of the address, which holds a password.
        let mut config: Config = format!("{address}?{}", rest.join("&"))
            .parse()
            .map_err(|_| invalid("store.url is not of the form postgres://USER@HOST/DATABASE"))?;
        let mode = Encryption::read(&encryption)?;
        if mode == Encryption::Unsaid && !is_local(&config) {
            return Err(invalid(
                "store.url names another machine and does not say how the connection is encrypted: add ?sslmode=verify-full \
                 (and sslrootcert=FILE for an authority of your own), or ?sslmode=disable where nobody else is on the network",
            ));
        }
        config.ssl_mode(match mode {
            Encryption::Unsaid | Encryption::Disable => SslMode::Disable,
            Encryption::Require | Encryption::Verify(_) => SslMode::Require,
        });
        Ok((config, tls::connector(&mode)?))
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Settings(hidden)")
    }
}

/// How the connection is encrypted; the names are those of libpq's `sslmode`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Encryption {
    /// Nothing was said: not at all, and only on this machine.
    Unsaid,
    /// Not at all.
    Disable,
    /// Against listeners, but with whoever answers.
    Require,
    /// With the server that has the name, says an authority: one in the file, or one that the system trusts.
    Verify(Option<PathBuf>),
}

impl Encryption {
    fn read(parts: &[&str]) -> Result<Self> {
        let (mut mode, mut authority) = (None, None);
        for part in parts {
            match part.split_once('=') {
                Some(("sslmode", value)) => mode = Some(value),
                Some(("sslrootcert", "system")) => {}
                Some(("sslrootcert", path)) => {
                    authority = Some(PathBuf::from(percent_decode_str(path).decode_utf8_lossy().into_owned()));
                }
                _ => return Err(invalid("store.url has an ssl setting other than sslmode and sslrootcert")),
            }
        }
        match (mode, authority) {
            (None, None) => Ok(Self::Unsaid),
            (Some("disable"), None) => Ok(Self::Disable),
            (Some("require"), None) => Ok(Self::Require),
            (Some("verify-full"), authority) => Ok(Self::Verify(authority)),
            (Some("require") | None, Some(_)) => {
                Err(invalid("store.url has sslrootcert, which goes with sslmode=verify-full"))
            }
            _ => Err(invalid("the sslmode of store.url is not one of verify-full, require and disable")),
        }
    }
}

fn is_local(config: &Config) -> bool {
    let loopback = |name: &str| name == "localhost" || name.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    let named = config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => loopback(name),
        Host::Unix(_) => true,
    });
    named && config.get_hostaddrs().iter().all(IpAddr::is_loopback)
}

pub(super) fn invalid(detail: impl Into<String>) -> Problem {
    Problem::new(&codes::config::CONFIG_INVALID, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plaintext_stays_on_this_machine_unless_it_is_asked_for() {
        let table = [
            ("postgres://u@localhost/d", Ok(SslMode::Disable)),
            ("postgres://u@127.0.0.1:5433/d?connect_timeout=3", Ok(SslMode::Disable)),
            ("postgres://u@%2Frun%2Fpostgresql/d", Ok(SslMode::Disable)),
            ("postgres://u@[::1]/d?sslmode=require", Ok(SslMode::Require)),
            ("postgres://u@db.internal/d?sslmode=verify-full", Ok(SslMode::Require)),
            ("postgres://u@10.0.0.7/d?sslmode=disable&application_name=m", Ok(SslMode::Disable)),
            ("postgres://u:secret@db.internal/d", Err("sslmode=verify-full")),
            ("postgres://u:secret@localhost,db.internal/d", Err("sslmode=verify-full")),
            ("postgres://u@localhost/d?sslmode=prefer", Err("verify-full, require and disable")),
            ("postgres://u@localhost/d?sslmode=require&sslrootcert=/a", Err("sslrootcert")),
            ("postgres://u@localhost/d?sslkey=/a", Err("ssl setting")),
            ("secret", Err("postgres://USER@HOST/DATABASE")),
        ];
        for (url, expected) in table {
            match (Settings::new(url).parse(), expected) {
                (Ok((config, _)), Ok(mode)) => assert_eq!(config.get_ssl_mode(), mode, "{url}"),
                (Err(problem), Err(words)) => {
                    assert!(problem.detail.contains(words) && !problem.detail.contains("secret"), "{url}: {problem}");
                }
                (parsed, _) => panic!("{url}: {:?}", parsed.map(|(config, _)| config.get_ssl_mode())),
            }
        }
        let percent = Encryption::read(&["sslmode=verify-full", "sslrootcert=%2Fetc%2Fca.pem"]).unwrap();
        assert_eq!(percent, Encryption::Verify(Some("/etc/ca.pem".into())));
    }
}
