//! The server's settings: flag > environment `MOVEOUT_*` > file > default; unknown keys are errors.

mod blobs;
mod environment;
mod mail;
mod sources;

use std::net::SocketAddr;
use std::path::PathBuf;

use model::{Problem, Result, codes};
use serde::Serialize;
use store::BucketConfig;
use store::postgres::Settings;
use url::Url;

pub use environment::Environment;
pub use sources::Flags;
use sources::Values;

/// The file in the data folder in which a server notes its public URL for the other commands.
const PUBLIC_URL_FILE: &str = "public_url";

/// The settings, valid.
pub struct Config {
    /// The folder of the store, its key and its blobs.
    pub data: PathBuf,
    /// Where the doors listen.
    pub listen: SocketAddr,
    /// The certificate and key of HTTPS.
    pub tls: Option<TlsFiles>,
    /// The master keys, if they were given.
    pub keys: Option<GivenKeys>,
    /// How the PostgreSQL database of the store is reached; without one the store is SQLite in the data folder.
    pub postgres: Option<Settings>,
    /// The bucket of large bodies; without one they lie in the data folder.
    pub bucket: Option<BucketConfig>,
    /// What is logged, if it was said.
    pub log: Option<String>,
    /// Where security researchers write to: `mailto:` or `https:` (RFC 9116 §2.5.3).
    pub security_contact: Option<String>,
    /// The folder of the ledger's mirror, if it is not to lie in the data folder.
    pub ledger_mirror: Option<PathBuf>,
    /// What sends mail, if a server is set.
    pub mailer: Option<net::Mailer>,
    public_url: Option<String>,
    values: Values,
}

/// The master keys as they were given.
pub enum GivenKeys {
    /// In a file, which may change while we run.
    File(PathBuf),
    /// As a text.
    Text(String),
}

/// Where the certificate of HTTPS and its key lie, both PEM.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The chain.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// One setting as it is shown.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// Its name.
    pub name: &'static str,
    /// Its value; hidden where it is a secret.
    pub value: String,
    /// Where it came from.
    pub origin: String,
}

/// Reads and checks the settings.
///
/// # Errors
/// `MO-7001` with the setting that is wrong and where it came from.
pub fn load(flags: &Flags, environment: &Environment) -> Result<Config> {
    let values = sources::gather(flags, environment)?;
    let tls = match (values.get("tls.certificate"), values.get("tls.key")) {
        (None, None) => None,
        (Some(certificate), Some(key)) => Some(TlsFiles { certificate: certificate.into(), key: key.into() }),
        _ => return Err(invalid("tls.certificate and tls.key are given together or not at all")),
    };
    let public_url = values.get("public_url").map(|text| public_url(text, &values)).transpose()?;
    let data = PathBuf::from(values.get("data").unwrap_or_default());
    let keys = values.get("keys").map(|text| match values.file("keys") {
        Some(path) => GivenKeys::File(path.to_owned()),
        None => GivenKeys::Text(text.to_owned()),
    });
    let prepared = values.parse("store.prepared_statements")?;
    let postgres = values.get("store.url").map(|url| Settings { prepared, ..Settings::new(url) });
    let log = values.get("log").map(str::to_owned);
    let security_contact = values.get("security_contact").map(str::to_owned);
    if security_contact.as_deref().is_some_and(|contact| !is_contact(contact)) {
        return Err(invalid(
            "security_contact is an address like mailto:security@example.org or https://example.org/security",
        ));
    }
    Ok(Config {
        listen: values.parse("listen")?,
        data,
        tls,
        keys,
        postgres,
        bucket: blobs::bucket(&values)?,
        log,
        security_contact,
        ledger_mirror: values.get("ledger.mirror").map(PathBuf::from),
        mailer: mail::mailer(&values)?,
        public_url,
        values,
    })
}

/// Checks that a URL is absolute and has nothing behind its host and path.
fn public_url(text: &str, values: &Values) -> Result<String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let plain = |url: &Url| url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    match url.filter(plain) {
        Some(url) => Ok(url.as_str().trim_end_matches('/').to_owned()),
        None => Err(invalid(format!(
            "public_url ({}) is {text:?}, not an absolute URL like https://privacy.example.org",
            values.origin("public_url")
        ))),
    }
}

fn is_contact(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "mailto" | "https" | "tel"))
        && !text.contains(char::is_whitespace)
}

impl Config {
    /// Returns the URL under which outsiders reach us: as set, as noted by the last server on this data folder, or the address listened on.
    pub fn public_url(&self) -> String {
        let noted = || std::fs::read_to_string(self.data.join(PUBLIC_URL_FILE)).ok().filter(|url| !url.is_empty());
        self.public_url.clone().or_else(noted).unwrap_or_else(|| self.url_of(self.listen))
    }

    /// Tells whether somebody said under which URL outsiders reach us.
    pub fn has_public_url(&self) -> bool {
        self.public_url.is_some()
    }

    /// Returns the URL of a server that listens on this address.
    pub fn url_at(&self, bound: SocketAddr) -> String {
        self.public_url.clone().unwrap_or_else(|| self.url_of(bound))
    }

    /// Notes a server's URL for the other commands on this data folder.
    ///
    /// # Errors
    /// `MO-7005` if it cannot be noted.
    pub fn note_public_url(&self, url: &str) -> Result<()> {
        let path = self.data.join(PUBLIC_URL_FILE);
        std::fs::write(&path, url).map_err(|cause| {
            Problem::new(&codes::config::FILE_UNWRITABLE, format!("{}: {cause}", path.display())).caused_by(cause)
        })
    }

    fn url_of(&self, address: SocketAddr) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        if address.ip().is_unspecified() {
            format!("{scheme}://localhost:{}", address.port())
        } else {
            format!("{scheme}://{address}")
        }
    }

    /// Returns every setting that has a value, for people.
    pub fn shown(&self) -> Vec<Shown> {
        self.values.shown()
    }
}

fn invalid(detail: impl Into<String>) -> Problem {
    Problem::new(&codes::config::CONFIG_INVALID, detail)
}
