//! Mastodon's account archive: `actor.json`, `outbox.json`, `likes.json` and `bookmarks.json` as items.
//!
//! The documents are ActivityStreams 2.0; which members appear is what `BackupService` of Mastodon 4 writes.
//! Counts that they declare (`totalItems`) are not read: they are often wrong.

use jiff::Timestamp;
use model::item::{Activity, ActivityKind, Actor, Attachment, AttachmentKind, Content, Fields, Visibility};
use model::{DataType, Item, Problem, Result, codes};
use serde::Deserialize;
use serde_json::value::RawValue;

/// The member that holds the records of every collection of the archive.
pub const RECORDS: &str = "orderedItems";

/// The id of the album of what the account posted.
pub const POSTED_ALBUM: &str = "album:posted";

/// The id of the album of the account's own pictures.
pub const PROFILE_ALBUM: &str = "album:profile";

/// The audience that makes something public (ActivityStreams 2.0 vocabulary, ActivityPub §5.6).
const PUBLIC: [&str; 3] = ["https://www.w3.org/ns/activitystreams#Public", "as:Public", "Public"];

/// The account that an archive is of: what we read of `actor.json`.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// Who published everything in the archive.
    pub actor: Actor,
    /// The archive's files with the account's own pictures: avatar and header.
    pub pictures: Vec<String>,
}

impl Account {
    /// Reads `actor.json`.
    ///
    /// # Errors
    /// `MO-3004` if it is not the description of an account.
    pub fn parse(json: &[u8]) -> Result<Self> {
        let person: Person = serde_json::from_slice(json).map_err(broken)?;
        let name = [person.name, person.preferred_username].into_iter().flatten().find(|name| !name.trim().is_empty());
        let pictures = [person.icon, person.image].into_iter().flatten().filter_map(|image| image.url);
        Ok(Self {
            actor: Actor { id: person.id, name, url: person.url },
            pictures: pictures.map(|url| locator(&url)).collect(),
        })
    }

    fn name(&self) -> &str {
        self.actor.name.as_deref().unwrap_or(&self.actor.id)
    }

    /// Returns the album of what the account posted.
    pub fn posted_album(&self) -> Item {
        album(POSTED_ALBUM, self.name().to_owned(), "Photos and videos posted on Mastodon")
    }

    /// Returns the album of the account's own pictures.
    pub fn profile_album(&self) -> Item {
        album(PROFILE_ALBUM, format!("{} · profile", self.name()), "Profile pictures on Mastodon")
    }
}

fn album(id: &str, name: String, description: &str) -> Item {
    let fields = Fields::Container { name, description: Some(description.to_owned()) };
    envelope(DataType::Albums, id.to_owned(), fields)
}

/// One record of `outbox.json` as items.
#[derive(Clone, Debug)]
pub struct Published {
    /// What hangs on the post and has bytes of its own.
    pub media: Vec<Item>,
    /// The post itself.
    pub post: Item,
}

/// Reads one record of `outbox.json`.
///
/// # Errors
/// `MO-3004` if it is not a `Create` of a note or question, nor an `Announce`.
pub fn outbox_record(json: &[u8], account: &Account) -> Result<Published> {
    let json = std::str::from_utf8(json).map_err(broken)?;
    let record: Record<'_> = serde_json::from_str(json).map_err(broken)?;
    let mut published = match record.kind.as_str() {
        "Create" => created(&record, account)?,
        "Announce" => Published { media: vec![], post: shared(&record, account)? },
        other => return Err(broken(format!("an activity of the type {other:.32}"))),
    };
    published.post.original = Some(RawValue::from_string(json.to_owned()).map_err(broken)?);
    Ok(published)
}

fn created(record: &Record<'_>, account: &Account) -> Result<Published> {
    let note: Note<'_> = serde_json::from_str(record.object.get()).map_err(broken)?;
    if !matches!(note.kind.as_str(), "Note" | "Question" | "Article" | "Page") {
        return Err(broken(format!("an object of the type {:.32}", note.kind)));
    }
    let time = Time::parse(note.published.as_deref().or(record.published.as_deref()), note.updated.as_deref())?;
    let visibility = visibility(&note.to, &note.cc).or_else(|| visibility(&record.to, &record.cc));
    let id = note.id.or_else(|| record.id.clone()).ok_or_else(|| broken("a post has no id"))?;
    let documents = documents(note.attachment)?;
    let activity = Activity {
        kind: ActivityKind::Post,
        actor: Some(account.actor.clone()),
        title: note.summary.filter(|summary| !summary.is_empty()),
        content: note.content,
        url: note.url,
        in_reply_to: note.in_reply_to,
        place: None,
        attachments: documents.iter().filter_map(|(_, document)| attachment(document)).collect(),
    };
    let post = envelope(DataType::Posts, id, Fields::Activity(Box::new(activity)));
    let dated = |item| Item { visibility, ..time.on(item) };
    let media = documents.iter().filter_map(|(raw, document)| medium(raw, document)).map(dated).collect();
    Ok(Published { media, post: dated(post) })
}

