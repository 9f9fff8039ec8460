//! What has landed, for the platform that the account belongs to: it follows the list and fetches the bytes.

use bytes::Bytes;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use model::{Item, Problem, Result, codes};
use serde::Serialize;
use store::{blobs, landing};

use crate::Engine;

/// The most items that one page holds.
const MAX_PAGE: u32 = 1000;

/// An item that has landed.
#[derive(Clone, Debug, Serialize)]
pub struct LandedItem {
    /// Its id here, which the sender was answered.
    pub id: String,
    /// Its place in the order of arrivals and updates: the cursor to go on from.
    pub cursor: u64,
    /// The item, with the sender's own JSON.
    pub item: Item,
    /// The id here of the album that it lies in.
    pub container: Option<String>,
    /// Whether it stands for an album that has not come itself.
    pub placeholder: bool,
    /// The received transfer that brought it first.
    pub transfer: String,
    /// When it came first.
    pub received_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Returns up to `limit` items of an account that came or changed after the cursor; 0 begins at the beginning.
///
/// An item that was updated comes again, with its id as before.
///
/// # Errors
/// Problems of the store.
pub async fn items(engine: &Engine, account: &str, after: u64, limit: u32) -> Result<Vec<LandedItem>> {
    let (account, limit) = (account.to_owned(), limit.min(MAX_PAGE));
    let read = engine
        .store
        .read("landing.items", move |tx| Box::pin(async move { landing::items(tx, &account, after, limit).await }));
    let views = read.await?.into_iter().map(|landed| LandedItem {
        id: landed.id,
        cursor: landed.seq,
        item: landed.item,
        container: landed.container,
        placeholder: landed.placeholder,
        transfer: landed.transfer,
        received_at: landed.received_at,
        updated_at: landed.updated_at,
    });
    Ok(views.collect())
}

/// The bytes of a landed item.
pub struct Opened {
    /// Their media type, as the sender said.
    pub media_type: String,
    /// Their number.
    pub size: u64,
    /// The bytes.
    pub stream: BoxStream<'static, std::io::Result<Bytes>>,
}

/// Opens the bytes of one of an account's items; `None` if it has none.
///
/// # Errors
/// `MO-1012` if the account has no such item, `MO-5010` if the bytes are gone.
pub async fn open(engine: &Engine, account: &str, id: &str) -> Result<Option<Opened>> {
    let (account, id) = (account.to_owned(), id.to_owned());
    let found = engine
        .store
        .read("landing.open", move |tx| {
            Box::pin(async move {
                let landed = landing::item(tx, &account, &id).await?;
                let landed = landed.ok_or_else(|| Problem::new(&codes::door::NOT_FOUND, "no such item"))?;
                let Some((content, blob)) = landed.item.content.zip(landed.blob) else { return Ok(None) };
                let blob = blobs::find(tx, &blob).await?;
                Ok(blob.map(|blob| (content.media_type, blob)))
            })
        })
        .await?;
    let Some((media_type, blob)) = found else { return Ok(None) };
    Ok(Some(Opened { media_type, size: blob.size, stream: engine.store.blobs().open(blob).await? }))
}
