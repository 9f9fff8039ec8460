//! What an operator declared: apps, systems, clients.

use std::collections::BTreeSet;

use adapters::Spec;
use model::world::{SecretRef, World};
use model::{Problem, Result, codes};
use serde::Serialize;
use store::world::{Change, Kind, Secrets};
use wire::signed_request::Secret;
use wire::webhook;
use zeroize::Zeroizing;

pub use store::world::{App, System, Webhook};

use crate::Engine;

/// What a declaration changed, and what to do next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Applied {
    /// Every app, system and client that is or was declared.
    pub changes: Vec<Changed>,
    /// What to paste into each platform's dashboard.
    pub urls: Vec<Urls>,
    /// What works, but not as the operator may think.
    pub warnings: Vec<String>,
}

/// What became of one thing that is or was declared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// What it is.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// What became of it.
    pub change: Change,
}

/// The addresses of one app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Urls {
    /// The app.
    pub app: String,
    /// "Data Deletion Request URL".
    pub callback: String,
    /// "Deauthorize callback URL".
    pub deauthorize: String,
    /// "Data Deletion Instructions URL": the other way of answering the platform's demand.
    pub instructions: String,
}

/// Declares a world: what the file says is what there is. What an earlier file declared and this one does not is taken back.
///
/// `resolve` reads a reference once; what it returns is sealed in the store. Nothing is changed unless everything can be.
///
/// # Errors
/// `MO-7002` for what cannot work, `MO-1011` for an empty secret, or what `resolve` says.
pub async fn apply(
    engine: &Engine,
    world: World,
    resolve: &(dyn Fn(&SecretRef) -> Result<String> + Sync),
) -> Result<Applied> {
    let apps = world
        .apps
        .iter()
        .map(|app| Ok(App::new(app.clone(), resolve_secrets(&app.name, &app.secrets, resolve)?)))
        .collect::<Result<Vec<_>>>()?;
    let systems = world
        .systems
        .iter()
        .map(|system| {
            let secrets = resolve_named(system, resolve)?;
            Ok(System::new(system.clone(), resolve_url(system, resolve)?, secrets))
        })
        .collect::<Result<Vec<_>>>()?;
    let clients = world
        .clients
        .iter()
        .map(|client| {
            let secrets = resolve_secrets(&client.id, client.secret.as_slice(), resolve)?;
            Ok((client.clone(), secrets.into_iter().next()))
        })
        .collect::<Result<Vec<_>>>()?;
    let webhooks =
        world.webhooks.iter().map(|webhook| resolve_webhook(webhook, resolve)).collect::<Result<Vec<_>>>()?;
    let urls = apps.iter().map(|app| urls(engine, &app.declared.name)).collect();
    let warnings = warnings(engine, &world);
    let changes = engine
        .store
        .write("world.apply", move |tx| {
            Box::pin(async move {
                let mut changes = Changes::default();
                for app in &apps {
                    changes.push(Kind::App, &app.declared.name, store::world::put_app(tx, app).await?);
                }
                for (position, system) in systems.iter().enumerate() {
                    let change = store::world::put_system(tx, position, system).await?;
                    changes.push(Kind::System, &system.declared.name, change);
                }
                for (client, secret) in &clients {
                    let secret = secret.as_ref().map(|secret| secret.as_str());
                    changes.push(Kind::Client, &client.id, store::world::put_client(tx, client, secret).await?);
                }
                for webhook in &webhooks {
                    let change = store::world::put_webhook(tx, webhook).await?;
                    changes.push(Kind::Webhook, &webhook.declared.name, change);
                }
                for kind in [Kind::App, Kind::System, Kind::Client, Kind::Webhook] {
                    for name in store::world::remove_others(tx, kind, &changes.names(kind)).await? {
                        changes.push(kind, &name, Change::Removed);
                    }
                }
                Ok(changes.0)
            })
        })
        .await?;
    Ok(Applied { changes, urls, warnings })
}

/// Returns the app of this name.
///
/// # Errors
/// `MO-1006` if no such app is declared.
pub async fn app(engine: &Engine, name: &str) -> Result<App> {
    let wanted = name.to_owned();
    let found =
        engine.store.read("world.app", move |tx| Box::pin(async move { store::world::app(tx, &wanted).await })).await?;
    // The name is the outsider's text: it is not repeated.
    found.ok_or_else(|| Problem::new(&codes::door::APP_UNKNOWN, "the address names an app that is not declared"))
}

/// Returns every declared app, by name.
///
/// # Errors
/// What the store says.
pub async fn apps(engine: &Engine) -> Result<Vec<App>> {
    engine.store.read("world.apps", |tx| Box::pin(store::world::apps(tx))).await
}

/// Returns every declared system, in the order of the declaration.
///
/// # Errors
/// What the store says.
pub async fn systems(engine: &Engine) -> Result<Vec<System>> {
    engine.store.read("world.systems", |tx| Box::pin(store::world::systems(tx))).await
}

/// Returns the systems where an app's people live.
///
/// # Errors
/// What the store says.
pub async fn systems_of(engine: &Engine, app: &str) -> Result<Vec<System>> {
    let mut systems = systems(engine).await?;
    systems.retain(|system| system.declared.apps.as_ref().is_none_or(|apps| apps.iter().any(|name| name == app)));
    Ok(systems)
}

