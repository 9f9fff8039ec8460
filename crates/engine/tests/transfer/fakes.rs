//! A source and a destination that do what a test tells them, misbehaviour included.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapters::{Body, Capabilities, ContentOrder, Cursor, Destination, Entry, ItemKey, Page, Source, Written};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use model::item::{Content, Fields};
use model::{DataType, Item, Problem, Result, codes};
use tokio::sync::Notify;

/// Where a process may die: every call across a boundary is one more step, and the fatal one never returns.
#[derive(Default)]
pub struct Fate {
    steps: AtomicU64,
    fatal: Option<u64>,
    pub died: Notify,
}

impl Fate {
    pub fn at(fatal: u64) -> Arc<Self> {
        Arc::new(Self { fatal: Some(fatal), ..Self::default() })
    }

    pub fn steps(&self) -> u64 {
        self.steps.load(Ordering::SeqCst)
    }

    async fn step(&self) {
        if Some(self.steps.fetch_add(1, Ordering::SeqCst)) == self.fatal {
            self.died.notify_one();
            std::future::pending::<()>().await;
        }
    }
}

pub fn post(id: impl Into<String>) -> Item {
    Item {
        data_type: DataType::Posts,
        id: id.into(),
        containers: vec![],
        created: None,
        modified: None,
        zone: None,
        visibility: None,
        content: None,
        fields: Fields::Opaque { name: String::new() },
        original: None,
    }
}

pub fn photo(id: impl Into<String>, album: &str) -> Item {
    let id = id.into();
    let content = Content {
        locator: id.clone(),
        name: None,
        media_type: "image/png".to_owned(),
        size: Some(bytes_of(&id).len() as u64),
        blake3: None,
    };
    Item { data_type: DataType::Photos, containers: vec![album.to_owned()], content: Some(content), ..post(id) }
}

pub fn album(id: &str) -> Item {
    let fields = Fields::Container { name: id.to_owned(), description: None };
    Item { data_type: DataType::Albums, fields, ..post(id) }
}

fn bytes_of(locator: &str) -> Vec<u8> {
    locator.as_bytes().repeat(3)
}

/// What the fake source holds: items, or records that are broken.
#[derive(Clone)]
pub enum Record {
    Whole(Box<Item>),
    Broken(String),
}

pub struct FakeSource {
    pub records: Vec<Record>,
    pub page_size: usize,
    pub fingerprint: String,
    pub order: ContentOrder,
    pub fate: Arc<Fate>,
    /// The locators that were opened, in order.
    pub opened: Mutex<Vec<String>>,
    open_now: Arc<AtomicUsize>,
    /// Locators whose bytes break off.
    pub breaks_off: Vec<String>,
}

impl FakeSource {
    pub fn new(items: impl IntoIterator<Item = Item>) -> Self {
        Self {
            records: items.into_iter().map(|item| Record::Whole(Box::new(item))).collect(),
            page_size: 10,
            fingerprint: "1".to_owned(),
            order: ContentOrder::Any,
            fate: Arc::default(),
            opened: Mutex::default(),
            open_now: Arc::default(),
            breaks_off: vec![],
        }
    }
}

#[async_trait]
impl Source for FakeSource {
    fn capabilities(&self) -> Capabilities {
        Capabilities { reads: DataType::ALL.to_vec(), content_order: self.order, ..Capabilities::default() }
    }

    async fn fingerprint(&self) -> Result<String> {
        Ok(self.fingerprint.clone())
    }

    async fn page(&self, cursor: Option<&Cursor>) -> Result<Page> {
        self.fate.step().await;
        let start: usize = cursor.map_or(0, |cursor| cursor.0.parse().unwrap());
        let end = (start + self.page_size).min(self.records.len());
        let entries = self.records[start..end].iter().map(|record| match record.clone() {
            Record::Whole(item) => Entry::Item(item),
            Record::Broken(id) => Entry::Broken {
                data_type: DataType::Posts,
                id,
                problem: Problem::new(&codes::transfer::RECORD_BROKEN, "a comma is missing"),
            },
        });
        let next = (end < self.records.len()).then(|| Cursor(end.to_string()));
        Ok(Page { entries: entries.collect(), next })
    }

    async fn open(&self, content: &Content) -> Result<Body> {
        self.opened.lock().unwrap().push(content.locator.clone());
        let before = self.open_now.fetch_add(1, Ordering::SeqCst);
        assert!(self.order == ContentOrder::Any || before == 0, "content is open twice in a source read in order");
        let mut chunks: Vec<std::io::Result<Bytes>> =
            bytes_of(&content.locator).chunks(7).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
        if self.breaks_off.contains(&content.locator) {
            chunks.truncate(1);
            chunks.push(Err(std::io::ErrorKind::UnexpectedEof.into()));
        }
        let held = Held(self.open_now.clone());
        let stream = stream::iter(chunks).map(move |chunk| {
            let _ = &held;
            chunk
        });
        Ok(Body { size: content.size, stream: stream.boxed() })
    }
}

