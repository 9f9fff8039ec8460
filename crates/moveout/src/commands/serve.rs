//! `moveout serve`: doors and workers in one process, until it is told to stop.

use engine::Engine;
use server::listen::{Listener, Tls, bind};
use server::{App, Facing};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::cli::Listen;
use crate::context::Context;
use crate::exit::ExitCode;

/// Doors and workers in one process.
#[derive(clap::Args)]
pub struct ServeArgs {
    /// Where to listen.
    #[command(flatten)]
    pub listen: Listen,
}

/// Serves until SIGINT or SIGTERM; running requests may end first.
pub async fn run(_: ServeArgs, context: &Context) -> anyhow::Result<ExitCode> {
    let stop = CancellationToken::new();
    stop_on_signal(stop.clone())?;
    let (listener, engine) = open(context).await?;
    context.out.note(&format!("moveout is at {}", engine.settings().public_url));
    serve(listener, engine, context, stop).await;
    Ok(ExitCode::Ok)
}

/// Binds the address and opens the store. The address comes first: when it is taken, nothing else has happened.
pub async fn open(context: &Context) -> anyhow::Result<(Listener, Engine)> {
    let config = &context.config;
    let tls = config.tls.as_ref().map(|files| Tls::from_pem(&files.certificate, &files.key)).transpose()?;
    let listener = bind(config.listen, tls).await?;
    let engine = context.engine_at(config.url_at(listener.address())).await?;
    config.note_public_url(&engine.settings().public_url)?;
    Ok((listener, engine))
}

/// Runs doors and workers until `stop`.
pub async fn serve(listener: Listener, engine: Engine, context: &Context, stop: CancellationToken) {
    let facing = Facing {
        security_contact: context.config.security_contact.clone(),
        local_only: listener.address().ip().is_loopback(),
        stopping: stop.clone(),
    };
    server::serve(listener, server::router(App::with(engine, facing)), stop).await;
}

/// Cancels `stop` on the first SIGINT or SIGTERM; a second one ends the process at once, as without us.
pub fn stop_on_signal(stop: CancellationToken) -> anyhow::Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::spawn(async move {
        let code = tokio::select! { _ = interrupt.recv() => 130, _ = terminate.recv() => 143 };
        stop.cancel();
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        std::process::exit(code);
    });
    Ok(())
}
