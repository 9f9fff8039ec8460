//! `moveout migrate`: brings the store to the schema of this binary.

use serde_json::json;

use crate::context::Context;
use crate::exit::ExitCode;

/// Bring the store to the schema of this binary.
#[derive(clap::Args)]
pub struct MigrateArgs {}

/// Opens the store, which migrates it.
pub async fn run(_: MigrateArgs, context: &Context) -> anyhow::Result<ExitCode> {
    context.engine().await?;
    let data = context.config.data.display().to_string();
    let place = if context.config.store_url.is_some() { "PostgreSQL" } else { data.as_str() };
    context.out.result(&json!({ "data": data, "migrated": true }), || {
        format!("The store in {place} has the schema of this binary.")
    })?;
    Ok(ExitCode::Ok)
}
