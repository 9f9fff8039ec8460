//! `moveout restore`: puts a backup in the place of the store, and lets work go again once somebody has looked.

use std::path::PathBuf;

use engine::backup::{self, Restored};
use engine::ledger;
use model::{Problem, codes};
use serde_json::json;

use crate::context::Context;
use crate::exit::ExitCode;

/// How many forgotten requests are named for people.
const NAMED: usize = 20;

/// Put a backup in the place of the store; nothing is erased or sent until `--confirm`.
#[derive(clap::Args)]
pub struct RestoreArgs {
    /// What `moveout backup` wrote
    #[arg(required_unless_present = "confirm", conflicts_with = "confirm")]
    file: Option<PathBuf>,
    /// Give up what the store holds and the backup does not
    #[arg(long)]
    force: bool,
    /// Let outgoing work go that is held since a restore
    #[arg(long)]
    confirm: bool,
}

/// Restores, or confirms a restore.
pub async fn run(args: RestoreArgs, context: &Context) -> anyhow::Result<ExitCode> {
    match args.file {
        Some(file) => restore(file, args.force, context).await,
        None => confirm(context).await,
    }
}

async fn restore(file: PathBuf, force: bool, context: &Context) -> anyhow::Result<ExitCode> {
    let checked = backup::check(&file, &context.existing_keys()?, &context.ambient)?;
    let taken_at = checked.taken_at();
    let restored = backup::restore(&context.engine().await?, checked, force).await?;
    // Opened anew: the keys that hang on the store's own secret are those of the backup now.
    let checkpoint = ledger::checkpoint(&context.engine().await?).await?;
    let mut value = json!(restored);
    value["held"] = json!(true);
    value["checkpoint"] = json!(checkpoint);
    value["next"] = json!(["moveout restore --confirm", replay(taken_at)]);
    context.out.result(&value, || words(&restored))?;
    Ok(ExitCode::Ok)
}

fn replay(since: impl std::fmt::Display) -> String {
    format!("moveout erasure replay --since {since}")
}

fn words(restored: &Restored) -> String {
    let held = &restored.held;
    let rows: u64 = restored.counts.tables.values().sum();
    let mut lines = vec![
        format!("Restored {rows} rows and {} files as of {}.", restored.counts.blobs, held.taken_at),
        format!(
            "The log {} is closed with {} leaves; {} goes on from it. Hand out its key: moveout ledger key",
            restored.closed, restored.size, restored.origin
        ),
    ];
    if held.forgotten_leaves == 0 && held.forgotten_requests == 0 {
        lines.push("The mirror of the ledger remembers nothing that the store has forgotten.".to_owned());
    } else {
        lines.push(format!(
            "Forgotten, as the mirror of the ledger tells: {} leaves, and {} requests whose erasure was about to begin:",
            held.forgotten_leaves, held.forgotten_requests
        ));
        let line = |intent: &ledger::Intent| format!("  {}  {}  {}", intent.at, intent.request, intent.app);
        lines.extend(held.forgotten.iter().take(NAMED).map(line));
        if held.forgotten_requests > NAMED as u64 {
            lines.push(format!("  and {} more; `moveout doctor` counts them", held.forgotten_requests - NAMED as u64));
        }
    }
    lines.push(
        "Nobody stays signed in. Connections that people took back since then are there again.\n\
         Nothing is erased, sent or notified until you have looked and run: moveout restore --confirm"
            .to_owned(),
    );
    lines.push(format!(
        "If databases of your apps were restored too, erase again what came back with them: {}",
        replay(held.taken_at)
    ));
    lines.join("\n")
}

async fn confirm(context: &Context) -> anyhow::Result<ExitCode> {
    let held = backup::confirm(&context.engine().await?).await?;
    let Some(held) = held else {
        return Err(Problem::new(&codes::config::USAGE, "no outgoing work is held: nothing waits for --confirm").into());
    };
    context.out.result(&json!({ "held": false, "was": held }), || {
        format!("Outgoing work goes on, held since the restore at {}.", held.restored_at)
    })?;
    Ok(ExitCode::Ok)
}
