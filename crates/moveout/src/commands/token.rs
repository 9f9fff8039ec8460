//! `moveout token issue`: an operator mints an access token of the landing, for scripts and tests.

use clap::{Args, Subcommand};
use engine::connections;
use jiff::{SignedDuration, Span};
use model::{Problem, codes};
use wire::oauth::Scopes;

use crate::context::Context;
use crate::exit::ExitCode;

/// Access tokens of the landing.
#[derive(Args)]
pub struct TokenArgs {
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Subcommand)]
enum TokenCommand {
    /// Mint an access token, for scripts and tests
    Issue {
        /// The account whose data it is about; made without a password if there is none
        #[arg(long, value_name = "NAME")]
        account: String,
        /// What it allows, separated by spaces: "media:write social-posts:write"
        #[arg(long, value_name = "SCOPES")]
        scope: Scopes,
        /// How long it lives, for example 30m, 8h or 90d
        #[arg(long, value_name = "TIME", default_value = "1h", value_parser = duration)]
        ttl: SignedDuration,
    },
}

/// Mints the token and prints it, alone on stdout.
pub async fn run(args: TokenArgs, context: &Context) -> anyhow::Result<ExitCode> {
    let TokenCommand::Issue { account, scope, ttl } = args.command;
    let engine = context.engine().await?;
    let issued = connections::issue_token(&engine, &account, &scope, ttl).await?;
    if issued.account_created {
        context.out.note(&format!("made the account {account}, which has no password"));
    }
    context.out.result(&issued, || issued.access_token.clone())?;
    Ok(ExitCode::Ok)
}

/// Reads a friendly duration; a day has 24 hours here.
fn duration(text: &str) -> Result<SignedDuration, Problem> {
    let malformed = || Problem::new(&codes::config::USAGE, "a time is a number with s, m, h or d: 30m, 8h, 90d");
    let span: Span = text.parse().map_err(|_| malformed())?;
    span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).map_err(|_| malformed())
}
