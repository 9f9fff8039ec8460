//! `moveout adapter`: the kinds of systems, and what each can do.

use clap::Subcommand;

use crate::context::Context;
use crate::exit::ExitCode;

/// The kinds of systems, and what each can do.
#[derive(clap::Args)]
pub struct AdapterArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List them
    List,
}

/// Lists them.
pub async fn run(args: AdapterArgs, context: &Context) -> anyhow::Result<ExitCode> {
    let Action::List = args.action;
    let adapters = adapters::registry();
    context.out.result(&adapters, || {
        let lines = adapters.iter().map(|adapter| {
            let can = &adapter.capabilities;
            let mut line = format!("{:<10} {}\n", adapter.name, adapter.about);
            for (verb, types) in [("reads", &can.reads), ("writes", &can.writes)] {
                if !types.is_empty() {
                    let types: Vec<_> = types.iter().map(|data_type| data_type.name()).collect();
                    line.push_str(&format!("{:<10} {verb} {}\n", "", types.join(", ")));
                }
            }
            if can.erases {
                line.push_str(&format!("{:<10} erases\n", ""));
            }
            line
        });
        lines.collect()
    })?;
    Ok(ExitCode::Ok)
}
