//! What a declaration must mean, beyond being well formed.

use std::collections::BTreeSet;

use jiff::Span;
use model::erasure::ErasureState;
use model::transfer::TransferState;
use model::world::{App, Client, ColumnRef, Keep, Pkce, SecretRef, System, Table, Webhook, World};
use url::{Host, Url};

/// What is wrong, each with its place.
#[derive(Default)]
pub(super) struct Complaints {
    pub(super) place: String,
    found: Vec<String>,
}

impl Complaints {
    pub(super) fn at(&mut self, place: impl Into<String>) -> &mut Self {
        self.place = place.into();
        self
    }

    pub(super) fn unless(&mut self, good: bool, complaint: impl FnOnce() -> String) {
        if !good {
            self.found.push(format!("{}: {}", self.place, complaint()));
        }
    }
}

/// Returns everything that is wrong.
pub(super) fn everything(world: &World) -> Vec<String> {
    let mut complaints = Complaints::default();
    let apps = names(world.apps.iter().map(|app| &app.name), "app", &mut complaints);
    names(world.systems.iter().map(|system| &system.name), "system", &mut complaints);
    names(world.clients.iter().map(|client| &client.id), "client", &mut complaints);
    for item in &world.apps {
        app(item, complaints.at(format!("app {}", item.name)));
    }
    for item in &world.systems {
        system(item, &apps, complaints.at(format!("system {}", item.name)));
        super::places::check(item, world, complaints.at(format!("system {}", item.name)));
    }
    for item in &world.clients {
        client(item, complaints.at(format!("client {}", item.id)));
    }
    names(world.webhooks.iter().map(|webhook| &webhook.name), "webhook", &mut complaints);
    for item in &world.webhooks {
        webhook(item, complaints.at(format!("webhook {}", item.name)));
    }
    complaints.found
}

/// Checks names that stand in URLs and on the command line.
fn names<'a>(names: impl Iterator<Item = &'a String>, kind: &str, complaints: &mut Complaints) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    for name in names {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        complaints.at(format!("{kind} {name:?}"));
        complaints.unless(!name.is_empty() && name.len() <= 64 && name.chars().all(plain), || {
            "a name has 1 to 64 letters, digits, '-' and '_'".to_owned()
        });
        complaints.unless(seen.insert(name.as_str()), || "it is declared twice".to_owned());
    }
    seen
}

fn app(app: &App, complaints: &mut Complaints) {
    for secret in &app.secrets {
        complaints.unless(is_reference(secret), || "a secret is written file:PATH or env:NAME".to_owned());
    }
    for (member, words) in [("contact", &app.contact), ("complain_to", &app.complain_to)] {
        complaints.unless(words.as_deref().is_none_or(says_something), || format!("{member} is empty"));
    }
    complaints.unless(app.cool_off.as_deref().is_none_or(is_cool_off), || {
        "cool_off is no period like \"3d\" of at most 14 days; the law wants an answer within a month".to_owned()
    });
}

fn system(system: &System, apps: &BTreeSet<&str>, complaints: &mut Complaints) {
    complaints.unless(says_something(&system.adapter), || "adapter is empty".to_owned());
    // A task for a person leads to no address, and neither does our own house.
    let has_url = !matches!(system.adapter.as_str(), "manual" | "moveout");
    complaints.unless(says_something(&system.url.0) == has_url, || match has_url {
        true => "url is empty".to_owned(),
        false => format!("the adapter {} has no url", system.adapter),
    });
    complaints.unless(system.adapter != "webhook" || !system.secrets.is_empty(), || {
        "a webhook needs a secret to sign with: secrets = { signing = \"env:NAME\" }".to_owned()
    });
    for (name, secret) in &system.secrets {
        complaints.unless(is_reference(secret), || format!("the secret {name} is written file:PATH or env:NAME"));
    }
    for app in system.apps.iter().flatten() {
        complaints.unless(apps.contains(app.as_str()), || format!("there is no app {app:?}"));
    }
    let backups = system.backups_kept.as_deref();
    complaints.unless(backups.is_none_or(is_period), || "backups_kept is no period like \"35d\"".to_owned());

    let place = complaints.place.clone();
    let mut seen = BTreeSet::new();
    for item in &system.tables {
        complaints.at(format!("{place}, table {}", item.name));
        complaints.unless(says_something(&item.name), || "a table has no name".to_owned());
        complaints.unless(seen.insert(item.name.as_str()), || "it is mapped twice".to_owned());
        table(item, &system.tables, complaints);
    }
    let reached = reached(&system.tables);
    for item in &system.tables {
        complaints.at(format!("{place}, table {}", item.name));
        complaints.unless(item.ignore.is_some() || reached.contains(item.name.as_str()), || {
            "its owners and containers lead to no table with identities, so nobody could be found in it".to_owned()
        });
    }
}

fn table(table: &Table, tables: &[Table], complaints: &mut Complaints) {
    let mapped = !table.identity.is_empty() || !table.owner.is_empty() || table.container.is_some();
    match &table.ignore {
        Some(why) => {
            complaints.unless(says_something(why), || "ignore does not say why".to_owned());
            complaints.unless(!mapped && table.keep.is_none(), || "an ignored table has nothing else".to_owned());
        }
        None => complaints.unless(mapped, || "it has neither identity nor owner, container or ignore".to_owned()),
    }
    let container = table.container.iter().flat_map(|container| &container.columns);
    for (column, target) in table.owner.iter().chain(container) {
        refers(column, target, tables, complaints);
    }
    for column in table.identity.keys() {
        complaints.unless(says_something(column), || "an identity column has no name".to_owned());
    }
    if let Some(container) = &table.container {
        complaints.unless(!container.columns.is_empty(), || "container names no column".to_owned());
    }
    if let Some(rule) = &table.keep {
        keep(rule, complaints);
    }
}

