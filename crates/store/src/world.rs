//! What an operator declared: apps, systems and OAuth clients. Secrets and addresses are sealed.

use std::collections::BTreeMap;

use model::world::{self, Pkce, SecretRef};
use model::{Problem, Result, codes};
use zeroize::Zeroizing;

use crate::params;
use crate::tx::Tx;
use crate::value::{Row, json};

/// A declared app. `declared.secrets` is empty: the secrets themselves stand beside it.
#[derive(Clone, PartialEq, Eq)]
pub struct App {
    /// What the operator wrote, without its secrets.
    pub declared: world::App,
    /// The app secrets.
    pub secrets: Vec<Zeroizing<String>>,
}

impl App {
    /// Joins a declaration and its resolved secrets.
    pub fn new(declared: world::App, secrets: Vec<Zeroizing<String>>) -> Self {
        Self { declared: world::App { secrets: Vec::new(), ..declared }, secrets }
    }
}

/// A declared system. `declared.url` and `declared.secrets` are empty: the address, which may hold a password, and the secrets
/// stand beside it.
#[derive(Clone, PartialEq, Eq)]
pub struct System {
    /// What the operator wrote, without its address.
    pub declared: world::System,
    /// Where it is.
    pub url: Zeroizing<String>,
    /// Further secrets of its adapter, by name.
    pub secrets: Secrets,
}

/// Secrets by name.
pub type Secrets = BTreeMap<String, Zeroizing<String>>;

impl System {
    /// Joins a declaration and its resolved address and secrets.
    pub fn new(declared: world::System, url: Zeroizing<String>, secrets: Secrets) -> Self {
        let declared = world::System { url: SecretRef::default(), secrets: BTreeMap::new(), ..declared };
        Self { declared, url, secrets }
    }
}

/// What a declaration changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It is new.
    Created,
    /// It was there and is different now.
    Updated,
    /// It was there just so.
    Unchanged,
    /// It is no longer declared.
    Removed,
}

impl Change {
    /// Returns it in one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Removed => "removed",
        }
    }
}

/// What can be declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An app.
    App,
    /// A system.
    System,
    /// An OAuth client.
    Client,
}

impl Kind {
    /// Returns it in one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::System => "system",
            Self::Client => "client",
        }
    }
}

/// Declares an app.
pub async fn put_app(tx: &mut Tx<'_>, app: &App) -> Result<Change> {
    let name = &app.declared.name;
    let before = self::app(tx, name).await?;
    if before.as_ref() == Some(app) {
        return Ok(Change::Unchanged);
    }
    let secrets: Vec<&str> = app.secrets.iter().map(|secret| secret.as_str()).collect();
    let secrets = Zeroizing::new(json(&secrets)?);
    let sealed = tx.vault().seal("app", name, "secrets", secrets.as_bytes());
    let now = tx.ambient.now();
    tx.exec(
        "INSERT INTO app (name, declared, secrets, updated_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (name) DO UPDATE SET declared = excluded.declared, secrets = excluded.secrets, updated_at = excluded.updated_at",
        params![name, json(&app.declared)?, sealed, now],
    )
    .await?;
    Ok(change(before.is_some()))
}

/// Declares a system; `position` is its place in the declaration.
pub async fn put_system(tx: &mut Tx<'_>, position: usize, system: &System) -> Result<Change> {
    let name = &system.declared.name;
    let before = tx.query_opt("SELECT * FROM system WHERE name = $1", params![name]).await?;
    if let Some(row) = &before
        && row.get::<u64>("position")? == position as u64
        && open_system(tx, row)? == *system
    {
        return Ok(Change::Unchanged);
    }
    let sealed = tx.vault().seal("system", name, "url", system.url.as_bytes());
    let named: BTreeMap<&str, &str> =
        system.secrets.iter().map(|(name, secret)| (name.as_str(), secret.as_str())).collect();
    let secrets = Zeroizing::new(json(&named)?);
    let secrets = tx.vault().seal("system", name, "secrets", secrets.as_bytes());
    let now = tx.ambient.now();
    tx.exec(
        "INSERT INTO system (name, position, declared, url, secrets, updated_at) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (name) DO UPDATE SET position = excluded.position, declared = excluded.declared, url = excluded.url, \
         secrets = excluded.secrets, updated_at = excluded.updated_at",
        params![name, position, json(&system.declared)?, sealed, secrets, now],
    )
    .await?;
    Ok(change(before.is_some()))
}

