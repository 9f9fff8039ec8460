//! What an operator declares with `moveout apply`: apps, systems, policies and clients.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::identity::IdentityKind;
use crate::location::Location;

/// Everything that one declaration file says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct World {
    /// The organisation's apps.
    #[serde(default, rename = "app")]
    pub apps: Vec<App>,
    /// The places where people's data lives.
    #[serde(default, rename = "system")]
    pub systems: Vec<System>,
    /// The OAuth clients of the landing.
    #[serde(default, rename = "client")]
    pub clients: Vec<Client>,
    /// Who is told of changes.
    #[serde(default, rename = "webhook")]
    pub webhooks: Vec<Webhook>,
}

/// A reference to a secret: `file:PATH`, `env:NAME`, or (for addresses without secrets) the value itself.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretRef(pub String);

impl std::fmt::Debug for SecretRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = self.0.split(':').next().unwrap_or_default();
        write!(f, "{scheme}:…")
    }
}

/// One app of the organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// Its name, which appears in `/callbacks/NAME/deletion`: letters, digits, `-` and `_`.
    pub name: String,
    /// The platform it is registered with.
    #[serde(default = "default_platform")]
    pub platform: String,
    /// The app secrets that callbacks may be signed with; several while rotating.
    #[serde(default)]
    pub secrets: Vec<SecretRef>,
    /// What a deletion callback means.
    #[serde(default)]
    pub on_callback: OnCallback,
    /// For how long a request waits, so that the person can still take it back: `3d`.
    #[serde(default)]
    pub cool_off: Option<String>,
    /// Whether people may ask by a form on the deletion page, and show by a mailed link that it is they. Needs `[mail]` settings.
    #[serde(default)]
    pub form: bool,
    /// Where people write to.
    #[serde(default)]
    pub contact: Option<String>,
    /// Whom people can complain to; shown beside every refusal.
    #[serde(default)]
    pub complain_to: Option<String>,
}

fn default_platform() -> String {
    "meta".to_owned()
}

/// What a deletion callback means: it also comes when a person withdraws a single permission.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnCallback {
    /// Erase the person everywhere.
    #[default]
    Erase,
    /// Wait for somebody to approve it.
    Review,
    /// Revoke tokens, erase nothing, and say so.
    RevokeOnly,
}

/// Who is told of changes, by signed POST requests (Standard Webhooks).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Its name.
    pub name: String,
    /// Where to, or a reference to it where the address itself is a secret.
    pub url: SecretRef,
    /// What messages are signed with, the newest first; several while rotating.
    pub secrets: Vec<SecretRef>,
    /// What to tell of: `erasure.complete`, `erasure.*`, `transfer.*`, or `*`.
    pub events: Vec<String>,
    /// Networks that may be reached although they are not public, and without HTTPS.
    #[serde(default)]
    pub allow: Vec<String>,
}

impl Webhook {
    /// Tells whether it wants to hear of this.
    pub fn wants(&self, topic: &str) -> bool {
        self.events.iter().any(|event| event.strip_suffix('*').map_or(event == topic, |begin| topic.starts_with(begin)))
    }
}

/// One place where people's data lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct System {
    /// Its name.
    pub name: String,
    /// What the status page calls it; the name if unsaid.
    #[serde(default)]
    pub label: Option<String>,
    /// The adapter: `sqlite`, `postgres`, …
    pub adapter: String,
    /// Where it is, as a spec or a reference to one.
    #[serde(default)]
    pub url: SecretRef,
    /// Further secrets that the adapter needs, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, SecretRef>,
    /// Whether it takes part; a system that is off blocks erasures, it is never skipped.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// The apps whose people live here; all if unsaid.
    #[serde(default)]
    pub apps: Option<Vec<String>>,
    /// For how long backups keep erased data, for example `35d`.
    #[serde(default)]
    pub backups_kept: Option<String>,
    /// The map of its tables, where it is a database.
    #[serde(default, rename = "table")]
    pub tables: Vec<Table>,
    /// The map of its places, where it is something else.
    #[serde(default, rename = "location", skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<Location>,
}

impl System {
    /// Returns the kinds of identity by which people are found here.
    pub fn identities(&self) -> BTreeSet<&IdentityKind> {
        let columns = self.tables.iter().flat_map(|table| table.identity.values());
        columns.chain(self.locations.iter().flat_map(|location| location.place.identities())).collect()
    }
}

fn yes() -> bool {
    true
}