fn refers(column: &str, target: &ColumnRef, tables: &[Table], complaints: &mut Complaints) {
    complaints.unless(says_something(column), || "a referring column has no name".to_owned());
    let found = tables.iter().find(|table| table.name == target.table);
    complaints
        .unless(found.is_some(), || format!("{column} refers to {target}, but {} is not in the map", target.table));
    complaints.unless(found.is_none_or(|table| table.ignore.is_none()), || {
        format!("{column} refers to {target}, but {} is ignored", target.table)
    });
}

fn keep(keep: &Keep, complaints: &mut Complaints) {
    let columns: BTreeSet<_> = keep.columns.iter().collect();
    complaints.unless(!columns.is_empty() && columns.iter().all(|column| says_something(column)), || {
        "keep names no columns; what is kept must be said".to_owned()
    });
    complaints.unless(columns.len() == keep.columns.len(), || "keep names a column twice".to_owned());
    for (member, words) in [("ground", &keep.ground), ("law", &keep.law)] {
        complaints.unless(says_something(words), || format!("keep has no {member}"));
    }
    complaints.unless(keep.period.as_deref().is_none_or(is_period), || "for is no period like \"8y\"".to_owned());
    complaints.unless(keep.period.is_some() == keep.from.is_some(), || {
        "for and from belong together: how long, and counted from which column".to_owned()
    });
    complaints.unless(keep.from.as_ref().is_none_or(|from| columns.contains(from)), || {
        "from is not among the kept columns, so the end could not be told later".to_owned()
    });
    complaints.unless(keep.round.is_none() || keep.period.is_some(), || "round rounds nothing without for".to_owned());
}

fn client(client: &Client, complaints: &mut Complaints) {
    complaints.unless(client.secret.as_ref().is_none_or(is_reference), || {
        "the secret is written file:PATH or env:NAME".to_owned()
    });
    complaints.unless(client.pkce == Pkce::Required || client.secret.is_some(), || {
        "pkce = \"off\" is only for a client with a secret".to_owned()
    });
    complaints.unless(!client.redirect_uris.is_empty(), || "it has no redirect URI".to_owned());
    for uri in &client.redirect_uris {
        complaints.unless(is_redirect(uri), || {
            format!("{uri:?} is no redirect URI: absolute, https (http for loopback only), without '#' and '*'")
        });
    }
    complaints.unless(!client.scopes.is_empty(), || "it has no scope".to_owned());
    for scope in &client.scopes {
        let known = crate::oauth::KNOWN_SCOPES.iter().any(|(name, _)| name == scope);
        complaints.unless(known, || format!("there is no scope {scope:?}"));
    }
}

fn webhook(webhook: &Webhook, complaints: &mut Complaints) {
    complaints.unless(says_something(&webhook.url.0), || "url is empty".to_owned());
    complaints.unless(!webhook.secrets.is_empty(), || "it has no secret, and nothing is sent unsigned".to_owned());
    for secret in &webhook.secrets {
        complaints.unless(is_reference(secret), || "a secret is written file:PATH or env:NAME".to_owned());
    }
    complaints.unless(!webhook.events.is_empty(), || "it names no events".to_owned());
    for event in &webhook.events {
        let known = match event.split_once('.') {
            None => event == "*",
            Some(("erasure", state)) => state == "*" || state.parse::<ErasureState>().is_ok(),
            Some(("transfer", state)) => state == "*" || state.parse::<TransferState>().is_ok(),
            Some(_) => false,
        };
        complaints
            .unless(known, || format!("there is no event {event:?}; there are *, erasure.STATE and transfer.STATE"));
    }
}

/// Returns the tables from which owners and containers lead to identities.
fn reached(tables: &[Table]) -> BTreeSet<&str> {
    let mut reached: BTreeSet<&str> =
        tables.iter().filter(|table| !table.identity.is_empty()).map(|table| table.name.as_str()).collect();
    loop {
        let before = reached.len();
        for table in tables {
            let mut targets =
                table.owner.values().chain(table.container.iter().flat_map(|container| container.columns.values()));
            if targets.any(|target| reached.contains(target.table.as_str())) {
                reached.insert(&table.name);
            }
        }
        if reached.len() == before {
            return reached;
        }
    }
}

pub(super) fn says_something(text: &str) -> bool {
    !text.trim().is_empty() && !text.chars().any(char::is_control)
}

fn is_reference(secret: &SecretRef) -> bool {
    let behind = secret.0.strip_prefix("file:").or_else(|| secret.0.strip_prefix("env:"));
    behind.is_some_and(says_something)
}

/// A positive span of calendar time: `8y`, `35d`, `6mo`.
pub(super) fn is_period(text: &str) -> bool {
    text.parse::<Span>().is_ok_and(|span| span.is_positive())
}

/// A positive span of at most 14 days.
fn is_cool_off(text: &str) -> bool {
    let longest = Span::new().days(14);
    let from = jiff::civil::date(2026, 1, 1);
    is_period(text)
        && text.parse::<Span>().is_ok_and(|span| span.compare((longest, from)).is_ok_and(|order| order.is_le()))
}

fn is_redirect(uri: &str) -> bool {
    let Ok(url) = Url::parse(uri) else { return false };
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    (url.scheme() == "https" || url.scheme() == "http" && loopback) && !uri.contains(['#', '*'])
}