struct Held(Arc<AtomicUsize>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// What a destination does with an item.
pub enum Behaviour {
    Take,
    Fail(Problem),
    /// Takes it and does not answer.
    Hang,
}

/// What lies at the destination; outlives the process that writes to it.
#[derive(Default)]
pub struct Remote {
    /// How often the item with this key was stored.
    pub stored: Mutex<BTreeMap<String, Vec<String>>>,
    /// In which order items came.
    pub order: Mutex<Vec<String>>,
    /// How often each source id was tried.
    pub tries: Mutex<BTreeMap<String, u32>>,
    pub finished: AtomicUsize,
}

impl Remote {
    /// Returns how many items lie there, repeats counted.
    pub fn count(&self) -> usize {
        self.stored.lock().unwrap().values().map(Vec::len).sum()
    }

    /// Returns the source ids of what was stored twice.
    pub fn doubled(&self) -> Vec<String> {
        self.stored.lock().unwrap().values().filter(|ids| ids.len() > 1).map(|ids| ids[0].clone()).collect()
    }
}

type Script = Box<dyn Fn(&Item, u32) -> Behaviour + Send + Sync>;

pub struct FakeDestination {
    pub remote: Arc<Remote>,
    pub fate: Arc<Fate>,
    pub recognises_repeats: bool,
    pub concurrency: usize,
    pub script: Script,
    pub refused: Vec<String>,
    /// How long a write takes.
    pub takes: Duration,
    now: Arc<AtomicUsize>,
    pub most_at_once: AtomicUsize,
}

impl FakeDestination {
    pub fn new(remote: &Arc<Remote>) -> Self {
        Self {
            remote: remote.clone(),
            fate: Arc::default(),
            recognises_repeats: true,
            concurrency: 4,
            script: Box::new(|_, _| Behaviour::Take),
            refused: vec![],
            takes: Duration::ZERO,
            now: Arc::default(),
            most_at_once: AtomicUsize::new(0),
        }
    }

    pub fn doing(remote: &Arc<Remote>, script: impl Fn(&Item, u32) -> Behaviour + Send + Sync + 'static) -> Self {
        Self { script: Box::new(script), ..Self::new(remote) }
    }

    async fn store(&self, item: &Item, key: &ItemKey, body: Option<Body>) -> Result<Written> {
        let (mut bytes, mut hasher) = (0, blake3::Hasher::new());
        let has_content = body.is_some();
        if let Some(mut body) = body {
            while let Some(chunk) = body.stream.next().await {
                let chunk = chunk
                    .map_err(|error| Problem::new(&codes::transfer::DESTINATION_FAILED, "cut off").caused_by(error))?;
                bytes += chunk.len() as u64;
                hasher.update(&chunk);
            }
        }
        let blake3 = has_content.then(|| hasher.finalize().to_hex().to_string());
        let mut stored = self.remote.stored.lock().unwrap();
        let copies = stored.entry(key.key.clone()).or_default();
        let already_there = self.recognises_repeats && !copies.is_empty();
        if !already_there {
            copies.push(item.id.clone());
            self.remote.order.lock().unwrap().push(item.id.clone());
        }
        Ok(Written { remote_id: None, already_there, bytes, blake3, loss: vec![] })
    }
}

#[async_trait]
impl Destination for FakeDestination {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            writes: vec![DataType::Posts, DataType::Photos, DataType::Albums],
            recognises_repeats: self.recognises_repeats,
            concurrency: self.concurrency,
            ..Capabilities::default()
        }
    }

    fn refuses(&self, item: &Item) -> Option<Problem> {
        let refused = self.refused.contains(&item.id);
        refused.then(|| Problem::new(&codes::transfer::ITEM_REFUSED, "too strange"))
    }

    async fn write(&self, item: &Item, key: &ItemKey, body: Option<Body>) -> Result<Written> {
        self.most_at_once.fetch_max(self.now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let _held = Held(self.now.clone());
        self.fate.step().await;
        let nth = {
            let mut tries = self.remote.tries.lock().unwrap();
            let nth = tries.entry(item.id.clone()).or_default();
            *nth += 1;
            *nth
        };
        let result = match (self.script)(item, nth) {
            Behaviour::Take => self.store(item, key, body).await,
            Behaviour::Fail(problem) => Err(problem),
            Behaviour::Hang => {
                self.store(item, key, body).await?;
                std::future::pending().await
            }
        };
        if !self.takes.is_zero() {
            tokio::time::sleep(self.takes).await;
        }
        self.fate.step().await;
        result
    }

    async fn finish(&self) -> Result<()> {
        self.fate.step().await;
        self.remote.finished.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}
