//! `moveout identity`: the map of which identities are one person's.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use engine::Engine;
use engine::erasure::{self, Link, MOST_PEOPLE};
use model::{Problem, codes};
use serde_json::json;
use wire::people::{Header, MAX_LINE};

use crate::context::Context;
use crate::exit::ExitCode;

/// Which identities are one person's, as the app knows
#[derive(Args)]
pub struct IdentityArgs {
    #[command(subcommand)]
    command: IdentityCommand,
}

#[derive(Subcommand)]
enum IdentityCommand {
    /// Fill the map from a CSV file whose first line reads like person,asid,email,account
    Import {
        /// The app
        #[arg(long)]
        app: String,
        /// The file
        file: PathBuf,
    },
    /// Forget what the map says of a person
    Forget {
        /// The app
        #[arg(long)]
        app: String,
        /// What the app calls the person, read from this file, for names are personal data
        #[arg(long, value_name = "FILE")]
        person_file: PathBuf,
    },
}

/// Runs the command.
pub async fn run(args: IdentityArgs, context: &Context) -> anyhow::Result<ExitCode> {
    let engine = context.engine().await?;
    match args.command {
        IdentityCommand::Import { app, file } => {
            let (people, identities) = import(&engine, &app, &file).await?;
            let told = json!({ "people": people, "identities": identities });
            context.out.result(&told, || format!("{identities} identities of {people} people are known."))?;
        }
        IdentityCommand::Forget { app, person_file } => {
            let person = crate::secrets::from_file(&person_file)?;
            let forgotten = erasure::unlink(&engine, &app, &person).await?;
            context
                .out
                .result(&json!({ "forgotten": forgotten }), || format!("{forgotten} identities are forgotten."))?;
        }
    }
    Ok(ExitCode::Ok)
}

/// Links everybody in a file, some at a time; doing it again does no harm.
async fn import(engine: &Engine, app: &str, path: &Path) -> anyhow::Result<(u64, u64)> {
    let unreadable = |cause: std::io::Error| {
        Problem::new(&codes::config::FILE_UNREADABLE, format!("{}: {cause}", path.display())).caused_by(cause)
    };
    let mut file = BufReader::new(std::fs::File::open(path).map_err(unreadable)?);
    let (mut header, mut number, mut batch) = (None, 0_u64, Vec::new());
    let (mut people, mut identities) = (0, 0);
    loop {
        let mut line = String::new();
        let length = file.by_ref().take(MAX_LINE as u64).read_line(&mut line).map_err(unreadable)?;
        number += 1;
        let at = |problem: Problem| Problem::new(problem.code, format!("line {number}: {}", problem.detail));
        if length == MAX_LINE {
            return Err(at(Problem::new(&codes::erasure::IDENTITY_MALFORMED, "it is too long")).into());
        }
        if length > 0 {
            match &header {
                None => header = Some(Header::parse(&line).map_err(at)?),
                Some(header) => {
                    batch.extend(header.row(&line).map_err(at)?.filter(|(_, identities)| !identities.is_empty()))
                }
            }
        }
        if batch.len() == MOST_PEOPLE || length == 0 {
            people += batch.len() as u64;
            let link = |(person, identities)| Link { person, identities };
            identities +=
                erasure::link(engine, app, std::mem::take(&mut batch).into_iter().map(link).collect()).await?;
        }
        if length == 0 {
            return Ok((people, identities));
        }
    }
}
