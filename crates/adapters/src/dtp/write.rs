//! One item, one POST: JSON, or JSON and bytes as `multipart/related`, streamed and hashed in flight.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use model::{Item, Problem, Result, codes};
use net::{Method, Response, StatusCode, header};
use serde::Deserialize;
use wire::dtp::related::Frame;
use wire::dtp::{EXPORT_SERVICE, JOB_ID, MAX_JSON, Outgoing};

use super::{Dtp, MAX_ANSWER, errors};
use crate::verbs::{Body, ItemKey, Written};

/// The name that we tell as the service which the data comes from: the source itself is none of the destination's business.
const SERVICE: &str = "moveout";

/// What a destination says of an item that it took.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Taken {
    id: Option<String>,
}

pub(super) async fn write(dtp: &Dtp, item: &Item, key: &ItemKey, body: Option<Body>) -> Result<Written> {
    let outgoing = wire::dtp::write(item)?;
    if outgoing.json.len() > MAX_JSON {
        let detail = format!("its JSON would have {} bytes, {MAX_JSON} are taken", outgoing.json.len());
        return Err(Problem::new(&codes::transfer::RECORD_TOO_LARGE, detail));
    }
    let url = dtp.base.join(outgoing.vertical.path()).map_err(|cause| {
        Problem::new(&codes::transfer::SPEC_MALFORMED, "the address takes no path").caused_by(cause)
    })?;
    let request = dtp
        .net
        .request(Method::POST, url.as_str())?
        .bearer_auth(dtp.token.expose())
        .header(EXPORT_SERVICE, SERVICE)
        .header(JOB_ID, &key.transfer)
        .header(header::ACCEPT, "application/json");
    let flight = Flight::default();
    let request = match body.filter(|_| outgoing.with_bytes) {
        None => request.header(header::CONTENT_TYPE, "application/json").body(outgoing.json.clone()),
        Some(body) => attach(request, &outgoing, item, key, body, &flight),
    };
    let sent = net::send(request).await;
    // A source that breaks off shows to the HTTP library as a connection that failed: its own words are better.
    if let Some(broken) = flight.state().broken.take() {
        return Err(broken);
    }
    let response = sent?;
    let created = response.status() != StatusCode::OK;
    let taken = answer(response, dtp).await?;
    let state = flight.state();
    Ok(Written {
        remote_id: taken.id,
        already_there: dtp.recognises_repeats && !created,
        bytes: state.bytes,
        blake3: state.whole.then(|| state.hasher.finalize().to_hex().to_string()),
        loss: outgoing.loss,
    })
}

/// Puts the bytes behind the JSON.
fn attach(
    request: net::RequestBuilder,
    outgoing: &Outgoing,
    item: &Item,
    key: &ItemKey,
    body: Body,
    flight: &Flight,
) -> net::RequestBuilder {
    let frame = Frame::new(&key.key);
    let media_type = item.content.as_ref().map_or("", |content| content.media_type.as_str());
    let (head, tail) = (frame.head(&outgoing.json, media_type, body.size), frame.tail());
    let length = body.size.map(|size| size + (head.len() + tail.len()) as u64);
    let framed =
        stream::iter([Ok(Bytes::from(head))]).chain(flight.observe(body)).chain(stream::iter([Ok(Bytes::from(tail))]));
    let request = request.header(header::CONTENT_TYPE, frame.content_type()).body(net::Body::wrap_stream(framed));
    match length {
        Some(length) => request.header(header::CONTENT_LENGTH, length),
        None => request,
    }
}

async fn answer(response: Response, dtp: &Dtp) -> Result<Taken> {
    let (status, retry_after) = (response.status(), net::retry_after(response.headers()));
    let body = net::read_limited(response, MAX_ANSWER).await;
    if !status.is_success() {
        return Err(errors::refusal(status, retry_after, &body.unwrap_or_default(), dtp.token.expose()));
    }
    // The documentation asks for a status only, so an answer that holds no id is no failure.
    Ok(serde_json::from_slice(&body.unwrap_or_default()).unwrap_or_default())
}

/// What is learnt of the bytes while they pass.
#[derive(Clone, Default)]
struct Flight(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    whole: bool,
    bytes: u64,
    hasher: blake3::Hasher,
    broken: Option<Problem>,
}

impl Flight {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Passes the bytes on, counted and hashed; ends in an error if they are not as many as was said.
    fn observe(&self, body: Body) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        let (flight, size) = (self.clone(), body.size);
        let end = {
            let flight = flight.clone();
            stream::once(async move { flight.ended(size) }).filter_map(|ended| async move { ended.err().map(Err) })
        };
        body.stream.map(move |chunk| flight.passed(chunk, size)).chain(end)
    }

    fn passed(&self, chunk: io::Result<Bytes>, size: Option<u64>) -> io::Result<Bytes> {
        let chunk = chunk.map_err(|cause| self.break_off(errors::unreadable(cause)))?;
        let bytes = {
            let mut state = self.state();
            state.hasher.update(&chunk);
            state.bytes += chunk.len() as u64;
            state.bytes
        };
        match size {
            Some(size) if bytes > size => Err(self.break_off(errors::length_changed(size))),
            _ => Ok(chunk),
        }
    }

    fn ended(&self, size: Option<u64>) -> io::Result<()> {
        let bytes = self.state().bytes;
        match size {
            Some(size) if bytes < size => Err(self.break_off(errors::length_changed(size))),
            _ => {
                self.state().whole = true;
                Ok(())
            }
        }
    }

    fn break_off(&self, problem: Problem) -> io::Error {
        self.state().broken.get_or_insert(problem);
        io::Error::other("the source broke off")
    }
}
