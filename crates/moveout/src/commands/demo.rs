//! `moveout demo`: the whole product on sample data, with one command.

use std::net::{Ipv4Addr, SocketAddr};

use model::erasure::ErasureState;
use model::transfer::TransferState;
use tokio_util::sync::CancellationToken;

use super::serve::{Server, stop_on_signal};
use crate::cli::Listen;
use crate::context::Context;
use crate::demo::{Folder, Outcome, Stage, play, tell};
use crate::exit::ExitCode;

/// The file that remembers where the server of an unfinished demo listened: its transfer knows that address.
const ADDRESS: &str = "address";

/// The file that the demo ends with.
const LAST: &str = "receipt.json";

/// The whole product on sample data, in one command.
#[derive(clap::Args)]
pub struct DemoArgs {
    /// End when it is done, instead of leaving the server up
    #[arg(long)]
    headless: bool,
    /// Where to listen.
    #[command(flatten)]
    pub listen: Listen,
}

/// Plays the demo; the same command goes on after an interruption.
pub async fn run(args: DemoArgs, context: &Context) -> anyhow::Result<ExitCode> {
    let stop = CancellationToken::new();
    stop_on_signal(stop.clone())?;
    let folder = Folder::open(context.config.data.join("demo"))?;
    let server = open(&args, context, &folder).await?;
    let engine = server.engine.clone();
    let serving = tokio::spawn(server.run(stop.clone()));

    let stage = Stage { context, engine: &engine, folder: &folder };
    let outcome = tokio::select! {
        outcome = play(&stage) => outcome?,
        () = stop.cancelled() => {
            serving.await??;
            anyhow::bail!("interrupted; the same command goes on");
        }
    };
    context.out.result(&outcome, || tell(&outcome))?;
    if args.headless {
        stop.cancel();
    } else {
        let (name, password) = &outcome.sign_in;
        context.out.note(&format!("\nThe console is at {}", engine.settings().public_url));
        context.out.note(&format!(
            "What {name} allowed is at {}/connections, with the password {password}. Ctrl-C ends the demo.",
            engine.settings().public_url
        ));
    }
    serving.await??;
    Ok(judge(&outcome))
}

/// Starts the server: where an unfinished demo listened, else where it was asked to, else where there is room.
async fn open(args: &DemoArgs, context: &Context, folder: &Folder) -> anyhow::Result<Server> {
    let remembered: Option<SocketAddr> =
        std::fs::read_to_string(folder.path(ADDRESS)).ok().and_then(|text| text.trim().parse().ok());
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let unfinished = remembered.filter(|_| !folder.path(LAST).exists());
    let server = if let Some(address) = unfinished {
        Server::open_at(context, address).await?
    } else if let Some(address) = args.listen.listen {
        Server::open_at(context, address).await?
    } else if args.headless {
        Server::open_at(context, any).await?
    } else {
        match Server::open_at(context, context.config.listen).await {
            Ok(server) => server,
            Err(_) => Server::open_at(context, any).await?,
        }
    };
    folder.replace(ADDRESS, &server.address().to_string())?;
    Ok(server)
}

fn judge(outcome: &Outcome) -> ExitCode {
    let erased =
        matches!(outcome.erasure.state, ErasureState::Complete | ErasureState::PartlyRefused | ErasureState::NoData);
    match outcome.transfer.state {
        _ if !erased => ExitCode::NotHeld,
        TransferState::Done if outcome.transfer.difference == 0 => ExitCode::Ok,
        TransferState::DoneWithFailures => ExitCode::WithFailures,
        _ => ExitCode::Failed,
    }
}
