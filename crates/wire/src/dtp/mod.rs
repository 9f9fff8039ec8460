//! The wire of the Data Transfer Project's Generic Importer, version 0.1.0: one item a request, in a `GenericPayload` envelope.
//!
//! Source: the Generic Importer's README and JSON schemas in dtinit/data-transfer-project, and what workers were seen to send,
//! which differs: types are called `SocialActivityData` as well as `SocialActivity`, times come in three forms, and nulls stand
//! where the schemas want text. What we write follows the schemas; what we read may be any of it.

mod depth;
pub mod envelope;
mod lenient;
mod media;
pub mod related;
mod social;
mod time;

use std::str::FromStr;

use model::{DataType, Problem, codes};

pub use envelope::{Outgoing, Parsed, parse, write};

/// The version of the envelope that we write.
pub const API_VERSION: &str = "0.1.0";
/// The largest JSON document or JSON part that is read, in bytes.
pub const MAX_JSON: usize = 1024 * 1024;
/// How deep that JSON may be nested.
pub const MAX_DEPTH: usize = 64;

/// The request header that names the job; the only thing that ties the items of one transfer together.
pub const JOB_ID: &str = "x-dtp-job-id";
/// The request header that names a job which comes back, and whose runs are to be recognised as one.
pub const RECURRING_JOB_ID: &str = "x-dtp-recurring-job-id";
/// The request header that names the service which the data comes from.
pub const EXPORT_SERVICE: &str = "x-dtp-export-service";

/// A vertical that has an endpoint here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vertical {
    /// Albums, photos and videos.
    Media,
    /// Posts, notes and check-ins.
    SocialPosts,
}

impl Vertical {
    /// Every vertical that has an endpoint.
    pub const ALL: [Self; 2] = [Self::Media, Self::SocialPosts];

    /// Returns the path that items are posted to, below the base URL.
    pub fn path(self) -> &'static str {
        match self {
            Self::Media => "media",
            Self::SocialPosts => "social-posts",
        }
    }

    /// Returns the OAuth scopes of which one is needed to post to it; the first allows everything that it takes.
    pub fn scopes(self) -> &'static [&'static str] {
        match self {
            Self::Media => &["media:write", "photos:write", "videos:write"],
            Self::SocialPosts => &["social-posts:write"],
        }
    }

    /// Returns the payload types that it takes.
    pub fn payloads(self) -> &'static [&'static str] {
        match self {
            Self::Media => &["Album", "Photo", "Video"],
            Self::SocialPosts => &["SocialActivity"],
        }
    }

    /// Returns the vertical that carries a type of data, if the wire can carry it.
    pub fn of(data_type: DataType) -> Option<Self> {
        match data_type {
            DataType::Albums | DataType::Photos | DataType::Videos => Some(Self::Media),
            DataType::Posts => Some(Self::SocialPosts),
            _ => None,
        }
    }
}

/// Returns the OAuth scopes of which one is needed to send items of this type.
pub fn scopes_for(data_type: DataType) -> &'static [&'static str] {
    match data_type {
        DataType::Albums => Vertical::Media.scopes(),
        DataType::Photos => &["media:write", "photos:write"],
        DataType::Videos => &["media:write", "videos:write"],
        DataType::Posts => Vertical::SocialPosts.scopes(),
        _ => &[],
    }
}

impl FromStr for Vertical {
    type Err = Problem;

    /// Reads a path. A host that knows PHOTOS or VIDEOS only maps them onto MEDIA; a hand-made sender may use their own paths.
    fn from_str(path: &str) -> Result<Self, Problem> {
        match path {
            "media" | "photos" | "videos" => Ok(Self::Media),
            "social-posts" => Ok(Self::SocialPosts),
            _ => Err(Problem::new(&codes::landing::VERTICAL_UNKNOWN, "")),
        }
    }
}
