//! `moveout erasure`: ask for an erasure, look at it before and after, and decide where a person must.

use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use engine::{Engine, erasure, jobs};
use model::erasure::{ErasureState, ListView, PlanView, RequestView};
use model::{Identity, IdentityKind, Problem, Verdict, codes};
use serde_json::json;

use super::replay;
use super::task::TaskCommand;
use crate::context::Context;
use crate::exit::ExitCode;

/// The most identities read from stdin, in bytes.
const MAX_STDIN: u64 = 1024 * 1024;
/// How often to look whether a request waits.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Erase a person's data, and see what became of it
#[derive(Args)]
pub struct ErasureArgs {
    #[command(subcommand)]
    command: ErasureCommand,
}

#[derive(Subcommand)]
enum ErasureCommand {
    /// Erase a person in every system of an app
    Request {
        #[command(flatten)]
        whom: Whom,
        /// Only record it; a server or worker does the work
        #[arg(long)]
        no_wait: bool,
    },
    /// Make requests of a list of ids that a platform handed out
    Import {
        /// The app
        #[arg(long)]
        app: String,
        /// What kind of ids it holds
        #[arg(long, default_value = "asid")]
        kind: IdentityKind,
        /// One id a line, CSV, JSON array or JSON lines
        file: PathBuf,
        /// Only read it and say what would become of it
        #[arg(long, conflicts_with = "wait")]
        dry_run: bool,
        /// Work on what is due until nothing is; else a server or worker does
        #[arg(long)]
        wait: bool,
    },
    /// Show what a request would find and do, without making one
    Plan {
        #[command(flatten)]
        whom: Whom,
    },
    /// List the requests, newest first
    List {
        /// Only those in this state
        #[arg(long)]
        state: Option<ErasureState>,
    },
    /// Show a request
    Show {
        /// Its id, or any of its confirmation codes
        id: String,
    },
    /// Let a request begin that waits for approval
    Approve {
        /// Its id, or any of its confirmation codes
        id: String,
    },
    /// Keep workers from a request until it is resumed
    Pause {
        /// Its id, or any of its confirmation codes
        id: String,
    },
    /// Stop all erasures, on every machine, before their next destructive step
    Stop {
        /// Why, for whoever sees that nothing goes on
        #[arg(long, default_value = "")]
        why: String,
    },
    /// Let all erasures go on after a stop
    Start,
    /// Let a blocked or paused request go on after its cause was mended
    Resume {
        /// Its id, or any of its confirmation codes
        id: String,
        /// Only release it; a server or worker does the work
        #[arg(long)]
        no_wait: bool,
    },
    /// Take a request back before anything is erased
    Cancel {
        /// Its id, or any of its confirmation codes
        id: String,
    },
    /// Erase again what a restored backup of an app's database has brought back
    Replay(replay::ReplayArgs),
    /// What others have to do: processors that must report, people with a task
    Task {
        #[command(subcommand)]
        command: TaskCommand,
    },
}

/// The person.
#[derive(Args)]
struct Whom {
    /// The app
    #[arg(long)]
    app: String,
    /// Who it is, as KIND:VALUE (`asid:1001`, `email:zoe@example.org`); `-` reads one a line from stdin
    #[arg(long = "id", value_name = "KIND:VALUE", required = true)]
    ids: Vec<String>,
}

impl Whom {
    fn identities(&self) -> anyhow::Result<Vec<Identity>> {
        let mut identities = Vec::new();
        for id in &self.ids {
            if id == "-" {
                let mut text = String::new();
                std::io::stdin().take(MAX_STDIN).read_to_string(&mut text)?;
                for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
                    identities.push(line.parse()?);
                }
            } else {
                identities.push(id.parse()?);
            }
        }
        if identities.is_empty() {
            return Err(Problem::new(&codes::erasure::IDENTITY_MALFORMED, "there is none on stdin").into());
        }
        Ok(identities)
    }
}

