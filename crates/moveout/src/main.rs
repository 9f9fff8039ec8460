//! The moveout binary: command line, configuration, wiring.

mod cli;
mod commands;
mod config;
mod context;
mod demo;
mod exit;
mod output;
mod secrets;
mod system;
mod table;

use clap::Parser;

use cli::Cli;
use config::Environment;
use context::Context;
use exit::ExitCode;
use output::Out;

fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    let out = Out::new(cli.global.json);
    run(cli, out).unwrap_or_else(|error| exit::report(&error, out)).into()
}

fn run(cli: Cli, out: Out) -> anyhow::Result<ExitCode> {
    let environment = Environment::of_process();
    let config = config::load(&cli.flags(), &environment)?;
    output::start_log(config.log.as_deref().unwrap_or(cli.command.usual_log()))?;
    let context = Context::new(config, environment, out);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(cli.command.run(&context))
}
