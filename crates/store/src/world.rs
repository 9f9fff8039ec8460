//! What an operator declared: apps, systems and OAuth clients. Secrets and addresses are sealed.

use std::collections::BTreeMap;

use model::world::{self, Pkce, SecretRef};
use model::{Problem, Result, codes};
use zeroize::Zeroizing;

use crate::params;
use crate::tx::Tx;
use crate::value::{Row, json};
use crate::vault::columns::{APP_SECRETS, SYSTEM_SECRETS, SYSTEM_URL, WEBHOOK_SECRETS, WEBHOOK_URL};

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

/// A declared receiver of notices. `declared.url` and `declared.secrets` are empty: they stand beside it.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    /// What the operator wrote, without its address and secrets.
    pub declared: world::Webhook,
    /// Where to.
    pub url: Zeroizing<String>,
    /// What messages are signed with, the newest first.
    pub secrets: Vec<Zeroizing<String>>,
}

impl Webhook {
    /// Joins a declaration, its resolved address and its resolved secrets.
    pub fn new(declared: world::Webhook, url: Zeroizing<String>, secrets: Vec<Zeroizing<String>>) -> Self {
        let declared = world::Webhook { url: SecretRef(String::new()), secrets: Vec::new(), ..declared };
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
    /// A receiver of notices.
    Webhook,
}

impl Kind {
    /// Returns it in one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::System => "system",
            Self::Client => "client",
            Self::Webhook => "webhook",
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
    let sealed = tx.vault().seal(&APP_SECRETS, name, secrets.as_bytes());
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
    let sealed = tx.vault().seal(&SYSTEM_URL, name, system.url.as_bytes());
    let named: BTreeMap<&str, &str> =
        system.secrets.iter().map(|(name, secret)| (name.as_str(), secret.as_str())).collect();
    let secrets = Zeroizing::new(json(&named)?);
    let secrets = tx.vault().seal(&SYSTEM_SECRETS, name, secrets.as_bytes());
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

/// Declares a receiver of notices.
pub async fn put_webhook(tx: &mut Tx<'_>, webhook: &Webhook) -> Result<Change> {
    let name = &webhook.declared.name;
    let before = self::webhook(tx, name).await?;
    if before.as_ref() == Some(webhook) {
        return Ok(Change::Unchanged);
    }
    let secrets: Vec<&str> = webhook.secrets.iter().map(|secret| secret.as_str()).collect();
    let secrets = Zeroizing::new(json(&secrets)?);
    let secrets = tx.vault().seal(&WEBHOOK_SECRETS, name, secrets.as_bytes());
    let url = tx.vault().seal(&WEBHOOK_URL, name, webhook.url.as_bytes());
    let now = tx.ambient.now();
    tx.exec(
        "INSERT INTO webhook (name, declared, url, secrets, updated_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (name) DO UPDATE SET declared = excluded.declared, url = excluded.url, secrets = excluded.secrets, \
         updated_at = excluded.updated_at, failures = 0, retry_at = NULL, problem = NULL",
        params![name, json(&webhook.declared)?, url, secrets, now],
    )
    .await?;
    Ok(change(before.is_some()))
}

/// Returns the receiver of this name.
pub async fn webhook(tx: &mut Tx<'_>, name: &str) -> Result<Option<Webhook>> {
    let Some(row) = tx.query_opt("SELECT * FROM webhook WHERE name = $1", params![name]).await? else {
        return Ok(None);
    };
    let url = tx.vault().open(&WEBHOOK_URL, name, &row.get::<Vec<u8>>("url")?)?;
    let url = String::from_utf8(url).map_err(|_| broken("webhook.url"))?;
    let sealed = row.get::<Vec<u8>>("secrets")?;
    let secrets = open_secrets(tx.vault().open(&WEBHOOK_SECRETS, name, &sealed)?, "webhook.secrets")?;
    Ok(Some(Webhook { declared: row.json("declared")?, url: Zeroizing::new(url), secrets }))
}

/// Returns the names of the receivers that want to hear of something.
pub(crate) async fn listeners(tx: &mut Tx<'_>, topic: &str) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for row in tx.query("SELECT declared FROM webhook ORDER BY name", params![]).await? {
        let declared: world::Webhook = row.json("declared")?;
        if declared.wants(topic) {
            names.push(declared.name);
        }
    }
    Ok(names)
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
        Kind::Webhook => ("SELECT name FROM webhook ORDER BY name", "DELETE FROM webhook WHERE name = $1"),
    };
    let mut removed = Vec::new();
    for row in tx.query(select, params![]).await? {
        let name: String = row.get("name")?;
        if !declared.contains(&name) {
            tx.exec(delete, params![&name]).await?;
            if kind == Kind::Webhook {
                // What waited for it has nowhere to go.
                tx.exec("DELETE FROM outbox WHERE webhook = $1", params![&name]).await?;
            }
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
    let sealed = row.get::<Vec<u8>>("secrets")?;
    let secrets = open_secrets(tx.vault().open(&APP_SECRETS, &name, &sealed)?, "app.secrets")?;
    Ok(App { declared: row.json("declared")?, secrets })
}

fn open_secrets(text: Vec<u8>, column: &str) -> Result<Vec<Zeroizing<String>>> {
    let text = Zeroizing::new(text);
    let secrets: Vec<String> = serde_json::from_slice(&text).map_err(|cause| broken(column).caused_by(cause))?;
    Ok(secrets.into_iter().map(Zeroizing::new).collect())
}

fn open_system(tx: &Tx<'_>, row: &Row) -> Result<System> {
    let name: String = row.get("name")?;
    let url = tx.vault().open(&SYSTEM_URL, &name, &row.get::<Vec<u8>>("url")?)?;
    let url = String::from_utf8(url).map_err(|_| broken("system.url"))?;
    let secrets = match row.get::<Option<Vec<u8>>>("secrets")? {
        None => Secrets::new(),
        Some(sealed) => {
            let text = Zeroizing::new(tx.vault().open(&SYSTEM_SECRETS, &name, &sealed)?);
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
