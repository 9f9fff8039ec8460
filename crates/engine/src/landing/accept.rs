//! Accepting one delivery: bytes first, then one operation that journals the item; the answer comes when that is on disk.

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use model::item::{Content, Fields};
use model::{DataType, Item, Problem, Result, codes};
use store::blobs;
use store::landing::{self, Album, Arrival, Change, Sending};
use wire::dtp::{Parsed, Vertical, scopes_for};

use super::identity::Room;
use crate::Engine;
use crate::connections::{Grant, authorize_bearer};

/// How long the names that a host gives to services and jobs may be, in bytes.
const MAX_NAME: usize = 200;
/// The media type of bytes that nobody named.
const UNKNOWN_TYPE: &str = "application/octet-stream";

/// The job that an item was sent by, in the host's words.
#[derive(Clone, Debug, Default)]
pub struct Job {
    /// The service that the data comes from; empty if unsaid.
    pub service: String,
    /// The job; empty if unsaid.
    pub id: String,
    /// The job that this one is a run of, if it comes back.
    pub recurring: Option<String>,
}

/// Bytes that come with an item.
pub struct Incoming {
    /// Their media type; empty if unsaid.
    pub media_type: String,
    /// The bytes; the stream ends in an error unless all of them came.
    pub stream: BoxStream<'static, Result<bytes::Bytes>>,
}

/// One item as a host delivers it.
pub struct Delivery {
    /// Its job.
    pub job: Job,
    /// What the envelope says.
    pub parsed: Parsed,
    /// Its bytes, for photos and videos.
    pub incoming: Option<Incoming>,
}

/// What the host is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The item's id here: the same for every delivery of it.
    pub id: String,
    /// Whether it was here before, exactly so.
    pub repeat: bool,
}

/// Checks a token for a vertical, before anything of the body is read.
///
/// # Errors
/// `MO-4001` if the token is not valid, `MO-4002` if it allows nothing of this vertical.
pub async fn authorize(engine: &Engine, token: &str, vertical: Vertical) -> Result<Grant> {
    let mut refused = None;
    for scope in vertical.scopes() {
        match authorize_bearer(engine, token, scope).await {
            Err(problem) if problem.is(&codes::landing::SCOPE_INSUFFICIENT) => refused = refused.or(Some(problem)),
            decided => return decided,
        }
    }
    Err(refused.unwrap_or_else(|| Problem::new(&codes::landing::TOKEN_INVALID, "")))
}

/// Takes one item. When this returns, item and bytes are on disk.
///
/// # Errors
/// `MO-4002` if the token does not allow this type, `MO-4003` or `MO-4005` if bytes are missing or too many, `MO-4006` if
/// there is no space, and whatever ended the stream of bytes. Nothing of the item is kept then.
pub async fn accept(engine: &Engine, grant: &Grant, delivery: Delivery) -> Result<Accepted> {
    let Delivery { job, parsed, incoming } = delivery;
    check(grant, &job, &parsed, incoming.is_some())?;
    let received = match incoming {
        None => None,
        Some(incoming) => {
            let media_type = if incoming.media_type.is_empty() { UNKNOWN_TYPE.to_owned() } else { incoming.media_type };
            Some((media_type, receive(engine, incoming.stream).await.map_err(full)?))
        }
    };
    let (media_type, body) = received.unzip();
    let arrival = arrival(engine, grant, &job, parsed, media_type, body.clone())?;
    let recorded = engine
        .store
        .write("landing.record", move |tx| Box::pin(async move { landing::record(tx, &arrival).await }))
        .await
        .map_err(full);
    if let Some(body) = body
        && recorded.as_ref().is_ok_and(|recorded| recorded.blob.as_ref() != Some(&body.id))
    {
        engine.store.blobs().discard(body).await;
    }
    recorded.map(|recorded| Accepted { id: recorded.id, repeat: recorded.change == Change::Repeat })
}

/// Checks what can be checked before bytes are taken.
fn check(grant: &Grant, job: &Job, parsed: &Parsed, with_bytes: bool) -> Result<()> {
    let scopes = scopes_for(parsed.data_type);
    if !scopes.iter().any(|scope| grant.scopes.contains(scope)) {
        let detail = format!("the scope {} is needed", scopes.join(" or "));
        return Err(Problem::new(&codes::landing::SCOPE_INSUFFICIENT, detail));
    }
    let names = [&job.service, &job.id].into_iter().chain(&job.recurring);
    if names.clone().any(|name| name.len() > MAX_NAME || name.chars().any(char::is_control)) {
        let detail = format!("an X-DTP header has more than {MAX_NAME} characters or one that names may not have");
        return Err(Problem::new(&codes::landing::PAYLOAD_MALFORMED, detail));
    }
    let wants_bytes = matches!(parsed.data_type, DataType::Photos | DataType::Videos);
    match (wants_bytes, with_bytes) {
        (true, false) => Err(Problem::new(
            &codes::landing::PAYLOAD_MALFORMED,
            format!("{} come as multipart/related with their bytes", parsed.data_type),
        )),
        (false, true) => Err(Problem::new(
            &codes::landing::MULTIPART_MALFORMED,
            format!("{} come without a part of bytes", parsed.data_type),
        )),
        _ => Ok(()),
    }
}

async fn receive(engine: &Engine, mut stream: BoxStream<'static, Result<bytes::Bytes>>) -> Result<blobs::Received> {
    let mut receiving = engine.store.blobs().receive();
    while let Some(chunk) = stream.next().await {
        receiving.write(&chunk?).await?;
    }
    receiving.finish().await
}

/// A host pauses its job for a full destination, and resumes it; any other failure would cost the person the item.
fn full(problem: Problem) -> Problem {
    if problem.is(&codes::store::FULL) {
        return Problem::new(&codes::landing::DESTINATION_FULL, "").caused_by(problem);
    }
    problem
}

fn arrival(
    engine: &Engine,
    grant: &Grant,
    job: &Job,
    parsed: Parsed,
    media_type: Option<String>,
    body: Option<blobs::Received>,
) -> Result<Arrival> {
    let room = Room { vault: engine.store.vault(), account: &grant.account, job };
    let own_id = parsed.id.clone();
    let content = media_type.zip(body.as_ref()).map(|(media_type, body)| Content {
        locator: String::new(),
        name: None,
        media_type,
        size: Some(body.size),
        blake3: Some(body.blake3.clone()),
    });
    let mut item = parsed.into_item(String::new, content);
    let identity = match &own_id {
        Some(id) => room.by_id(item.data_type, id),
        None => room.by_content(&item, body.as_ref().map_or("", |body| &body.blake3)),
    };
    let version = room.version(&item)?;
    // The bytes are opened by the item, and an item that came without an id still has one that stays the same.
    let locator: String = identity[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    if own_id.is_none() {
        item.id.clone_from(&locator);
    }
    if let Some(content) = &mut item.content {
        content.locator = locator;
    }
    let album = item
        .containers
        .first()
        .map(|id| Album { identity: room.by_id(DataType::Albums, id), placeholder: placeholder(id) });
    let sending = Sending { account: grant.account.clone(), service: job.service.clone(), job: job.id.clone() };
    Ok(Arrival { sending, identity, version, item, album, body })
}

/// An album of which nothing is known but its id: hosts send what lies in an album even if the album itself failed.
fn placeholder(id: &str) -> Item {
    Item {
        data_type: DataType::Albums,
        id: id.to_owned(),
        containers: vec![],
        created: None,
        modified: None,
        zone: None,
        visibility: None,
        content: None,
        fields: Fields::Container { name: id.to_owned(), description: None },
        original: None,
    }
}