fn shared(record: &Record<'_>, account: &Account) -> Result<Item> {
    let activity = Activity {
        kind: ActivityKind::Share,
        actor: Some(account.actor.clone()),
        url: Some(address(record.object)?),
        ..Activity::default()
    };
    let id = record.id.clone().ok_or_else(|| broken("a re-share has no id"))?;
    let item = envelope(DataType::Posts, id, Fields::Activity(Box::new(activity)));
    let time = Time::parse(record.published.as_deref(), None)?;
    Ok(Item { visibility: visibility(&record.to, &record.cc), ..time.on(item) })
}

/// Reads one record of `likes.json` or `bookmarks.json`: the address of somebody's post.
///
/// # Errors
/// `MO-3004` if it is not an address.
pub fn link_record(data_type: DataType, json: &[u8]) -> Result<Item> {
    let original: Box<RawValue> = serde_json::from_slice(json).map_err(broken)?;
    let target = address(&original)?;
    let item = envelope(data_type, target.clone(), Fields::Link { target, title: None });
    Ok(Item { original: Some(original), ..item })
}

/// Returns the item of a media file of the archive that no record describes: an unattached upload, or a profile picture.
pub fn bare_file(locator: &str, media_type: &str, album: Option<&str>) -> Item {
    media_item(locator, media_type, None, album)
}

/// Returns which type of data a media type is: photos, videos, or files for everything else.
fn data_type_of(media_type: &str) -> DataType {
    match media_type.split('/').next() {
        Some("image") => DataType::Photos,
        Some("video") => DataType::Videos,
        _ => DataType::Files,
    }
}

/// Returns the archive's path of a file as a record names it: without a slash in front.
fn locator(url: &str) -> String {
    url.trim_start_matches('/').to_owned()
}

fn file_name(locator: &str) -> &str {
    locator.rsplit('/').next().unwrap_or(locator)
}

/// Returns the item of an attachment's bytes; a link preview or the like has none and stays in the post.
fn medium(raw: &RawValue, document: &Document) -> Option<Item> {
    let (Some(url), Some(media_type)) = (&document.url, &document.media_type) else { return None };
    let item = media_item(&locator(url), media_type, document.alt(), Some(POSTED_ALBUM));
    Some(Item { original: Some(raw.to_owned()), ..item })
}

fn attachment(document: &Document) -> Option<Attachment> {
    let url = document.url.as_deref()?;
    let kind = match document.media_type.as_deref().map(data_type_of) {
        Some(DataType::Photos) => AttachmentKind::Image,
        Some(DataType::Videos) => AttachmentKind::Video,
        _ => AttachmentKind::Link,
    };
    let name = document.alt().unwrap_or_else(|| file_name(url)).to_owned();
    Some(Attachment { kind, name, url: Some(url.to_owned()), content: None })
}

fn media_item(locator: &str, media_type: &str, description: Option<&str>, album: Option<&str>) -> Item {
    let data_type = data_type_of(media_type);
    let name = file_name(locator).to_owned();
    let (fields, containers) = match data_type {
        DataType::Files => (Fields::Opaque { name: name.clone() }, vec![]),
        _ => {
            let description = description.map(str::to_owned);
            (
                Fields::Media { title: name.clone(), description, favorite: None },
                album.map(str::to_owned).into_iter().collect(),
            )
        }
    };
    let content = Content {
        locator: locator.to_owned(),
        name: Some(name),
        media_type: media_type.to_owned(),
        size: None,
        blake3: None,
    };
    Item { containers, content: Some(content), ..envelope(data_type, locator.to_owned(), fields) }
}

