//! `moveout adapter scan`: drafts the map of a live database.

use adapters::{Context as Opening, Spec, open_inspector};
use engine::scan::{self, Draft, Heading};
use model::Problem;
use model::world::SecretRef;
use serde_json::json;
use url::Url;

use crate::context::Context;
use crate::exit::ExitCode;

/// Draft the map of a live database, as a declaration to review and apply; changes nothing.
#[derive(clap::Args)]
pub struct ScanArgs {
    /// The database: postgres://user@host/db, sqlite:./shop.db, or env:NAME or file:PATH, which hold such a URL
    #[arg(value_name = "URL")]
    url: String,
    /// Name the app so [default: after the database]
    #[arg(long, value_name = "NAME")]
    app: Option<String>,
    /// Name the system so [default: after the database]
    #[arg(long, value_name = "NAME")]
    system: Option<String>,
    /// Leave out the app: the draft is to go into a declaration that has one
    #[arg(long, conflicts_with = "app")]
    system_only: bool,
}

/// Scans, and prints the draft.
pub async fn run(args: ScanArgs, context: &Context) -> anyhow::Result<ExitCode> {
    let url = context.resolve(&SecretRef(args.url.clone()), &std::env::current_dir()?)?;
    let spec: Spec = url.trim().parse()?;
    let opening = Opening::new(context.net());
    let inspector = open_inspector(&spec, &opening).await?;
    let heading = heading(&args, &spec, url.trim());
    let draft = scan::scan(inspector.as_ref()).await.map_err(named(&spec))?;
    let text = scan::text(&draft, &heading);
    if let Some(name) = heading.url.strip_prefix("env:").filter(|_| !args.url.starts_with("env:")) {
        context.out.note(&format!(
            "The address holds a secret, so the draft says env:{name}: put it there for `moveout apply`."
        ));
    }
    let system = json!({ "name": heading.system, "adapter": heading.adapter, "url": heading.url });
    let mut value = serde_json::to_value(&draft)?;
    value["whole"] = draft.is_whole().into();
    value["system"] = system;
    value["toml"] = text.as_str().into();
    context.out.result(&value, || text)?;
    context.out.note(&summary(&draft));
    Ok(if draft.is_whole() { ExitCode::Ok } else { ExitCode::NotHeld })
}

/// Says which database a problem is about, without its secrets.
fn named(spec: &Spec) -> impl Fn(Problem) -> Problem {
    let place = spec.to_string();
    move |problem| Problem { detail: format!("{place}: {}", problem.detail), ..problem }
}

fn heading(args: &ScanArgs, spec: &Spec, url: &str) -> Heading {
    let base = plain(spec.target.split(['?', '#']).next().unwrap_or_default());
    let system = args.system.clone().unwrap_or_else(|| format!("{base}-db"));
    let app = (!args.system_only).then(|| args.app.clone().unwrap_or_else(|| base.clone()));
    let is_reference = args.url.starts_with("env:") || args.url.starts_with("file:");
    let url = match (is_reference, holds_secret(url)) {
        (true, _) => args.url.clone(),
        (false, true) => format!("env:{}_DATABASE_URL", base.to_uppercase().replace('-', "_")),
        (false, false) => url.to_owned(),
    };
    Heading { app, system, adapter: spec.adapter.clone(), url }
}

/// The last part of a path or URL, as a name that can stand in a declaration.
fn plain(target: &str) -> String {
    let last = target.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let stem = last.rsplit_once('.').map_or(last, |(stem, _)| stem);
    let name: String =
        stem.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).take(32).collect();
    let name = name.trim_matches('-');
    if name.is_empty() { "database".to_owned() } else { name.to_owned() }
}

/// Tells whether an address has a password in it, or anything that could be one.
fn holds_secret(url: &str) -> bool {
    if !url.contains("://") {
        return false;
    }
    let Ok(url) = Url::parse(url) else { return true };
    let secret = |name: &str| ["pass", "secret", "token", "key"].iter().any(|part| name.to_lowercase().contains(part));
    url.password().is_some() || url.query_pairs().any(|(name, _)| secret(&name))
}

fn summary(draft: &Draft) -> String {
    format!(
        "{} tables in the draft, {} to decide, {} that look personal and are out of reach, {} indexes missing.",
        draft.tables.len(),
        draft.undecided.len(),
        draft.unreachable.len(),
        draft.indexes.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heading_of(url: &str) -> Heading {
        let args = ScanArgs { url: url.to_owned(), app: None, system: None, system_only: false };
        heading(&args, &url.parse().unwrap(), url)
    }

    #[test]
    fn an_address_with_a_secret_is_never_shown() {
        for secret in [
            "postgres://zoe:pa55@db.example/shop",
            "postgres://db.example/shop?user=zoe&p%61ssword=pa55",
            "postgres://a b:pa55@/shop",
        ] {
            let heading = heading_of(secret);
            assert!(heading.url.starts_with("env:") && !format!("{heading:?}").contains("pa55"), "{heading:?}");
        }
        let heading = heading_of("postgres://zoe@db.example/my%20shop");
        assert_eq!(
            (heading.url.as_str(), heading.system.as_str()),
            ("postgres://zoe@db.example/my%20shop", "my-20shop-db")
        );
        assert_eq!(heading_of("sqlite:./data/shop.v2.db").app.as_deref(), Some("shop-v2"));
    }
}