/// One table of a system's map. A table has identity columns, or owners, or containers, or an `ignore`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Its name, with a schema if needed (`audit.events`).
    pub name: String,
    /// Column → the kind of identity it holds.
    #[serde(default)]
    pub identity: BTreeMap<String, IdentityKind>,
    /// Column → `table.column` of the row that owns this one.
    #[serde(default)]
    pub owner: BTreeMap<String, ColumnRef>,
    /// What this row hangs on.
    #[serde(default)]
    pub container: Option<Container>,
    /// What is kept on a ground.
    #[serde(default)]
    pub keep: Option<Keep>,
    /// Why this table holds nothing of a person although it refers to one.
    #[serde(default)]
    pub ignore: Option<String>,
}

/// A column of a table: `table.column`, where the table may have a schema.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ColumnRef {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
}

impl TryFrom<String> for ColumnRef {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.rsplit_once('.') {
            Some((table, column)) if !table.is_empty() && !column.is_empty() => {
                Ok(Self { table: table.to_owned(), column: column.to_owned() })
            }
            _ => Err(format!("{text:?} is not of the form table.column")),
        }
    }
}

impl From<ColumnRef> for String {
    fn from(column: ColumnRef) -> Self {
        format!("{}.{}", column.table, column.column)
    }
}

impl std::fmt::Display for ColumnRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.table, self.column)
    }
}

/// What a row hangs on, and what happens to others' rows when that is erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
pub struct Container {
    /// Column → `table.column` of the container.
    pub columns: BTreeMap<String, ColumnRef>,
    /// What happens to rows that others own; unsaid, they block the erasure.
    pub on_erase: Option<OnErase>,
}

/// What happens to rows that others own when what they hang on is erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnErase {
    /// They go too.
    Delete,
    /// They stay; the reference becomes null.
    Detach,
    /// They stay and so does what they hang on, emptied of everything but its key.
    Tombstone,
}

impl OnErase {
    fn name(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Detach => "detach",
            Self::Tombstone => "tombstone",
        }
    }
}

impl TryFrom<BTreeMap<String, String>> for Container {
    type Error = String;

    fn try_from(mut entries: BTreeMap<String, String>) -> Result<Self, String> {
        let on_erase = match entries.remove("on_erase").as_deref() {
            None => None,
            Some("delete") => Some(OnErase::Delete),
            Some("detach") => Some(OnErase::Detach),
            Some("tombstone") => Some(OnErase::Tombstone),
            Some(other) => return Err(format!("on_erase is \"delete\", \"detach\" or \"tombstone\", not {other:?}")),
        };
        let columns = entries
            .into_iter()
            .map(|(column, target)| Ok((column, ColumnRef::try_from(target)?)))
            .collect::<Result<_, String>>()?;
        Ok(Self { columns, on_erase })
    }
}

impl From<Container> for BTreeMap<String, String> {
    fn from(container: Container) -> Self {
        let mut entries: Self = container.columns.into_iter().map(|(column, target)| (column, target.into())).collect();
        if let Some(on_erase) = container.on_erase {
            entries.insert("on_erase".to_owned(), on_erase.name().to_owned());
        }
        entries
    }
}

/// A justified refusal: what is kept, on what ground, for how long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keep {
    /// The columns that the ground covers; the others are nulled, keys excepted.
    pub columns: Vec<String>,
    /// The ground, for example `legal-obligation`.
    pub ground: String,
    /// The law that demands it.
    pub law: String,
    /// For how long, for example `8y`.
    #[serde(default, rename = "for")]
    pub period: Option<String>,
    /// The column that the time counts from.
    #[serde(default)]
    pub from: Option<String>,
    /// What the end of the time is rounded up to.
    #[serde(default)]
    pub round: Option<Round>,
}

/// What the end of a retention period is rounded up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Round {
    /// The end of the calendar year.
    YearEnd,
}

/// An OAuth 2 client of the landing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// The client id.
    pub id: String,
    /// What the consent page calls it; the id if unsaid.
    #[serde(default)]
    pub name: Option<String>,
    /// The client secret; without one the client is public and must use PKCE.
    #[serde(default)]
    pub secret: Option<SecretRef>,
    /// The redirect URIs, compared letter by letter.
    pub redirect_uris: Vec<String>,
    /// The scopes it may ask for.
    pub scopes: Vec<String>,
    /// Whether PKCE is required.
    #[serde(default)]
    pub pkce: Pkce,
}

/// Whether an OAuth client must use PKCE (RFC 7636).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pkce {
    /// It must.
    #[default]
    Required,
    /// It need not: only for a named confidential client with exact redirects, because DTP workers send none.
    Off,
}