/// Runs the command.
pub async fn run(args: ErasureArgs, context: &Context) -> anyhow::Result<ExitCode> {
    let engine = context.engine().await?;
    let view = match args.command {
        ErasureCommand::Replay(args) => return replay::run(args, context).await,
        ErasureCommand::Request { whom, no_wait } => {
            let view = erasure::request(&engine, &whom.app, whom.identities()?, "cli").await?;
            if no_wait { view } else { finish(&engine, view).await? }
        }
        ErasureCommand::Resume { id, no_wait } => {
            let view = erasure::resume(&engine, &id).await?;
            if no_wait { view } else { finish(&engine, view).await? }
        }
        ErasureCommand::Pause { id } => erasure::pause(&engine, &id).await?,
        ErasureCommand::Stop { why } => {
            let stop = erasure::stop(&engine, &why).await?;
            context.out.result(&stop, || format!("All erasures are stopped since {}.", stop.since))?;
            return Ok(ExitCode::Ok);
        }
        ErasureCommand::Start => {
            let resumed = erasure::start(&engine).await?;
            context.out.result(&json!({ "resumed": resumed }), || format!("{resumed} requests go on."))?;
            return Ok(ExitCode::Ok);
        }
        ErasureCommand::Show { id } => erasure::show(&engine, &id).await?,
        ErasureCommand::Approve { id } => erasure::approve(&engine, &id).await?,
        ErasureCommand::Cancel { id } => erasure::cancel(&engine, &id).await?,
        ErasureCommand::Import { app, kind, file, dry_run, wait } => {
            let list = erasure::Import { app: &app, kind: &kind, file: &file };
            let view = match dry_run {
                true => erasure::import_dry(&engine, list).await?,
                false => erasure::import(&engine, list, wait).await?,
            };
            context.out.result(&view, || list_words(&view, dry_run))?;
            return Ok(ExitCode::Ok);
        }
        ErasureCommand::Plan { whom } => {
            let plan = erasure::preview(&engine, &whom.app, &whom.identities()?).await?;
            context.out.result(&plan, || plan_words(&plan))?;
            return Ok(if plan.is_clear() { ExitCode::Ok } else { ExitCode::NotHeld });
        }
        ErasureCommand::Task { command } => return super::task::run(command, &engine, context).await,
        ErasureCommand::List { state } => return list(&engine, state, context).await,
    };
    context.out.result(&view, || request_words(&engine, &view))?;
    Ok(exit_code(&view))
}

/// Works on a request until it has come to rest, here or in a server on the same store, and shows it.
///
/// A system that is away does not keep the command: the request waits, and a server or the next try goes on with it.
async fn finish(engine: &Engine, view: RequestView) -> anyhow::Result<RequestView> {
    let work = jobs::drain_one(engine, erasure::JOB, &view.id);
    tokio::select! {
        ended = work => { ended?; }
        waits = is_away(engine, &view.id) => waits?,
    }
    Ok(erasure::show(engine, &view.id).await?)
}

/// Returns once the request waits: for a system that is away, or until its cool-off is over.
async fn is_away(engine: &Engine, id: &str) -> anyhow::Result<()> {
    loop {
        tokio::time::sleep(LOOK_AGAIN).await;
        if erasure::show(engine, id).await?.state == ErasureState::Waiting {
            return Ok(());
        }
    }
}

fn waits_for_system(view: &RequestView) -> bool {
    view.state == ErasureState::Waiting && view.reason.as_ref().is_some_and(|reason| reason.verdict == Verdict::Retry)
}

fn exit_code(view: &RequestView) -> ExitCode {
    if view.state == ErasureState::Blocked || waits_for_system(view) { ExitCode::NotHeld } else { ExitCode::Ok }
}

