//! The types of data that can be moved.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A type of data, as named on the command line and in every count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DataType {
    /// Containers of photos and videos.
    Albums,
    /// Still pictures.
    Photos,
    /// Moving pictures.
    Videos,
    /// What the person published: posts, notes, check-ins, polls, re-shares.
    Posts,
    /// What the person wrote under others' posts.
    Comments,
    /// What the person liked.
    Likes,
    /// Whom the person follows.
    Follows,
    /// Containers of events.
    Calendar,
    /// Events.
    Events,
    /// To-do lists and their entries.
    Tasks,
    /// Address books.
    Contacts,
    /// E-mail.
    Mail,
    /// Chat messages.
    Messages,
    /// Notes for oneself.
    Notes,
    /// Files and folders.
    Files,
    /// Playlists and their entries.
    Playlists,
    /// Saved links.
    Bookmarks,
    /// Places the person was at.
    Locations,
}

impl DataType {
    /// Every type; containers stand before what they hold, so this is also a safe order to write in.
    pub const ALL: [Self; 18] = [
        Self::Albums,
        Self::Photos,
        Self::Videos,
        Self::Posts,
        Self::Comments,
        Self::Likes,
        Self::Follows,
        Self::Calendar,
        Self::Events,
        Self::Tasks,
        Self::Contacts,
        Self::Mail,
        Self::Messages,
        Self::Notes,
        Self::Files,
        Self::Playlists,
        Self::Bookmarks,
        Self::Locations,
    ];

    /// Returns the name used on the command line, in JSON and in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Albums => "albums",
            Self::Photos => "photos",
            Self::Videos => "videos",
            Self::Posts => "posts",
            Self::Comments => "comments",
            Self::Likes => "likes",
            Self::Follows => "follows",
            Self::Calendar => "calendar",
            Self::Events => "events",
            Self::Tasks => "tasks",
            Self::Contacts => "contacts",
            Self::Mail => "mail",
            Self::Messages => "messages",
            Self::Notes => "notes",
            Self::Files => "files",
            Self::Playlists => "playlists",
            Self::Bookmarks => "bookmarks",
            Self::Locations => "locations",
        }
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for DataType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|data_type| data_type.name() == text)
            .ok_or_else(|| format!("{text:?} is not a data type; they are {}", names()))
    }
}

fn names() -> String {
    DataType::ALL.map(DataType::name).join(", ")
}
