//! `moveout webhook`: who is told of changes, and what could not be told.

use engine::notify::{self, Standing};
use serde_json::json;

use crate::context::Context;
use crate::exit::ExitCode;

/// Who is told of changes, and what could not be told.
#[derive(clap::Args)]
pub struct WebhookArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Show every receiver, what waits for it, and what was put aside
    List,
    /// Try everything at once that waits or was put aside for a receiver
    Retry {
        /// The receiver
        name: String,
    },
    /// Send one message of type `webhook.test`
    Test {
        /// The receiver
        name: String,
    },
}

/// Lists, retries or tests.
pub async fn run(args: WebhookArgs, context: &Context) -> anyhow::Result<ExitCode> {
    let engine = context.engine().await?;
    match args.action {
        Action::List => {
            let standings = notify::list(&engine).await?;
            let values: Vec<_> = standings.iter().map(as_json).collect();
            context.out.result(&values, || standings.iter().map(words).collect())?;
        }
        Action::Retry { name } => {
            let notices = notify::retry(&engine, &name).await?;
            context.out.result(&json!({ "webhook": name, "notices": notices }), || {
                format!("{notices} notices for {name} are tried again by whoever serves or works on this store.")
            })?;
        }
        Action::Test { name } => {
            notify::test(&engine, &name).await?;
            context.out.result(&json!({ "webhook": name, "taken": true }), || format!("{name} took the message."))?;
        }
    }
    Ok(ExitCode::Ok)
}

fn as_json(standing: &Standing) -> serde_json::Value {
    json!({
        "name": standing.name,
        "events": standing.events,
        "waiting": standing.waiting,
        "parked": standing.parked,
        "parked_reason": standing.parked_problem,
        "taken": standing.taken,
        "taken_at": standing.taken_at,
        "retry_at": standing.health.retry_at,
        "reason": standing.health.problem,
    })
}

fn words(standing: &Standing) -> String {
    let Standing { name, waiting, parked, taken, .. } = standing;
    let mut words = format!("{name}: {taken} taken, {waiting} waiting, {parked} put aside\n");
    for reason in standing.health.problem.iter().chain(&standing.parked_problem) {
        words.push_str(&format!("  {reason}\n"));
    }
    words
}