fn envelope(data_type: DataType, id: String, fields: Fields) -> Item {
    Item {
        data_type,
        id,
        containers: Vec::new(),
        created: None,
        modified: None,
        zone: None,
        visibility: None,
        content: None,
        fields,
        original: None,
    }
}

/// When something was published and changed, and the offset as it was written.
struct Time {
    created: Option<Timestamp>,
    modified: Option<Timestamp>,
    zone: Option<String>,
}

impl Time {
    fn parse(published: Option<&str>, updated: Option<&str>) -> Result<Self> {
        let instant = |text: Option<&str>| text.map(str::parse).transpose().map_err(broken);
        let zone = published.and_then(|text| {
            let clock = &text[text.find(['T', 't', ' '])?..];
            Some(clock[clock.find(['Z', 'z', '+', '-'])?..].to_owned())
        });
        Ok(Self { created: instant(published)?, modified: instant(updated)?, zone })
    }

    fn on(&self, item: Item) -> Item {
        Item { created: self.created, modified: self.modified, zone: self.zone.clone(), ..item }
    }
}

/// Tells who could see something from whom it was addressed to, as Mastodon's own clients do.
fn visibility(to: &[String], cc: &[String]) -> Option<Visibility> {
    let public = |list: &[String]| list.iter().any(|one| PUBLIC.contains(&one.as_str()));
    let followers = |list: &[String]| list.iter().any(|one| one.ends_with("/followers"));
    if to.is_empty() && cc.is_empty() {
        None
    } else if public(to) {
        Some(Visibility::Public)
    } else if public(cc) {
        Some(Visibility::Unlisted)
    } else if followers(to) || followers(cc) {
        Some(Visibility::Followers)
    } else {
        Some(Visibility::Direct)
    }
}

/// Returns an address that is written bare, or as an object with an id.
fn address(object: &RawValue) -> Result<String> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Address {
        Bare(String),
        Object { id: String },
    }
    match serde_json::from_str(object.get()).map_err(broken)? {
        Address::Bare(url) | Address::Object { id: url } if !url.is_empty() => Ok(url),
        _ => Err(broken("an address is empty")),
    }
}

/// Reads the attachments of a post: none, one or a list (ActivityStreams 2.0 §4.1 allows each), with their own text.
fn documents(attachment: Option<&RawValue>) -> Result<Vec<(&RawValue, Document)>> {
    let raw: Vec<&RawValue> = match attachment {
        None => vec![],
        Some(list) if list.get().starts_with('[') => serde_json::from_str(list.get()).map_err(broken)?,
        Some(one) => vec![one],
    };
    raw.into_iter().map(|raw| Ok((raw, serde_json::from_str(raw.get()).map_err(broken)?))).collect()
}

/// A record is broken. The cause may quote the record, so it stays in the source and out of the detail.
fn broken(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Problem {
    let detail = "it is not the ActivityStreams record that it should be";
    Problem::new(&codes::transfer::RECORD_BROKEN, detail).caused_by(cause)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Person {
    id: String,
    name: Option<String>,
    preferred_username: Option<String>,
    url: Option<String>,
    icon: Option<Image>,
    image: Option<Image>,
}

#[derive(Deserialize)]
struct Image {
    url: Option<String>,
}

#[derive(Deserialize)]
struct Record<'a> {
    id: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    published: Option<String>,
    #[serde(default, deserialize_with = "one_or_many")]
    to: Vec<String>,
    #[serde(default, deserialize_with = "one_or_many")]
    cc: Vec<String>,
    #[serde(borrow)]
    object: &'a RawValue,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Note<'a> {
    id: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    published: Option<String>,
    updated: Option<String>,
    summary: Option<String>,
    content: Option<String>,
    url: Option<String>,
    in_reply_to: Option<String>,
    #[serde(default, deserialize_with = "one_or_many")]
    to: Vec<String>,
    #[serde(default, deserialize_with = "one_or_many")]
    cc: Vec<String>,
    #[serde(borrow)]
    attachment: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    media_type: Option<String>,
    url: Option<String>,
    name: Option<String>,
}

impl Document {
    fn alt(&self) -> Option<&str> {
        self.name.as_deref().filter(|name| !name.is_empty())
    }
}

/// Reads a list that may be absent, null, or a single text (ActivityStreams 2.0 §4.1).
fn one_or_many<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Audience {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Option::deserialize(deserializer)? {
        None => vec![],
        Some(Audience::One(one)) => vec![one],
        Some(Audience::Many(many)) => many,
    })
}
