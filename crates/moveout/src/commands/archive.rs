//! `moveout archive`: looks into an export without moving anything.

use std::collections::BTreeMap;
use std::path::PathBuf;

use adapters::Spec;
use engine::transfer::{DateRange, Found, ProblemCount};
use model::{DataType, Problem, codes};
use serde::Serialize;

use super::transfer::words;
use crate::context::Context;
use crate::exit::ExitCode;

/// Look into an export archive.
#[derive(clap::Args)]
pub struct ArchiveArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Say what an export holds: items and bytes a type, from when to when, and what is broken
    Inspect {
        /// The file, or all parts of one export
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
}

/// What an export holds.
#[derive(Serialize)]
struct Inspected<'a> {
    format: Option<&'static str>,
    parts: usize,
    types: &'a BTreeMap<DataType, Found>,
    date_range: Option<DateRange>,
    problems: &'a [ProblemCount],
}

/// Runs the command.
pub async fn run(args: ArchiveArgs, context: &Context) -> anyhow::Result<ExitCode> {
    let Action::Inspect { paths } = args.action;
    let opening = adapters::open::Context::new(context.net());
    let mut sources = Vec::new();
    for path in &paths {
        let target = path.to_str().ok_or_else(|| {
            Problem::new(&codes::transfer::SPEC_MALFORMED, "the path holds characters that are not Unicode")
        })?;
        let spec = Spec { adapter: "archive".to_owned(), target: target.to_owned() };
        sources.push(adapters::open_source(&spec, &opening).await?);
    }
    let survey = engine::transfer::survey(&sources).await?;
    let format = sources.first().and_then(|source| source.format());
    let inspected = Inspected {
        format,
        parts: paths.len(),
        types: &survey.types,
        date_range: survey.date_range,
        problems: &survey.problems,
    };
    context
        .out
        .result(&inspected, || format!("{} export\n\n{}", format.unwrap_or("unknown"), words::survey(&survey)))?;
    Ok(ExitCode::Ok)
}
