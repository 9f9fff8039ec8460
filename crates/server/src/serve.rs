//! Serving connections: bounded in number, in the time of handshakes and headers, and in how long a stop may take.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::listen::{Listener, PromptStream, Tls};

/// How many connections are held at once; more wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 4096;
/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a request's headers may take to arrive, and how long an idle connection is kept.
const HEADERS: Duration = Duration::from_secs(60);
/// How long requests may go on after a stop was asked for.
const DRAIN: Duration = Duration::from_secs(25);
/// How long accepting pauses when the process has no file descriptors left.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// Serves `router` on `listener` until `stop` is cancelled; then takes no more connections and lets running requests end,
/// for 25 seconds at most. A failing connection ends alone; a failing accept is tried again.
pub async fn serve(listener: Listener, router: Router, stop: CancellationToken) {
    let connections = TaskTracker::new();
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = async {
                let permit = room.clone().acquire_owned().await;
                listener.accept().await.map(|(stream, peer)| (stream, peer, permit))
            } => accepted,
        };
        let (stream, peer, permit) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Either that one connection failed, or descriptors ran out: both pass.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(EXHAUSTED).await;
                continue;
            }
        };
        let connection = handle(stream, peer, listener.tls.clone(), router.clone(), stop.clone());
        connections.spawn(async move {
            connection.await;
            drop(permit);
        });
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// Serves one connection to its end.
async fn handle(stream: PromptStream, peer: SocketAddr, tls: Option<Tls>, router: Router, stop: CancellationToken) {
    let Some(tls) = tls else { return converse(stream, false, peer, router, stop).await };
    match stop.run_until_cancelled(tokio::time::timeout(HANDSHAKE, tls.acceptor.accept(stream))).await {
        Some(Ok(Ok(secured))) => {
            let http2 = secured.get_ref().1.alpn_protocol() == Some(b"h2");
            converse(secured, http2, peer, router, stop).await;
        }
        Some(Ok(Err(error))) => tracing::debug!(%error, "a TLS handshake failed"),
        Some(Err(_)) => tracing::debug!("a TLS handshake took too long"),
        None => {}
    }
}

/// Speaks HTTP on a connection. The version is known beforehand: guessing it would wait without limit for the first byte.
async fn converse<I>(io: I, http2: bool, peer: SocketAddr, router: Router, stop: CancellationToken)
where
    I: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(HEADERS).keep_alive_timeout(HANDSHAKE);
    let builder = if http2 { builder.http2_only() } else { builder.http1_only() };
    let service = TowerToHyperService::new(router.layer(axum::Extension(ConnectInfo(peer))));
    let mut connection = pin!(builder.serve_connection(TokioIo::new(io), service));
    let outcome = tokio::select! {
        outcome = connection.as_mut() => outcome,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::time::timeout(DRAIN, connection).await.unwrap_or_else(|_| {
                tracing::warn!("a request was still running when the time to stop was over");
                Ok(())
            })
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(%error, "a connection ended early");
    }
}
