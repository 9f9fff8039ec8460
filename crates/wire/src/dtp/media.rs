//! The MEDIA vertical: `Album`, `Photo`, `Video`.

use model::item::Fields;
use model::{DataType, Item, Problem, Result};
use serde::{Deserialize, Serialize};

use super::envelope::{Losses, Parsed, missing, unfit};
use super::lenient::scalar;
use super::time::Time;

/// A container of photos and videos.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Album {
    #[serde(rename = "@type", skip_deserializing)]
    kind: &'static str,
    #[serde(deserialize_with = "scalar")]
    id: Option<String>,
    #[serde(deserialize_with = "scalar")]
    name: Option<String>,
    #[serde(deserialize_with = "scalar", skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

impl Album {
    pub fn of(item: &Item, losses: &mut Losses) -> Result<Self> {
        let Fields::Container { name, description } = &item.fields else { return Err(unfit(item)) };
        losses.note_if(item.created.is_some(), "when the album was made");
        losses.note_if(!item.containers.is_empty(), "what the album lies in");
        Ok(Self {
            kind: "Album",
            id: Some(item.id.clone()),
            name: Some(name.clone()),
            description: description.clone(),
        })
    }
}

impl TryFrom<Album> for Parsed {
    type Error = Problem;

    fn try_from(album: Album) -> Result<Self> {
        let id = album.id.ok_or_else(|| missing("payload.id"))?;
        let fields =
            Fields::Container { name: album.name.unwrap_or_else(|| id.clone()), description: album.description };
        Ok(Self::new(DataType::Albums, Some(id), fields))
    }
}

/// A photo or a video. The wire gives it no id: it is known by its bytes, name, album and time.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Media {
    #[serde(rename = "@type", skip_deserializing)]
    kind: &'static str,
    #[serde(deserialize_with = "scalar")]
    name: Option<String>,
    #[serde(deserialize_with = "scalar")]
    album_id: Option<String>,
    #[serde(deserialize_with = "scalar", skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(deserialize_with = "scalar", skip_serializing_if = "Option::is_none")]
    uploaded_time: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    favorite_info: Option<FavoriteInfo>,
}

/// Whether the person marked something as a favourite.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct FavoriteInfo {
    #[serde(rename = "@type", skip_deserializing)]
    kind: &'static str,
    #[serde(deserialize_with = "scalar")]
    favorite: Option<bool>,
    #[serde(deserialize_with = "scalar")]
    last_update_time: Option<Time>,
}

impl Media {
    pub fn of(item: &Item, losses: &mut Losses) -> Result<Self> {
        let Fields::Media { title, description, favorite } = &item.fields else { return Err(unfit(item)) };
        let file_name = item.content.as_ref().and_then(|content| content.name.as_deref());
        losses.note_if(file_name.is_some_and(|name| name != title), "the file's name beside its title");
        losses.note_if(item.containers.len() > 1, "further albums that it lies in");
        Ok(Self {
            kind: if item.data_type == DataType::Videos { "Video" } else { "Photo" },
            name: Some(title.clone()),
            album_id: item.containers.first().cloned(),
            description: description.clone(),
            uploaded_time: item.created.map(Time::from),
            favorite_info: favorite.map(|favorite| FavoriteInfo {
                kind: "FavoriteInfo",
                favorite: Some(favorite),
                // The schema requires a time that we do not have: the latest at which it was so for certain.
                last_update_time: item.modified.or(item.created).map(Time::from),
            }),
        })
    }

    /// Turns what was read into an item; `data_type` tells photos from videos.
    pub fn into_parsed(self, data_type: DataType) -> Parsed {
        let fields = Fields::Media {
            title: self.name.unwrap_or_default(),
            description: self.description,
            favorite: self.favorite_info.and_then(|info| info.favorite),
        };
        let mut parsed = Parsed::new(data_type, None, fields).at(self.uploaded_time);
        parsed.container = self.album_id;
        parsed
    }
}
