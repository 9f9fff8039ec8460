//! `moveout adapter`: the kinds of systems, what each can do, and whether yours fit.

mod check;
mod scan;
mod show;

use adapters::Described;
use clap::Subcommand;

use crate::context::Context;
use crate::exit::ExitCode;

/// The kinds of systems, what each can do, and whether yours fit.
#[derive(clap::Args)]
pub struct AdapterArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List them
    List,
    /// Show what one can do, what can be said of it, and an example
    Show(show::ShowArgs),
    /// Hold a map against its live database, or a source or destination to its promises
    Check(check::CheckArgs),
    /// Draft the map of a live database, as a declaration to review and apply
    Scan(scan::ScanArgs),
}

/// Runs the command.
pub async fn run(args: AdapterArgs, context: &Context) -> anyhow::Result<ExitCode> {
    match args.action {
        Action::List => list(context),
        Action::Show(args) => show::run(&args, context),
        Action::Check(args) => check::run(args, context).await,
        Action::Scan(args) => scan::run(args, context).await,
    }
}

fn list(context: &Context) -> anyhow::Result<ExitCode> {
    let adapters = adapters::registry();
    context.out.result(&adapters, || adapters.iter().map(described).collect())?;
    Ok(ExitCode::Ok)
}

/// What an adapter is and can do, a few lines for people.
fn described(adapter: &Described) -> String {
    let can = &adapter.capabilities;
    let mut lines = format!("{:<11} {}\n", adapter.name, adapter.about);
    for (verb, types) in [("reads", &can.reads), ("writes", &can.writes)] {
        if !types.is_empty() {
            let types: Vec<_> = types.iter().map(|data_type| data_type.name()).collect();
            lines.push_str(&format!("{:<11} {verb} {}\n", "", types.join(", ")));
        }
    }
    if can.erases {
        lines.push_str(&format!("{:<11} erases\n", ""));
    }
    lines
}
