//! `moveout ledger`: the record of what was done, and that nobody changed it.

use std::path::PathBuf;

use clap::Subcommand;
use engine::ledger;
use model::{Problem, codes};
use serde_json::json;

use crate::context::Context;
use crate::exit::ExitCode;

/// The record of what was done, and that nobody changed it.
#[derive(clap::Args)]
pub struct LedgerArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Compute every hash anew and hold the ledger against earlier checkpoints
    Verify {
        /// A checkpoint that was kept elsewhere
        #[arg(long, value_name = "FILE")]
        checkpoint: Vec<PathBuf>,
    },
    /// Sign what the ledger is now; keep the note where this machine cannot change it
    Checkpoint,
    /// Print the public key that checks receipts and checkpoints
    Key,
}

/// Verifies, signs, or prints the key.
pub async fn run(args: LedgerArgs, context: &Context) -> anyhow::Result<ExitCode> {
    let engine = context.engine().await?;
    match args.action {
        Action::Verify { checkpoint } => {
            let read = |path: PathBuf| {
                std::fs::read_to_string(&path).map_err(|cause| {
                    Problem::new(&codes::config::FILE_UNREADABLE, format!("{}: {cause}", path.display()))
                        .caused_by(cause)
                })
            };
            let held = checkpoint.into_iter().map(read).collect::<model::Result<_>>()?;
            let audited = ledger::audit(&engine, held).await?;
            context.out.result(&audited, || {
                format!(
                    "The ledger holds: {} leaves, in agreement with {} earlier checkpoints.",
                    audited.size, audited.checkpoints
                )
            })?;
        }
        Action::Checkpoint => {
            let note = ledger::checkpoint(&engine).await?;
            context.out.result(&json!({ "checkpoint": note }), || note.clone())?;
        }
        Action::Key => {
            let key = ledger::public_key(&engine).await?.to_string();
            context.out.result(&json!({ "public_key": key }), || key.clone())?;
        }
    }
    Ok(ExitCode::Ok)
}
