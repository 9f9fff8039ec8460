//! `moveout ledger`: the record of what was done, and that nobody changed it.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use engine::ledger::{self, Audited};
use model::{Problem, codes};
use serde_json::json;
use wire::consistency::notes_in;

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
        /// What was kept elsewhere: a checkpoint, a receipt or a consistency statement
        #[arg(long, value_name = "FILE", visible_alias = "checkpoint")]
        held: Vec<PathBuf>,
    },
    /// Sign what the ledger is now; keep the note where this machine cannot change it
    Checkpoint {
        /// Prove as well that the ledger begins with what this checkpoint or receipt says; prints a consistency statement,
        /// which `moveout receipt verify` checks offline
        #[arg(long, value_name = "FILE")]
        since: Option<PathBuf>,
    },
    /// Print the public keys that check receipts and checkpoints: the present one first, then those of logs that a restore has closed
    Key,
}

/// Verifies, signs, or prints the keys.
pub async fn run(args: LedgerArgs, context: &Context) -> anyhow::Result<ExitCode> {
    let engine = context.engine().await?;
    match args.action {
        Action::Verify { held } => {
            let held = held.iter().map(|path| notes(path)).collect::<model::Result<Vec<_>>>()?.concat();
            let audited = ledger::audit(&engine, held).await?;
            context.out.result(&audited, || words(&audited))?;
        }
        Action::Checkpoint { since: None } => {
            let note = ledger::checkpoint(&engine).await?;
            context.out.result(&json!({ "checkpoint": note }), || note.clone())?;
        }
        Action::Checkpoint { since: Some(path) } => {
            // What holds several notes ends with the newest.
            let held = notes(&path)?.pop().unwrap_or_default();
            let statement = ledger::checkpoint_since(&engine, held).await?;
            let pretty = serde_json::to_string_pretty(&statement)?;
            context.out.result(&statement, || pretty)?;
        }
        Action::Key => {
            let key = ledger::public_key(&engine).await?.to_string();
            let past: Vec<String> = ledger::past_keys(&engine).await?.iter().map(ToString::to_string).collect();
            let lines = [std::slice::from_ref(&key), &past].concat().join("\n");
            context.out.result(&json!({ "public_key": key, "past": past }), || lines)?;
        }
    }
    Ok(ExitCode::Ok)
}

fn notes(path: &Path) -> model::Result<Vec<String>> {
    let text = std::fs::read_to_string(path).map_err(|cause| {
        Problem::new(&codes::config::FILE_UNREADABLE, format!("{}: {cause}", path.display())).caused_by(cause)
    })?;
    notes_in(&text)
}

fn words(audited: &Audited) -> String {
    let mut words = format!(
        "The ledger holds: {} leaves, in agreement with {} earlier checkpoints.",
        audited.size, audited.checkpoints
    );
    for log in &audited.past {
        words.push_str(&format!(
            "\nBefore it: {}, {} leaves, until a backup of {} was restored at {}.",
            log.origin, log.size, log.taken_at, log.restored_at
        ));
    }
    if audited.forgotten_checkpoints > 0 {
        words.push_str(&format!(
            "\n{} earlier checkpoints are of leaves that these restores have forgotten, as the ledger says.",
            audited.forgotten_checkpoints
        ));
    }
    words
}
