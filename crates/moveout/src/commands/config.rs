//! `moveout config`: checks and prints the settings.

use clap::Subcommand;

use crate::context::Context;
use crate::exit::ExitCode;

/// Check or print the settings.
#[derive(clap::Args)]
pub struct ConfigArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Check that the settings are valid
    Check,
    /// Print every setting; secrets are not shown
    Print {
        /// Say where each value came from
        #[arg(long)]
        origin: bool,
    },
}

/// Checks or prints; settings that are not valid were refused before.
pub async fn run(args: ConfigArgs, context: &Context) -> anyhow::Result<ExitCode> {
    let shown = context.config.shown();
    match args.action {
        Action::Check => {
            context.out.result(&serde_json::json!({ "valid": true }), || "The settings are valid.".to_owned())?
        }
        Action::Print { origin } => context.out.result(&shown, || {
            let lines = shown.iter().map(|setting| {
                let from = if origin { format!("  # {}", setting.origin) } else { String::new() };
                format!("{} = {:?}{from}\n", setting.name, setting.value)
            });
            lines.collect()
        })?,
    }
    Ok(ExitCode::Ok)
}