/// Returns the addresses to paste into the platform's dashboard.
pub fn urls(engine: &Engine, app: &str) -> Urls {
    let base = &engine.settings.public_url;
    Urls {
        app: app.to_owned(),
        callback: format!("{base}/callbacks/{app}/deletion"),
        deauthorize: format!("{base}/callbacks/{app}/deauthorize"),
        instructions: format!("{base}/deletion"),
    }
}

#[derive(Default, Clone)]
struct Changes(Vec<Changed>);

impl Changes {
    fn push(&mut self, kind: Kind, name: &str, change: Change) {
        self.0.push(Changed { kind, name: name.to_owned(), change });
    }

    fn names(&self, kind: Kind) -> Vec<String> {
        self.0.iter().filter(|changed| changed.kind == kind).map(|changed| changed.name.clone()).collect()
    }
}

fn resolve_secrets(
    owner: &str,
    secrets: &[SecretRef],
    resolve: &(dyn Fn(&SecretRef) -> Result<String> + Sync),
) -> Result<Vec<Zeroizing<String>>> {
    secrets.iter().map(|secret| resolve_secret(owner, secret, resolve)).collect()
}

fn resolve_named(
    system: &model::world::System,
    resolve: &(dyn Fn(&SecretRef) -> Result<String> + Sync),
) -> Result<Secrets> {
    let named =
        |(name, secret): (&String, &SecretRef)| Ok((name.clone(), resolve_secret(&system.name, secret, resolve)?));
    system.secrets.iter().map(named).collect()
}

fn resolve_secret(
    owner: &str,
    secret: &SecretRef,
    resolve: &(dyn Fn(&SecretRef) -> Result<String> + Sync),
) -> Result<Zeroizing<String>> {
    let text = Zeroizing::new(resolve(secret)?);
    // A file ends with a newline that is no part of the secret.
    let text = Zeroizing::new(text.trim().to_owned());
    Secret::new(text.as_bytes()).map_err(|problem| {
        Problem::new(problem.code, format!("{owner}: {secret:?} is empty, and an empty secret is never accepted"))
    })?;
    Ok(text)
}

fn resolve_webhook(
    webhook: &model::world::Webhook,
    resolve: &(dyn Fn(&SecretRef) -> Result<String> + Sync),
) -> Result<Webhook> {
    let invalid = |problem: Problem| {
        Problem::new(&codes::config::WORLD_INVALID, format!("webhook {}: {}", webhook.name, problem.detail))
    };
    let secrets = resolve_secrets(&webhook.name, &webhook.secrets, resolve)?;
    let url = Zeroizing::new(resolve(&webhook.url)?.trim().to_owned());
    let webhook = Webhook::new(webhook.clone(), url, secrets);
    crate::notify::check(&webhook).map_err(invalid)?;
    Ok(webhook)
}

fn resolve_url(
    system: &model::world::System,
    resolve: &(dyn Fn(&SecretRef) -> Result<String> + Sync),
) -> Result<Zeroizing<String>> {
    let invalid =
        |detail: String| Problem::new(&codes::config::WORLD_INVALID, format!("system {}: {detail}", system.name));
    if matches!(system.adapter.as_str(), "manual" | "moveout") {
        return Ok(Zeroizing::default());
    }
    let url = Zeroizing::new(resolve(&system.url)?.trim().to_owned());
    let spec: Spec = url.parse().map_err(|problem: Problem| invalid(problem.detail))?;
    if system.adapter == "webhook" {
        for (name, secret) in &system.secrets {
            let text = Zeroizing::new(resolve(secret)?);
            webhook::Secret::parse(&text).map_err(|problem| invalid(format!("secret {name}: {}", problem.detail)))?;
        }
        return if spec.adapter == "http" {
            Ok(url)
        } else {
            Err(invalid("its address begins with https://".to_owned()))
        };
    }
    if spec.adapter != system.adapter {
        return Err(invalid(format!("its adapter is {}, but its address is one for {}", system.adapter, spec.adapter)));
    }
    match adapters::registry().iter().find(|described| described.name == spec.adapter) {
        None => Err(invalid(format!("there is no adapter called {}", spec.adapter))),
        Some(described)
            if !(described.capabilities.erases || system.tables.is_empty() && system.locations.is_empty()) =>
        {
            Err(invalid(format!("the adapter {} cannot erase, so a map has no use", spec.adapter)))
        }
        Some(_) => Ok(url),
    }
}

fn warnings(engine: &Engine, world: &World) -> Vec<String> {
    let mut warnings = Vec::new();
    if !engine.settings.public_url.starts_with("https://") && !world.apps.is_empty() {
        warnings.push("The platform calls HTTPS addresses only, and public_url is not one.".to_owned());
    }
    for app in &world.apps {
        if app.secrets.is_empty() {
            warnings.push(format!("App {} has no secret: its callbacks are refused until it has one.", app.name));
        }
        if app.contact.is_none() {
            warnings.push(format!("App {} has no contact: the status page cannot say where to write to.", app.name));
        }
        if !world.systems.iter().any(|system| system.apps.as_ref().is_none_or(|apps| apps.contains(&app.name))) {
            warnings.push(format!("App {} has no system: its erasures are blocked until one is declared.", app.name));
        }
    }
    let known: BTreeSet<&str> = world.apps.iter().map(|app| app.name.as_str()).collect();
    for system in &world.systems {
        if !system.enabled {
            warnings.push(format!("System {} is switched off: erasures are blocked while it is.", system.name));
        }
        for app in system.apps.iter().flatten().filter(|app| !known.contains(app.as_str())) {
            warnings.push(format!("System {} is for the app {app}, which is not declared.", system.name));
        }
    }
    warnings
}
