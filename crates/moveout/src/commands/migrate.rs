//! `moveout migrate`: brings the store to the schema of this binary.

use serde_json::json;
use store::Store;

use crate::context::Context;
use crate::exit::ExitCode;

/// Bring the store to the schema of this binary, or make a new store.
///
/// A store in PostgreSQL is migrated by this command only. Give every process the new binary first: it runs on the schema before,
/// where that is possible, and says so where it is not.
#[derive(clap::Args)]
pub struct MigrateArgs {}

/// Migrates the store. In PostgreSQL this takes no master key: the first process that opens the store brings it.
pub async fn run(_: MigrateArgs, context: &Context) -> anyhow::Result<ExitCode> {
    let data = context.config.data.display().to_string();
    let (place, applied) = match &context.config.postgres {
        Some(settings) => ("PostgreSQL", Store::migrate_postgres(settings, &context.ambient).await?),
        None => {
            // Opening migrates it.
            context.engine().await?;
            (data.as_str(), vec![])
        }
    };
    context.out.result(&json!({ "data": data, "migrated": true, "applied": applied }), || {
        let applied: String = applied.iter().map(|name| format!("applied {name}\n")).collect();
        format!("{applied}The store in {place} has the schema of this binary.")
    })?;
    Ok(ExitCode::Ok)
}
