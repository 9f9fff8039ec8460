//! An item: the envelope around one thing that moves.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::data::DataType;

/// One thing that moves: what we model of it, and the source's own record untouched.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Item {
    /// What type of data it is.
    pub data_type: DataType,
    /// Its id at the source, unique within the data type.
    pub id: String,
    /// The ids of the containers it lies in (albums, folders, calendars), nearest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub containers: Vec<String>,
    /// When it was made (for media: taken or uploaded).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    /// When it was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<Timestamp>,
    /// The time zone or offset that the source gave with the times, as it wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Who could see it at the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Visibility>,
    /// The bytes that belong to it, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Content>,
    /// The typed fields.
    pub fields: Fields,
    /// The source's own record as JSON text, so that nothing is lost that we do not model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<Box<serde_json::value::RawValue>>,
}

/// Who could see an item at its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Everybody.
    Public,
    /// Everybody who knows the address.
    Unlisted,
    /// The person's followers or friends.
    Followers,
    /// Those it was addressed to.
    Direct,
    /// The person alone.
    Private,
}

/// Where the bytes of an item are, and what is known of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// What the source opens the bytes by: an entry's path, a URL, a key.
    pub locator: String,
    /// A file name for people, without folders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The media type (RFC 6838), for example `image/png`.
    pub media_type: String,
    /// The length in bytes, if the source says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// BLAKE3 of the bytes in lower-case hexadecimal, once somebody has read them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blake3: Option<String>,
}

/// The fields of an item, by what it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fields {
    /// An album, playlist, folder or calendar: something that holds others.
    Container {
        /// Its name.
        name: String,
        /// What it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
    },
    /// A photo or a video.
    Media {
        /// Its title or file name.
        title: String,
        /// What it shows (caption or alternative text).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
        /// Whether the person marked it as a favourite, if the source says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        favorite: Option<bool>,
    },
    /// Something published: a post, note, check-in, poll or re-share (ActivityStreams 2.0).
    Activity(Box<Activity>),
    /// A pointer to something of somebody else: a like, a bookmark, a follow.
    Link {
        /// The address or id that it points at.
        target: String,
        /// Its title, if known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
    },
    /// Something that only the original and the content describe.
    Opaque {
        /// A name for people.
        name: String,
    },
}

/// A published activity, in the terms of ActivityStreams 2.0 and DTP's `SocialActivity`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    /// What it is. `kind` is the name of the variant of [`Fields`] that holds this.
    #[serde(rename = "type")]
    pub kind: ActivityKind,
    /// Who published it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor>,
    /// Its title or content warning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its text; HTML where the source has HTML.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Its address for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What it answers to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_reply_to: Option<String>,
    /// Where it was published from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// What hangs on it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
}

/// What a published activity is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActivityKind {
    /// A post.
    #[default]
    Post,
    /// A long-form note.
    Note,
    /// A visit to a place.
    Checkin,
    /// A re-share of somebody else's post.
    Share,
}

/// Who published something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Their id at the source.
    pub id: String,
    /// Their name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Their page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// A place; degrees of WGS 84.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
}

/// What hangs on an activity. Its bytes, if any, move as an item of their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// What it is.
    pub kind: AttachmentKind,
    /// Its name or alternative text.
    pub name: String,
    /// Its address at the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

/// What an attachment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttachmentKind {
    /// A link.
    Link,
    /// A picture.
    Image,
    /// A video.
    Video,
}

impl Item {
    /// Returns a name for people: title, name or id.
    pub fn label(&self) -> &str {
        match &self.fields {
            Fields::Container { name, .. } | Fields::Opaque { name } => name,
            Fields::Media { title, .. } => title,
            Fields::Activity(activity) => activity.title.as_deref().unwrap_or(&self.id),
            Fields::Link { title, target } => title.as_deref().unwrap_or(target),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_fields_comes_back_from_json() {
        let (name, title) = (String::from("n"), String::from("t"));
        let all = [
            Fields::Container { name: name.clone(), description: None },
            Fields::Media { title: title.clone(), description: None, favorite: Some(true) },
            Fields::Activity(Box::new(Activity { kind: ActivityKind::Share, ..Activity::default() })),
            Fields::Link { target: title, title: None },
            Fields::Opaque { name },
        ];
        for fields in all {
            let text = serde_json::to_string(&fields).unwrap();
            assert_eq!(serde_json::from_str::<Fields>(&text).unwrap(), fields, "{text}");
        }
    }
}
