//! `moveout erasure task`: what others have still to do, and that it was done.

use clap::Subcommand;
use engine::{Engine, erasure};
use serde_json::json;

use crate::context::Context;
use crate::exit::ExitCode;

/// What can be asked of tasks.
#[derive(Subcommand)]
pub enum TaskCommand {
    /// List what others have still to do, what is due first first
    List,
    /// Say that a task was done; the request goes on
    Done {
        /// Its id
        id: String,
        /// How one could convince oneself: the number of a ticket, who looked; no personal data
        #[arg(long, value_name = "TEXT")]
        evidence: String,
    },
}

/// Runs the command.
pub async fn run(command: TaskCommand, engine: &Engine, context: &Context) -> anyhow::Result<ExitCode> {
    match command {
        TaskCommand::List => {
            let tasks = erasure::open_tasks(engine).await?;
            context.out.result(&tasks, || match tasks.is_empty() {
                true => "Nobody has anything left to do.".to_owned(),
                false => tasks.iter().map(words).collect::<Vec<_>>().join("\n"),
            })?;
        }
        TaskCommand::Done { id, evidence } => {
            erasure::finish_task(engine, &id, &evidence).await?;
            context.out.result(&json!({ "task": id, "done": true }), || "Recorded; the request goes on.".to_owned())?;
        }
    }
    Ok(ExitCode::Ok)
}

fn words(task: &erasure::TaskView) -> String {
    let late = if task.overdue { "  OVERDUE" } else { "" };
    let whom = task.assignee.as_deref().unwrap_or("the processor");
    let what = task.what.as_deref().unwrap_or("erase what our message names, and report");
    format!("{}  due {}{late}\n  {} / {}, {whom}: {what}", task.id, task.due_at, task.system, task.location)
}
