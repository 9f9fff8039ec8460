//! `moveout transfer`: moves a person's data from one system to another.

mod follow;
pub mod words;

use std::path::PathBuf;

use adapters::Spec;
use adapters::open::Token;
use engine::Engine;
use engine::transfer::{self, Retry, Selection, Start};
use jiff::Timestamp;
use model::transfer::{TransferState, TransferView};
use model::{DataType, Problem, codes};

use crate::context::Context;
use crate::exit::ExitCode;
use crate::secrets;

/// Move a person's data from one system to another.
#[derive(clap::Args)]
pub struct TransferArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Start a transfer and carry it to its end
    Run(RunArgs),
    /// List the newest transfers
    List {
        /// At most so many
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// Show a transfer: its state, its sum and what went wrong
    Show {
        /// The transfer
        id: String,
    },
    /// Stop sending; it goes on with `resume`
    Pause {
        /// The transfer
        id: String,
    },
    /// Go on with a paused or waiting transfer, or one whose process died
    Resume {
        /// The transfer
        id: String,
        /// Only queue it: a server carries it on
        #[arg(long)]
        no_wait: bool,
    },
    /// End a transfer; what was written stays where it is
    Cancel {
        /// The transfer
        id: String,
    },
    /// Try items again that were not written: all that failed or are uncertain, or those named
    Retry {
        /// The transfer
        id: String,
        /// Only the items with this id at the source
        #[arg(long, value_name = "ITEM", conflicts_with = "reason")]
        item: Option<String>,
        /// Only the items with this reason, for example MO-3008
        #[arg(long, value_name = "CODE")]
        reason: Option<String>,
        /// Only queue it: a server carries it on
        #[arg(long)]
        no_wait: bool,
    },
}

#[derive(clap::Args)]
struct RunArgs {
    /// Where to read, for example archive:./takeout.zip
    #[arg(long, value_name = "SPEC")]
    from: String,
    /// Where to write, for example dir:./out or dtp+https://host/dtp/
    #[arg(long, value_name = "SPEC")]
    to: String,
    /// Only these types of data, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "TYPES")]
    types: Vec<DataType>,
    /// Only what was created at this time or later: a date (UTC) or an RFC 3339 time
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<Timestamp>,
    /// Only what was created before this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<Timestamp>,
    /// Say what would move, and move nothing
    #[arg(long)]
    dry_run: bool,
    /// Read the destination's token from this file [default: the environment's MOVEOUT_TOKEN]
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// Only queue it: a server carries it out
    #[arg(long)]
    no_wait: bool,
}

/// Runs the command.
pub async fn run(args: TransferArgs, context: &Context) -> anyhow::Result<ExitCode> {
    let engine = context.engine().await?;
    match args.action {
        Action::Run(args) => start(args, context, &engine).await,
        Action::List { limit } => {
            let views = transfer::list(&engine, limit).await?;
            context.out.result(&views, || words::list(&views))?;
            Ok(ExitCode::Ok)
        }
        Action::Show { id } => show(context, &engine, &id).await.map(|_| ExitCode::Ok),
        Action::Pause { id } => {
            transfer::pause(&engine, &id).await?;
            show(context, &engine, &id).await.map(|_| ExitCode::Ok)
        }
        Action::Cancel { id } => {
            transfer::cancel(&engine, &id).await?;
            show(context, &engine, &id).await.map(|_| ExitCode::Ok)
        }
        Action::Resume { id, no_wait } => {
            transfer::resume(&engine, &id).await?;
            finish(context, &engine, &id, no_wait).await
        }
        Action::Retry { id, item, reason, no_wait } => {
            let which = match (item, reason) {
                (Some(item), _) => Retry::Item(item),
                (None, Some(code)) => Retry::Code(code),
                (None, None) => Retry::Unwritten,
            };
            let items = transfer::retry(&engine, &id, which).await?;
            context.out.note(&format!("{items} items are tried again"));
            finish(context, &engine, &id, no_wait).await
        }
    }
}

async fn start(args: RunArgs, context: &Context, engine: &Engine) -> anyhow::Result<ExitCode> {
    let token = match &args.secret_file {
        Some(path) => Some(secrets::from_file(path)?),
        None => context.environment.get("MOVEOUT_TOKEN"),
    };
    let start = Start {
        from: rooted(transfer::resolve(engine, &args.from).await?)?,
        to: rooted(transfer::resolve(engine, &args.to).await?)?,
        token: token.map(Token::new),
        selection: Selection { types: args.types, since: args.since, until: args.until },
    };
    if args.dry_run {
        let survey = transfer::plan(engine, &start).await?;
        context.out.result(&survey, || words::survey(&survey))?;
        return Ok(ExitCode::Ok);
    }
    let id = transfer::start(engine, &start).await?;
    context.out.note(&format!("transfer {id}"));
    finish(context, engine, &id, args.no_wait).await
}

/// Carries a transfer to its end, unless that is left to a server, and shows it.
async fn finish(context: &Context, engine: &Engine, id: &str, no_wait: bool) -> anyhow::Result<ExitCode> {
    if no_wait {
        show(context, engine, id).await?;
        return Ok(ExitCode::Ok);
    }
    follow::to_its_end(context, engine, id).await?;
    Ok(match show(context, engine, id).await?.state {
        TransferState::Done => ExitCode::Ok,
        TransferState::DoneWithFailures => ExitCode::WithFailures,
        _ => ExitCode::Failed,
    })
}

async fn show(context: &Context, engine: &Engine, id: &str) -> anyhow::Result<TransferView> {
    let view = transfer::show(engine, id).await?;
    context.out.result(&view, || words::view(&view))?;
    Ok(view)
}

/// Makes a path absolute, so that it means the same to a server that takes the transfer up.
fn rooted(spec: Spec) -> anyhow::Result<Spec> {
    if spec.target.contains("://") {
        return Ok(spec);
    }
    let path = std::path::absolute(&spec.target)?;
    let target = path.into_os_string().into_string().map_err(|_| {
        Problem::new(&codes::transfer::SPEC_MALFORMED, "the path holds characters that are not Unicode")
    })?;
    Ok(Spec { target, ..spec })
}

/// Reads a date, which begins at midnight UTC, or an RFC 3339 time.
fn time(text: &str) -> Result<Timestamp, String> {
    let midnight = |date: jiff::civil::Date| date.to_zoned(jiff::tz::TimeZone::UTC).map(|zoned| zoned.timestamp());
    text.parse()
        .or_else(|_| text.parse().and_then(midnight))
        .map_err(|_| "write a date like 2026-01-31 or a time like 2026-01-31T12:00:00Z".to_owned())
}
