//! `moveout erasure replay`: erase again what a restored backup of an app's database has brought back.

use std::time::Duration;

use clap::Args;
use engine::erasure::replay::{self, Due, Repeat, Restored};
use engine::{Engine, erasure, jobs};
use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};
use model::erasure::ErasureState;
use serde_json::json;

use crate::context::Context;
use crate::exit::ExitCode;

/// How often to look whether requests that others work on have come to rest.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// How many requests are named for people.
const NAMED: usize = 50;

/// Erase again what a restored backup of an app's database has brought back.
#[derive(Args)]
pub struct ReplayArgs {
    /// The moment that the backup is of: a time (2026-11-22T04:00:00Z) or a day, which begins at midnight UTC
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Timestamp,
    /// Only this app's people
    #[arg(long)]
    app: Option<String>,
    /// Only this system, because only it was restored; may be given several times
    #[arg(long = "system", value_name = "NAME")]
    systems: Vec<String>,
    /// The same backup was restored once more: repeat what was repeated before
    #[arg(long)]
    again: bool,
    /// Only show what would be repeated, and how many rows are back
    #[arg(long)]
    dry_run: bool,
    /// Only record the requests; a server or worker does the work
    #[arg(long)]
    no_wait: bool,
}

fn moment(text: &str) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let day: Date =
        text.parse().map_err(|_| "a time like 2026-11-22T04:00:00Z, or a day like 2026-11-22".to_owned())?;
    day.to_zoned(TimeZone::UTC).map(|midnight| midnight.timestamp()).map_err(|cause| cause.to_string())
}

/// Looks, or repeats and waits.
pub async fn run(args: ReplayArgs, context: &Context) -> anyhow::Result<ExitCode> {
    let engine = context.engine().await?;
    let mut systems = args.systems;
    systems.sort();
    systems.dedup();
    let restored = Restored { since: args.since, app: args.app, systems, again: args.again };
    let due = if args.dry_run {
        replay::look(&engine, &restored).await?
    } else {
        let mut due = replay::replay(&engine, &restored).await?;
        if !args.no_wait {
            finish(&engine, &mut due.requests).await?;
        }
        due
    };
    let mut value = json!(due);
    value["since"] = json!(restored.since);
    value["dry_run"] = json!(args.dry_run);
    context.out.result(&value, || words(&due, args.dry_run))?;
    Ok(exit_code(&due, args.dry_run || args.no_wait))
}

/// Works until every request has come to rest, here or in a server on the same store, or all erasures are stopped.
async fn finish(engine: &Engine, requests: &mut [Repeat]) -> anyhow::Result<()> {
    loop {
        jobs::drain(engine).await?;
        let open: Vec<String> =
            requests.iter().filter(|repeat| is_open(repeat)).filter_map(|repeat| repeat.request.clone()).collect();
        if open.is_empty() {
            return Ok(());
        }
        engine::backup::released(engine).await?;
        if erasure::stopped(engine).await?.is_some() {
            return Ok(());
        }
        let states = replay::states(engine, open).await?;
        for repeat in requests.iter_mut() {
            if let Some(state) = repeat.request.as_ref().and_then(|request| states.get(request)) {
                repeat.state = Some(*state);
            }
        }
        if requests.iter().any(is_open) {
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }
}

fn is_open(repeat: &Repeat) -> bool {
    matches!(repeat.state, Some(ErasureState::Received | ErasureState::Running))
}

fn exit_code(due: &Due, may_be_open: bool) -> ExitCode {
    let stands =
        |repeat: &Repeat| repeat.state.is_some_and(|state| !state.is_final()) && !(may_be_open && is_open(repeat));
    if due.requests.iter().any(stands) {
        ExitCode::NotHeld
    } else if !due.lost.is_empty() || !due.forgotten.is_empty() {
        ExitCode::WithFailures
    } else {
        ExitCode::Ok
    }
}

fn words(due: &Due, dry_run: bool) -> String {
    let mut lines = Vec::new();
    let heading = if dry_run { "can be erased again; nothing was changed" } else { "erased again" };
    lines.push(format!("{} requests {heading}", due.requests.len()));
    for repeat in due.requests.iter().take(NAMED) {
        let found = repeat.found.map(|found| format!("{found} rows are back")).unwrap_or_default();
        let state = repeat.state.map(|state| state.to_string()).unwrap_or_default();
        let by = repeat.request.as_deref().map(|request| format!("by {request}: ")).unwrap_or_default();
        lines.push(format!("  {}  {}  ended {}  {by}{state}{found}", repeat.first, repeat.app, repeat.finished_at));
    }
    if due.requests.len() > NAMED {
        lines.push(format!("  and {} more; --json names them all", due.requests.len() - NAMED));
    }
    if !due.lost.is_empty() {
        lines.push(format!("\n{} requests cannot be repeated:", due.lost.len()));
        let line =
            |lost: &replay::Lost| format!("  {}  {}  ended {}: {}", lost.first, lost.app, lost.finished_at, lost.why);
        lines.extend(due.lost.iter().take(NAMED).map(line));
    }
    if !due.forgotten.is_empty() {
        lines.push(format!("\n{} requests are known only to the mirror of the ledger:", due.forgotten.len()));
        let line =
            |intent: &engine::ledger::Intent| format!("  {}  {}  begun {}", intent.request, intent.app, intent.at);
        lines.extend(due.forgotten.iter().take(NAMED).map(line));
        lines.push("Whom they were about is lost with the store: ask again by the person or the platform.".to_owned());
    }
    lines.join("\n")
}
