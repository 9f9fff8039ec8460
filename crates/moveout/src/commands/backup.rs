//! `moveout backup`: one file with everything but the master key, taken while everything goes on.

use std::path::PathBuf;

use engine::backup;
use model::{Problem, codes};
use serde_json::json;

use crate::context::Context;
use crate::exit::ExitCode;

/// Write the store and its blobs into one file, while everything goes on.
#[derive(clap::Args)]
pub struct BackupArgs {
    /// The file to write, which must not exist yet; in a folder it is named after the moment
    path: PathBuf,
}

/// Takes a backup.
pub async fn run(args: BackupArgs, context: &Context) -> anyhow::Result<ExitCode> {
    let config = &context.config;
    // Opening a store creates it, and nothing is worth no backup.
    if config.postgres.is_none() && !config.data.join("moveout.db").exists() {
        let detail = format!("there is no store in {}", config.data.display());
        return Err(Problem::new(&codes::config::FILE_UNREADABLE, detail).into());
    }
    let path = match args.path.is_dir() {
        true => args.path.join(context.ambient.now().strftime("moveout-%Y%m%dT%H%M%SZ.tar").to_string()),
        false => args.path,
    };
    let engine = context.engine().await?;
    let taken = backup::take(&engine, &path).await?;
    let rows: u64 = taken.counts.tables.values().sum();
    let mut value = json!(taken);
    value["file"] = json!(path);
    context.out.result(&value, || {
        format!(
            "{}: {rows} rows and {} files ({} bytes) as of {}; ledger {} with {} leaves.\n\
             The master key is not in it, and people's data is: keep both safe, and apart from each other.",
            path.display(),
            taken.counts.blobs,
            taken.counts.blob_bytes,
            taken.taken_at,
            taken.origin,
            taken.size
        )
    })?;
    Ok(ExitCode::Ok)
}
