//! `moveout account`: the local accounts that people and operators sign in with.

use std::io::Read;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use engine::connections::{self, Role};
use model::{Problem, codes};
use serde::Serialize;

use crate::context::Context;
use crate::exit::ExitCode;
use crate::secrets;

/// Local accounts.
#[derive(Args)]
pub struct AccountArgs {
    #[command(subcommand)]
    command: AccountCommand,
}

#[derive(Subcommand)]
enum AccountCommand {
    /// Make an account that signs in with a password
    Add {
        /// The name to sign in with
        name: String,
        /// A file that holds the password, of 12 characters or more; `-` reads it from stdin
        #[arg(long, value_name = "FILE")]
        password_file: PathBuf,
        /// It may see the console
        #[arg(long)]
        operator: bool,
        /// It exists: set its password and role anew, and sign it out everywhere
        #[arg(long)]
        reset: bool,
    },
    /// List the accounts
    List,
}

/// An account as it is shown.
#[derive(Serialize)]
struct Shown {
    id: String,
    name: String,
    role: &'static str,
}

impl From<connections::Account> for Shown {
    fn from(account: connections::Account) -> Self {
        Self { id: account.id, name: account.name, role: account.role.name() }
    }
}

/// Runs the subcommand.
pub async fn run(args: AccountArgs, context: &Context) -> anyhow::Result<ExitCode> {
    let engine = context.engine().await?;
    match args.command {
        AccountCommand::Add { name, password_file, operator, reset } => {
            let password = read_password(&password_file)?;
            let role = if operator { Role::Operator } else { Role::Person };
            let account = if reset {
                connections::reset_account(&engine, &name, role, &password).await?
            } else {
                connections::add_account(&engine, &name, role, &password).await?
            };
            let account = Shown::from(account);
            context.out.result(&account, || format!("{} can sign in ({})", account.name, account.role))?;
        }
        AccountCommand::List => {
            let accounts: Vec<Shown> =
                connections::list_accounts(&engine).await?.into_iter().map(Shown::from).collect();
            let words = || accounts.iter().map(|account| format!("{}  {}\n", account.name, account.role)).collect();
            context.out.result(&accounts, words)?;
        }
    }
    Ok(ExitCode::Ok)
}

fn read_password(file: &Path) -> Result<String, Problem> {
    if file != Path::new("-") {
        return secrets::from_file(file);
    }
    let mut text = String::new();
    let read = std::io::stdin().take(4096).read_to_string(&mut text);
    read.map_err(|cause| Problem::new(&codes::config::SECRET_UNREADABLE, "stdin").caused_by(cause))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