/// Declares an OAuth client. Its secret is kept as a keyed digest only, `digest("client-secret", secret)`.
pub async fn put_client(tx: &mut Tx<'_>, client: &world::Client, secret: Option<&str>) -> Result<Change> {
    let digest = secret.map(|secret| tx.vault().digest("client-secret", secret.as_bytes()).to_vec());
    let name = client.name.as_ref().unwrap_or(&client.id);
    let (redirects, scopes) = (json(&client.redirect_uris)?, json(&client.scopes)?);
    let pkce = match client.pkce {
        Pkce::Required => "required",
        Pkce::Off => "off",
    };
    let before = tx.query_opt("SELECT * FROM client WHERE id = $1", params![&client.id]).await?;
    if let Some(row) = &before
        && row.get::<String>("name")? == *name
        && row.get::<Option<Vec<u8>>>("secret_digest")? == digest
        && row.get::<String>("redirect_uris")? == redirects
        && row.get::<String>("scopes")? == scopes
        && row.get::<String>("pkce")? == pkce
    {
        return Ok(Change::Unchanged);
    }
    let now = tx.ambient.now();
    tx.exec(
        "INSERT INTO client (id, name, secret_digest, redirect_uris, scopes, pkce, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, secret_digest = excluded.secret_digest, \
         redirect_uris = excluded.redirect_uris, scopes = excluded.scopes, pkce = excluded.pkce, updated_at = excluded.updated_at",
        params![&client.id, name, digest, redirects, scopes, pkce, now],
    )
    .await?;
    Ok(change(before.is_some()))
}

fn change(existed: bool) -> Change {
    if existed { Change::Updated } else { Change::Created }
}

/// Takes back whatever of this kind is not among `declared`, and returns the names.
pub async fn remove_others(tx: &mut Tx<'_>, kind: Kind, declared: &[String]) -> Result<Vec<String>> {
    let (select, delete) = match kind {
        Kind::App => ("SELECT name FROM app ORDER BY name", "DELETE FROM app WHERE name = $1"),
        Kind::System => ("SELECT name FROM system ORDER BY name", "DELETE FROM system WHERE name = $1"),
        Kind::Client => ("SELECT id AS name FROM client ORDER BY id", "DELETE FROM client WHERE id = $1"),
    };
    let mut removed = Vec::new();
    for row in tx.query(select, params![]).await? {
        let name: String = row.get("name")?;
        if !declared.contains(&name) {
            tx.exec(delete, params![&name]).await?;
            removed.push(name);
        }
    }
    Ok(removed)
}

/// Returns the app of this name.
pub async fn app(tx: &mut Tx<'_>, name: &str) -> Result<Option<App>> {
    let row = tx.query_opt("SELECT * FROM app WHERE name = $1", params![name]).await?;
    row.map(|row| open_app(tx, &row)).transpose()
}

/// Returns every app, by name.
pub async fn apps(tx: &mut Tx<'_>) -> Result<Vec<App>> {
    let rows = tx.query("SELECT * FROM app ORDER BY name", params![]).await?;
    rows.iter().map(|row| open_app(tx, row)).collect()
}

/// Returns every system, in the order of the declaration.
pub async fn systems(tx: &mut Tx<'_>) -> Result<Vec<System>> {
    let rows = tx.query("SELECT * FROM system ORDER BY position, name", params![]).await?;
    rows.iter().map(|row| open_system(tx, row)).collect()
}

fn open_app(tx: &Tx<'_>, row: &Row) -> Result<App> {
    let name: String = row.get("name")?;
    let secrets = Zeroizing::new(tx.vault().open("app", &name, "secrets", &row.get::<Vec<u8>>("secrets")?)?);
    let secrets: Vec<Zeroizing<String>> = serde_json::from_slice::<Vec<String>>(&secrets)
        .map_err(|cause| broken("app.secrets").caused_by(cause))?
        .into_iter()
        .map(Zeroizing::new)
        .collect();
    Ok(App { declared: row.json("declared")?, secrets })
}

fn open_system(tx: &Tx<'_>, row: &Row) -> Result<System> {
    let name: String = row.get("name")?;
    let url = tx.vault().open("system", &name, "url", &row.get::<Vec<u8>>("url")?)?;
    let url = String::from_utf8(url).map_err(|_| broken("system.url"))?;
    let secrets = match row.get::<Option<Vec<u8>>>("secrets")? {
        None => Secrets::new(),
        Some(sealed) => {
            let text = Zeroizing::new(tx.vault().open("system", &name, "secrets", &sealed)?);
            let named: BTreeMap<String, String> =
                serde_json::from_slice(&text).map_err(|cause| broken("system.secrets").caused_by(cause))?;
            named.into_iter().map(|(name, secret)| (name, Zeroizing::new(secret))).collect()
        }
    };
    Ok(System { declared: row.json("declared")?, url: Zeroizing::new(url), secrets })
}

fn broken(column: &str) -> Problem {
    Problem::new(&codes::store::SEALED_VALUE_BROKEN, format!("{column} holds something else than expected"))
}
