//! The `GenericPayload` envelope: item → JSON as a worker sends it, and JSON → what the item says.

use jiff::Timestamp;
use model::item::{Content, Fields};
use model::{DataType, Item, Problem, Result, codes};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::media::{Album, Media};
use super::social::SocialActivity;
use super::time::Time;
use super::{API_VERSION, MAX_DEPTH, MAX_JSON, Vertical, depth};

/// Where the schemas of the payloads are kept.
const SCHEMA_SOURCE: &str = "https://github.com/dtinit/data-transfer-project/tree/master/extensions/data-transfer/portability-data-transfer-generic";

/// An item on its way out.
#[derive(Debug)]
pub struct Outgoing {
    /// Where it is posted to.
    pub vertical: Vertical,
    /// The envelope: the whole body, or the first part where bytes follow.
    pub json: String,
    /// Whether the item's bytes follow as the second part of a `multipart/related` body.
    pub with_bytes: bool,
    /// What the wire cannot carry, in words.
    pub loss: Vec<String>,
}

/// An item as it came in.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// What type of data it is.
    pub data_type: DataType,
    /// Its id at its source; photos and videos come without one.
    pub id: Option<String>,
    /// The album that it lies in.
    pub container: Option<String>,
    /// When it was published or uploaded.
    pub created: Option<Timestamp>,
    /// The offset that the sender wrote the time with.
    pub zone: Option<String>,
    /// The typed fields.
    pub fields: Fields,
    /// The envelope as it was sent.
    pub original: Box<RawValue>,
}

impl Parsed {
    pub(super) fn new(data_type: DataType, id: Option<String>, fields: Fields) -> Self {
        let original = RawValue::NULL.to_owned();
        Self { data_type, id, container: None, created: None, zone: None, fields, original }
    }

    pub(super) fn at(mut self, time: Option<Time>) -> Self {
        if let Some(Time { at, offset }) = time {
            (self.created, self.zone) = (Some(at), offset);
        }
        self
    }

    /// Turns it into an item; `id` is for those that came without one.
    pub fn into_item(self, id: impl FnOnce() -> String, content: Option<Content>) -> Item {
        Item {
            data_type: self.data_type,
            id: self.id.unwrap_or_else(id),
            containers: self.container.into_iter().collect(),
            created: self.created,
            modified: None,
            zone: self.zone,
            visibility: None,
            content,
            fields: self.fields,
            original: Some(self.original),
        }
    }
}

/// What a conversion could not keep.
#[derive(Default)]
pub(super) struct Losses(Vec<String>);