async fn list(engine: &Engine, state: Option<ErasureState>, context: &Context) -> anyhow::Result<ExitCode> {
    let views = erasure::list(engine, state).await?;
    let words = || {
        let line = |view: &RequestView| {
            let due = view.finished_at.map_or_else(|| format!("due {}", view.due_at), |at| format!("ended {at}"));
            format!("{}  {:<14}  {}  {}  {due}", view.id, view.state, view.app, view.door)
        };
        match views.is_empty() {
            true => "No requests.".to_owned(),
            false => views.iter().map(line).collect::<Vec<_>>().join("\n"),
        }
    };
    context.out.result(&views, words)?;
    Ok(ExitCode::Ok)
}

fn request_words(engine: &Engine, view: &RequestView) -> String {
    let mut lines = vec![
        format!("Request   {} ({}, by {})", view.id, view.app, view.door),
        format!("State     {}", view.state),
        format!("Status    {}", erasure::status_url(engine, &view.confirmation_code)),
        format!("Received  {}", view.received_at),
    ];
    lines.push(match view.finished_at {
        Some(at) => format!("Ended     {at}"),
        None => format!("Due       {}", view.due_at),
    });
    if let Some(reason) = &view.reason {
        lines.push(format!("Why       {reason}"));
    }
    for system in &view.systems {
        lines.push(format!("\n{}: {}", system.name, system.state));
        for table in &system.tables {
            lines.push(format!(
                "  {:<24} found {:>6}  erased {:>6}  kept {:>6}  remaining {:>6}",
                table.name, table.found, table.erased, table.kept, table.remaining
            ));
            lines.extend(table.note.iter().map(|note| format!("    {note}")));
            lines.extend(table.evidence.iter().map(|evidence| {
                let at = evidence.at.map(|at| format!("{at}: ")).unwrap_or_default();
                format!("    {at}{}", evidence.words)
            }));
        }
        if let Some(reason) = &system.reason {
            lines.push(format!("  {reason}"));
        }
    }
    for kept in &view.kept {
        let until =
            kept.until.map_or_else(|| "as long as the rule demands".to_owned(), |until| format!("until {until}"));
        lines.push(format!("\nKept: {} ({}, {}), {until}", kept.what, kept.ground, kept.law));
    }
    lines.join("\n")
}

fn list_words(view: &ListView, dry_run: bool) -> String {
    let counts = &view.counts;
    let queued = if dry_run { "would be queued" } else { "queued" };
    let mut lines = vec![
        format!("{} lines: {} ids, {} blank, {} malformed", counts.lines, counts.valid, counts.blank, counts.malformed),
        format!(
            "{} {queued}, {} handled before, {} twice on the list",
            counts.queued, counts.already_handled, counts.duplicates
        ),
        format!("{} unknown so far: nothing of them was found", counts.unknown),
    ];
    lines.extend(view.faults.iter().map(|fault| format!("line {}: {}", fault.line, fault.why)));
    if counts.malformed > view.faults.len() as u64 {
        lines.push(format!("and {} more", counts.malformed - view.faults.len() as u64));
    }
    lines.join("\n")
}

fn plan_words(plan: &PlanView) -> String {
    let mut lines = vec![format!("{} found in {} systems; nothing was changed.", plan.found, plan.systems.len())];
    lines.extend(plan.blockers.iter().map(|blocker| format!("Blocked: {blocker}")));
    for system in &plan.systems {
        lines.push(format!("\n{}", system.name));
        for (place, table) in system.tables.iter().enumerate() {
            lines.push(format!("  {:>3}. {:<24} {:<14} {:>6} found", place + 1, table.name, table.action, table.found));
            lines.extend(table.note.iter().map(|note| format!("       {note}")));
        }
        lines.extend(system.blockers.iter().map(|blocker| format!("  Blocked: {blocker}")));
        lines.extend(system.away.iter().map(|reason| format!("  Away: {reason}")));
        lines.extend(system.warnings.iter().map(|warning| format!("  Note: {warning}")));
    }
    lines.join("\n")
}
