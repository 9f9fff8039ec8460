//! The three verbs, and what an adapter says of itself.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use model::catalog::Catalog;
use model::erasure::TableResult;
use model::identity::Identity;
use model::item::Content;
use model::plan::{Erased, Frozen, Plan, Survey};
use model::{DataType, Item, Problem, Result};
use serde::{Deserialize, Serialize};

/// What an adapter can do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Capabilities {
    /// The types it reads; empty if it cannot read.
    pub reads: Vec<DataType>,
    /// The types it writes; empty if it cannot write.
    pub writes: Vec<DataType>,
    /// Whether it erases.
    pub erases: bool,
    /// In which order content can be opened cheaply.
    pub content_order: ContentOrder,
    /// Whether writing the same [`ItemKey`] again can do no harm: the destination recognises it.
    /// Where this is false, an item in flight at a crash is uncertain.
    pub recognises_repeats: bool,
    /// How many items may be written at once.
    pub concurrency: usize,
    /// How many may be written at once where they have no content: such items cost little to hold, and a destination
    /// that confirms groups needs many. Less than `concurrency` means the same.
    pub concurrency_without_content: usize,
}

/// In which order the content of a source can be opened cheaply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ContentOrder {
    /// Any.
    #[default]
    Any,
    /// As the items come: anything else starts over at the beginning (a compressed tar).
    AsRead,
}

/// Where a source goes on: opaque to the engine, stable while the source does not change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub String);

/// One page of a source.
#[derive(Debug, Default)]
pub struct Page {
    /// What was found, in the order in which it should be written.
    pub entries: Vec<Entry>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<Cursor>,
}

/// One thing found at a source.
#[derive(Debug)]
pub enum Entry {
    /// An item.
    Item(Box<Item>),
    /// A record that could not be read: counted and shown, and no reason to stop.
    Broken {
        /// The type it would have had.
        data_type: DataType,
        /// A stable id for it, for example `outbox.json#17`.
        id: String,
        /// What is wrong with it.
        problem: Problem,
    },
}

/// Bytes on their way.
pub struct Body {
    /// Their number, if it is known beforehand.
    pub size: Option<u64>,
    /// The bytes; an error ends them.
    pub stream: BoxStream<'static, std::io::Result<Bytes>>,
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Body").field("size", &self.size).finish_non_exhaustive()
    }
}

/// Reads a person's data.
#[async_trait]
pub trait Source: Send + Sync {
    /// Returns what this source can do.
    fn capabilities(&self) -> Capabilities;

    /// Names the format that was recognised, if there are several.
    fn format(&self) -> Option<&'static str> {
        None
    }

    /// Returns a text that changes when the source does, so that a resumed transfer notices.
    async fn fingerprint(&self) -> Result<String>;

    /// Reads one page; `None` begins at the beginning. Reading the same cursor again gives the same page.
    ///
    /// # Errors
    /// Only what makes the page unreadable as a whole; a single broken record is an [`Entry::Broken`].
    async fn page(&self, cursor: Option<&Cursor>) -> Result<Page>;

    /// Opens the bytes of an item.
    ///
    /// # Errors
    /// `MO-3005` if they are not there.
    async fn open(&self, content: &Content) -> Result<Body>;
}

/// What identifies one item within one transfer at the destination: the same for every attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemKey {
    /// The transfer.
    pub transfer: String,
    /// A digest of transfer, data type and source id, in lower-case hexadecimal.
    pub key: String,
}

/// What a destination answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its id at the destination, if it told.
    pub remote_id: Option<String>,
    /// Whether it was there before.
    pub already_there: bool,
    /// How many bytes of content it took.
    pub bytes: u64,
    /// BLAKE3 of those bytes, in lower-case hexadecimal, if there were any.
    pub blake3: Option<String>,
    /// What was lost by conversion, in words.
    pub loss: Vec<String>,
}

/// Takes a person's data.
#[async_trait]
pub trait Destination: Send + Sync {
    /// Returns what this destination can do; what must be probed has been probed when it was opened.
    fn capabilities(&self) -> Capabilities;

    /// Says why this item would be refused, before anything is sent.
    fn refuses(&self, item: &Item) -> Option<Problem>;

    /// Writes one item. A body is present where the item has content.
    ///
    /// # Errors
    /// The verdict tells the engine what to do: try again, give up, wait for a person.
    async fn write(&self, item: &Item, key: &ItemKey, body: Option<Body>) -> Result<Written>;

    /// Called when every item has been offered: a folder writes its manifest here. May be called again.
    ///
    /// # Errors
    /// What kept it from finishing; the transfer does not end as done.
    async fn finish(&self) -> Result<()> {
        Ok(())
    }
}

/// Erases a person's data.
#[async_trait]
pub trait Eraser: Send + Sync {
    /// Reads what the system says of itself.
    ///
    /// # Errors
    /// `MO-2006` or `MO-2020`, to be tried again.
    async fn catalog(&self) -> Result<Catalog>;

    /// Looks for a person without changing anything: closes the set of identities and keys, counts, finds what is in the way.
    ///
    /// # Errors
    /// What kept it from looking; what it *found* to be in the way is in [`Survey::blockers`].
    async fn survey(&self, plan: &Plan, identities: &[Identity]) -> Result<Survey>;

    /// Erases the person in one transaction, all or nothing, looking once more for what stands in the way. Where there is
    /// too much for one, it erases in batches and may end with [`Erased::more`]: it is recorded, and called again.
    ///
    /// # Errors
    /// A blocked verdict leaves everything as it was, or as the batches before left it.
    async fn erase(&self, plan: &Plan, frozen: &Frozen) -> Result<Erased>;

    /// Reads every location again; `found` and `remaining` count what is there that should not be, `kept` what may.
    ///
    /// # Errors
    /// What kept it from reading: then nothing is verified.
    async fn reread(&self, plan: &Plan, frozen: &Frozen) -> Result<Vec<TableResult>>;
}

/// Counts per data type.
pub type Counts = BTreeMap<DataType, u64>;