impl Losses {
    pub fn note_if(&mut self, lost: bool, what: &str) {
        if lost {
            self.0.push(what.to_owned());
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<P> {
    #[serde(rename = "@type")]
    kind: &'static str,
    schema_source: &'static str,
    api_version: &'static str,
    payload: P,
}

/// Writes an item as a DTP worker sends it. What the item has and the wire cannot carry is in [`Outgoing::loss`].
///
/// # Errors
/// `MO-3006` if the wire has no payload for this type of data.
pub fn write(item: &Item) -> Result<Outgoing> {
    let vertical = Vertical::of(item.data_type).ok_or_else(|| unfit(item))?;
    let mut losses = Losses::default();
    let json = match item.data_type {
        DataType::Albums => enclose(Album::of(item, &mut losses)?),
        DataType::Photos | DataType::Videos => enclose(Media::of(item, &mut losses)?),
        _ => enclose(SocialActivity::of(item, &mut losses)?),
    }?;
    let with_bytes = matches!(item.data_type, DataType::Photos | DataType::Videos);
    losses.note_if(item.content.is_some() && !with_bytes, "the file that belongs to it");
    losses.note_if(item.modified.is_some(), "when it was last changed");
    losses.note_if(item.zone.is_some(), "the time zone");
    losses.note_if(item.visibility.is_some(), "who could see it");
    losses.note_if(item.original.is_some(), "the source's own record");
    Ok(Outgoing { vertical, json, with_bytes, loss: losses.0 })
}

fn enclose<P: Serialize>(payload: P) -> Result<String> {
    let envelope = Envelope { kind: "GenericPayload", schema_source: SCHEMA_SOURCE, api_version: API_VERSION, payload };
    serde_json::to_string(&envelope)
        .map_err(|cause| Problem::new(&codes::transfer::ITEM_REFUSED, "it cannot be written as JSON").caused_by(cause))
}

/// The item's fields are not those that its type has on this wire.
pub(super) fn unfit(item: &Item) -> Problem {
    let detail = format!("the Generic Importer has no payload for these {}", item.data_type);
    Problem::new(&codes::transfer::TYPE_UNSUPPORTED, detail)
}

pub(super) fn missing(member: &str) -> Problem {
    Problem::new(&codes::landing::PAYLOAD_MALFORMED, format!("{member} is missing"))
}

#[derive(Deserialize)]
struct Opened<'a> {
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Tagged {
    #[serde(rename = "@type")]
    kind: Option<String>,
}

/// Reads an envelope that was posted to `vertical`.
///
/// # Errors
/// `MO-4007` above [`MAX_JSON`] bytes, `MO-4008` above [`MAX_DEPTH`] levels, `MO-4003` if it is not a `GenericPayload`,
/// `MO-4004` if the vertical does not take the payload's type.
pub fn parse(vertical: Vertical, json: &[u8]) -> Result<Parsed> {
    if json.len() > MAX_JSON {
        return Err(Problem::new(&codes::landing::PAYLOAD_TOO_LARGE, format!("the limit is {MAX_JSON} bytes")));
    }
    if depth::exceeds(json, MAX_DEPTH) {
        return Err(Problem::new(&codes::landing::PAYLOAD_TOO_DEEP, format!("the limit is {MAX_DEPTH} levels")));
    }
    let whole: &RawValue = read(json)?;
    let opened: Opened<'_> = read(whole.get().as_bytes())?;
    let payload = opened.payload.ok_or_else(|| missing("payload"))?.get().as_bytes();
    let kind = read::<Tagged>(payload)?.kind.ok_or_else(|| missing("payload.@type"))?;
    let mut parsed = match (vertical, plain(&kind)) {
        (Vertical::Media, "Album") => read_as::<Album>(payload)?.try_into()?,
        (Vertical::Media, "Photo") => read_as::<Media>(payload)?.into_parsed(DataType::Photos),
        (Vertical::Media, "Video") => read_as::<Media>(payload)?.into_parsed(DataType::Videos),
        (Vertical::SocialPosts, "SocialActivity") => read_as::<SocialActivity>(payload)?.try_into()?,
        (_, other) => return Err(misplaced(vertical, other)),
    };
    parsed.original = whole.to_owned();
    Ok(parsed)
}

/// Takes off the suffixes that some versions of the sender put behind the names of the schemas.
fn plain(kind: &str) -> &str {
    let plain = kind.strip_suffix("Data").unwrap_or(kind);
    plain.strip_suffix("Export").unwrap_or(plain)
}

fn misplaced(vertical: Vertical, kind: &str) -> Problem {
    let place = match kind {
        "Album" | "Photo" | "Video" => "send it to /media",
        "SocialActivity" => "send it to /social-posts",
        _ => "payload.@type is not one of Album, Photo, Video or SocialActivity",
    };
    Problem::new(&codes::landing::PAYLOAD_UNSUPPORTED, format!("/{}: {place}", vertical.path()))
}

fn read_as<T: DeserializeOwned>(json: &[u8]) -> Result<T> {
    read(json)
}

/// The parser's own words may quote what was sent, so only the place is told.
fn read<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T> {
    serde_json::from_slice(json).map_err(|cause| {
        let what =
            if cause.is_data() { "a member has another type than documented" } else { "it is not well-formed JSON" };
        let detail = format!("{what} (line {}, column {})", cause.line(), cause.column());
        Problem::new(&codes::landing::PAYLOAD_MALFORMED, detail)
    })
}
