//! `moveout serve`: doors and workers in one process, until it is told to stop.

use std::net::SocketAddr;

use engine::Engine;
use engine::jobs::Worker;
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
    let server = Server::open(context).await?;
    context.out.note(&format!("moveout is at {}", server.engine.settings().public_url));
    server.run(stop).await?;
    Ok(ExitCode::Ok)
}

/// A server whose address is bound and whose store is open.
pub struct Server {
    /// What it serves.
    pub engine: Engine,
    listener: Listener,
    security_contact: Option<String>,
    local_only: bool,
}

impl Server {
    /// Opens a server where the settings say.
    pub async fn open(context: &Context) -> anyhow::Result<Self> {
        Self::open_at(context, context.config.listen).await
    }

    /// Binds an address and opens the store. The address comes first: when it is taken, nothing else has happened.
    pub async fn open_at(context: &Context, listen: SocketAddr) -> anyhow::Result<Self> {
        let config = &context.config;
        let tls = config.tls.as_ref().map(|files| Tls::from_pem(&files.certificate, &files.key)).transpose()?;
        let listener = bind(listen, tls).await?;
        let engine = context.engine_at(config.url_at(listener.address())).await?;
        config.note_public_url(&engine.settings().public_url)?;
        // A public URL means that a proxy brings the world to a loopback address.
        let local_only = listener.address().ip().is_loopback() && !config.has_public_url();
        Ok(Self { engine, listener, security_contact: config.security_contact.clone(), local_only })
    }

    /// Returns the address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    /// Runs doors and workers until `stop`; what ends the workers ends the doors.
    pub async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let Self { engine, listener, security_contact, local_only } = self;
        let facing = Facing { security_contact, local_only, stopping: stop.clone() };
        let router = server::router(App::with(engine.clone(), facing));
        let work = async {
            let worked = Worker::new(engine).run(stop.clone()).await;
            stop.cancel();
            worked
        };
        let ((), worked) = tokio::join!(server::serve(listener, router, stop.clone()), work);
        Ok(worked?)
    }
}

/// Cancels `stop` on the first SIGINT or SIGTERM; a second one ends the process at once, as without us.
pub fn stop_on_signal(stop: CancellationToken) -> anyhow::Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::spawn(async move {
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        stop.cancel();
        let code = tokio::select! { _ = interrupt.recv() => 130, _ = terminate.recv() => 143 };
        std::process::exit(code);
    });
    Ok(())
}
