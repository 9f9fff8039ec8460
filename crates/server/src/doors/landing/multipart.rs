//! `multipart/related` (RFC 2387): the envelope first, then at most one part of bytes, which streams.

use bytes::{Bytes, BytesMut};
use engine::landing::Incoming;
use futures_util::stream::{self, StreamExt};
use http::header;
use model::{Problem, Result, codes};
use multer::{Field, Multipart};
use wire::dtp::MAX_JSON;
use wire::dtp::related::ContentType;

use super::inbound::{Inbound, MAX_BODY};

/// What the headers of a part may take, with the boundary before them.
const MAX_HEADERS: u64 = 64 * 1024;
/// What most often is wrong with a body that is not well formed.
const NO_BOUNDARY: &str =
    "it ends before its last boundary, or the boundary is not the one that the Content-Type names";

/// Reads the envelope and opens the bytes, if there are any.
///
/// # Errors
/// `MO-4005` if it is not well formed, `MO-4007` if the first part is larger than JSON may be.
pub(super) async fn open(inbound: &Inbound, boundary: &str) -> Result<(Bytes, Option<Incoming>)> {
    inbound.allow(MAX_JSON as u64 + MAX_HEADERS);
    let mut multipart = Multipart::new(inbound.chunks(), boundary);
    let first = multipart.next_field().await.map_err(no_part)?;
    let json = envelope(first.ok_or_else(|| refused("there is no part in it"))?).await?;
    inbound.allow(MAX_HEADERS);
    let Some(field) = multipart.next_field().await.map_err(no_part)? else { return Ok((json, None)) };
    inbound.allow(MAX_BODY);
    let named = |name| field.headers().get(name).and_then(|value| value.to_str().ok());
    let media_type = named(header::CONTENT_TYPE).and_then(ContentType::parse).map(|kind| kind.essence);
    let announced = named(header::CONTENT_LENGTH).and_then(|length| length.trim().parse().ok());
    let part = Part { multipart, field: Some(field), announced, came: 0 };
    let stream = stream::try_unfold(part, |mut part| async move { Ok(part.next().await?.map(|chunk| (chunk, part))) });
    Ok((json, Some(Incoming { media_type: media_type.unwrap_or_default(), stream: stream.boxed() })))
}

async fn envelope(mut field: Field<'static>) -> Result<Bytes> {
    let mut json = BytesMut::new();
    while let Some(chunk) = field.chunk().await.map_err(malformed)? {
        if json.len() + chunk.len() > MAX_JSON {
            return Err(Problem::new(&codes::landing::PAYLOAD_TOO_LARGE, format!("the limit is {MAX_JSON} bytes")));
        }
        json.extend_from_slice(&chunk);
    }
    Ok(json.freeze())
}

/// The part of bytes, which must be the last one and as long as it says.
struct Part {
    multipart: Multipart<'static>,
    field: Option<Field<'static>>,
    announced: Option<u64>,
    came: u64,
}

impl Part {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        let Some(field) = &mut self.field else { return Ok(None) };
        if let Some(chunk) = field.chunk().await.map_err(malformed)? {
            self.came += chunk.len() as u64;
            return Ok(Some(chunk));
        }
        // The parser hands out one part at a time.
        self.field = None;
        if self.announced.is_some_and(|announced| announced != self.came) {
            return Err(refused("the second part is not as long as its Content-Length says"));
        }
        match self.multipart.next_field().await.map_err(no_part)? {
            None => Ok(None),
            Some(_) => Err(refused("there are more than two parts in it")),
        }
    }
}

fn refused(detail: &str) -> Problem {
    Problem::new(&codes::landing::MULTIPART_MALFORMED, detail)
}

/// Like [`malformed`], where a part should begin: whatever fills the buffer there is no envelope.
fn no_part(error: multer::Error) -> Problem {
    let problem = malformed(error);
    if problem.is(&codes::landing::PAYLOAD_TOO_LARGE) { refused(NO_BOUNDARY) } else { problem }
}

/// Returns what ended the body, or says what the parser found.
fn malformed(error: multer::Error) -> Problem {
    match error {
        multer::Error::StreamReadFailed(cause) => match cause.downcast::<Problem>() {
            Ok(problem) => *problem,
            Err(cause) => Problem::new(&codes::door::BODY_UNREADABLE, "").caused_by(cause),
        },
        multer::Error::IncompleteStream | multer::Error::IncompleteFieldData { .. } => refused(NO_BOUNDARY),
        _ => refused("a part's headers are not well formed"),
    }
}
