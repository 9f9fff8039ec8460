//! The body of a delivery: taken chunk by chunk, bounded in time and in what may be buffered, and read to its end before the
//! answer.

use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream};
use model::{Problem, Result, codes};
use wire::dtp::MAX_JSON;

/// The largest body that is taken.
pub(super) const MAX_BODY: u64 = 64 * 1024 * 1024 * 1024;
/// How long nothing may arrive.
const IDLE: Duration = Duration::from_secs(30);
/// What is read of a body whose sender is to see a refusal.
const DRAIN: u64 = 256 * 1024 * 1024;
/// How long that may take.
const DRAIN_TIME: Duration = Duration::from_secs(10);

/// A body that several readers share in turn.
#[derive(Clone)]
pub(super) struct Inbound(Arc<Shared>);

struct Shared {
    body: Mutex<BodyDataStream>,
    taken: AtomicU64,
    allowed: AtomicU64,
}

impl Inbound {
    pub fn new(body: Body) -> Self {
        let (taken, allowed) = (AtomicU64::new(0), AtomicU64::new(MAX_BODY));
        Self(Arc::new(Shared { body: Mutex::new(body.into_data_stream()), taken, allowed }))
    }

    /// Allows so many more bytes to be taken than were so far. What is not yet understood is buffered, so it must be little.
    pub fn allow(&self, more: u64) {
        let taken = self.0.taken.load(Ordering::Relaxed);
        self.0.allowed.store(taken.saturating_add(more).min(MAX_BODY), Ordering::Relaxed);
    }

    /// Takes the next chunk.
    async fn next(&self) -> Result<Option<Bytes>> {
        let shared = &self.0;
        let allowed = shared.allowed.load(Ordering::Relaxed);
        if shared.taken.load(Ordering::Relaxed) >= allowed {
            return Err(match allowed {
                MAX_BODY => Problem::new(&codes::door::BODY_TOO_LARGE, format!("the limit is {MAX_BODY} bytes")),
                _ => Problem::new(&codes::landing::PAYLOAD_TOO_LARGE, format!("the limit is {MAX_JSON} bytes")),
            });
        }
        let chunk = tokio::time::timeout(
            IDLE,
            poll_fn(|cx| shared.body.lock().unwrap_or_else(PoisonError::into_inner).poll_next_unpin(cx)),
        );
        match chunk.await {
            Ok(None) => Ok(None),
            Ok(Some(Ok(chunk))) => {
                shared.taken.fetch_add(chunk.len() as u64, Ordering::Relaxed);
                Ok(Some(chunk))
            }
            Ok(Some(Err(cause))) => {
                Err(Problem::new(&codes::door::BODY_UNREADABLE, "the connection broke off").caused_by(cause))
            }
            Err(_) => Err(Problem::new(&codes::door::TOO_SLOW, "nothing arrived for 30 seconds")),
        }
    }

    /// Returns the chunks as a stream that is never ready twice in a row: the multipart parser takes all that it can get into
    /// memory at once, and this bounds it to one chunk.
    pub fn chunks(&self) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
        stream::try_unfold(self.clone(), |inbound| async move {
            tokio::task::yield_now().await;
            Ok(inbound.next().await?.map(|chunk| (chunk, inbound)))
        })
    }

    /// Reads a body that is JSON and nothing else.
    ///
    /// # Errors
    /// `MO-4007` if it is larger than the wire allows.
    pub async fn read_json(&self) -> Result<Bytes> {
        self.allow(MAX_JSON as u64 + 1);
        let mut json = BytesMut::new();
        while let Some(chunk) = self.next().await? {
            json.extend_from_slice(&chunk);
        }
        Ok(json.freeze())
    }

    /// Reads what is left, within limits, and drops it.
    pub async fn drain(&self) {
        self.allow(DRAIN);
        let rest = async { while let Ok(Some(_)) = self.next().await {} };
        // Whoever sends more than this will find out by himself.
        let _ = tokio::time::timeout(DRAIN_TIME, rest).await;
    }
}
