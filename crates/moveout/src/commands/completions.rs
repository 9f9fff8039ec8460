//! `moveout completions`: what a shell needs to complete our commands.

use clap::CommandFactory;

use crate::cli::Cli;
use crate::context::Context;
use crate::exit::ExitCode;

/// Print completions for a shell.
#[derive(clap::Args)]
pub struct CompletionsArgs {
    /// The shell
    shell: clap_complete::Shell,
}

/// Prints them.
pub async fn run(args: CompletionsArgs, context: &Context) -> anyhow::Result<ExitCode> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "moveout", &mut text);
    context.out.print(&String::from_utf8(text)?)?;
    Ok(ExitCode::Ok)
}
