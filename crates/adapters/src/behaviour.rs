//! What every source and destination promises, chosen by what it says of itself: for `moveout adapter check` and our own tests.

use std::future::Future;
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use model::check::{Checks, Verdict};
use model::item::{Activity, ActivityKind, Attachment, AttachmentKind, Content, Fields};
use model::{DataType, Item, Problem, Result, codes};

use crate::{Body, Destination, Entry, ItemKey, Source, Written};

/// How many items of each type a destination is given, all at once.
const ITEMS: usize = 20;
/// How many items of a source are opened.
const OPENED: usize = 200;

/// Returns an item of a type, with bytes where such items have some: from nothing to more than a chunk.
pub fn item(data_type: DataType, number: usize) -> (Item, Option<Vec<u8>>) {
    let has_bytes = matches!(data_type, DataType::Photos | DataType::Videos | DataType::Files);
    let bytes = has_bytes.then(|| vec![number as u8; number * 40_000]);
    let content = bytes.as_ref().map(|bytes| Content {
        locator: format!("somewhere/{number}.png"),
        name: Some(format!("Ελλάδα {number}.png")),
        media_type: "image/png".to_owned(),
        size: Some(bytes.len() as u64),
        blake3: None,
    });
    let original = format!(r#"{{ "spaced" : "{data_type} {number}", "Größe":1.0 }}"#);
    let item = Item {
        data_type,
        id: format!("https://source.example/{data_type}/{number}"),
        containers: vec![],
        created: "2024-02-29T12:00:00.123Z".parse().ok(),
        modified: None,
        zone: Some("+01:00".to_owned()),
        visibility: None,
        content,
        fields: fields(data_type, format!("文字 🎈 {number}")),
        original: serde_json::value::RawValue::from_string(original).ok(),
    };
    (item, bytes)
}

fn fields(data_type: DataType, name: String) -> Fields {
    match data_type {
        DataType::Albums | DataType::Calendar | DataType::Playlists => {
            Fields::Container { name, description: Some("…".to_owned()) }
        }
        DataType::Photos | DataType::Videos => Fields::Media { title: name, description: None, favorite: Some(true) },
        DataType::Posts | DataType::Comments => {
            let attachment =
                Attachment { kind: AttachmentKind::Image, name: name.clone(), url: None, content: Some(name.clone()) };
            let activity = Activity {
                kind: ActivityKind::Share,
                content: Some(name),
                attachments: vec![attachment],
                ..Activity::default()
            };
            Fields::Activity(Box::new(activity))
        }
        DataType::Likes | DataType::Follows | DataType::Bookmarks => Fields::Link { target: name, title: None },
        _ => Fields::Opaque { name },
    }
}

/// Returns a body of these bytes, cut into pieces, that says how long it is.
pub fn body(bytes: &[u8]) -> Body {
    let chunks: Vec<_> = bytes.chunks(7_001).map(|chunk| Ok(bytes::Bytes::copy_from_slice(chunk))).collect();
    Body { size: Some(bytes.len() as u64), stream: stream::iter(chunks).boxed() }
}

/// Writes an item as the engine does.
///
/// # Errors
/// What the destination says.
pub async fn write(destination: &dyn Destination, data_type: DataType, number: usize) -> Result<Written> {
    let (item, bytes) = item(data_type, number);
    let key = ItemKey { transfer: "t".to_owned(), key: blake3::hash(item.id.as_bytes()).to_hex().to_string() };
    if let Some(refused) = destination.refuses(&item) {
        return Err(refused);
    }
    destination.write(&item, &key, bytes.as_deref().map(body)).await
}

/// Holds a destination to its promises: what is written is confirmed with its length and hash, many at once; a broken
/// body is refused; other types are refused; where repeats are recognised, writing again after reopening changes nothing.
pub async fn destination<F: Future<Output = Result<Arc<dyn Destination>>>>(open: impl Fn() -> F) -> Checks {
    let mut checks = Checks::default();
    match open().await {
        Ok(opened) => opens(&mut checks, &opened).await,
        Err(problem) => {
            checks.failed("open", &problem);
            return checks;
        }
    }
    // Whatever was opened first is closed by now: what a second one knows, it knows from the place.
    match open().await {
        Ok(again) if again.capabilities().recognises_repeats => repeats(&mut checks, again.as_ref()).await,
        Ok(_) => checks.note(
            "repeats",
            Verdict::Warning,
            "it does not recognise repeats: items in flight at a crash are uncertain",
        ),
        Err(problem) => checks.failed("repeats", &problem),
    }
    checks
}

async fn opens(checks: &mut Checks, opened: &Arc<dyn Destination>) {
    let capabilities = opened.capabilities();
    let types: Vec<&str> = capabilities.writes.iter().map(|data_type| data_type.name()).collect();
    let able = capabilities.concurrency > 0 && !types.is_empty();
    checks.must("open", able, format!("it takes {}, {} at a time", types.join(", "), capabilities.concurrency));
    refused_types(checks, opened.as_ref());
    written(checks, opened.as_ref(), "write", false).await;
    if let Some(data_type) = capabilities.writes.iter().find(|data_type| item(**data_type, 0).1.is_some()) {
        broken_bodies(checks, opened.as_ref(), *data_type).await;
    }
    for _ in 0..2 {
        match opened.finish().await {
            Ok(()) => checks.must("finish", true, "it finishes, as often as it is asked to"),
            Err(problem) => checks.failed("finish", &problem),
        }
    }
}

/// What a destination does not take it must refuse before anything is sent.
fn refused_types(checks: &mut Checks, opened: &dyn Destination) {
    let takes = opened.capabilities().writes;
    let silent: Vec<&str> = DataType::ALL
        .iter()
        .filter(|data_type| !takes.contains(data_type) && opened.refuses(&item(**data_type, 1).0).is_none())
        .map(|data_type| data_type.name())
        .collect();
    let words = match silent.is_empty() {
        true => "types that it does not take are refused beforehand".to_owned(),
        false => format!("it does not say that it does not take {}", silent.join(", ")),
    };
    checks.must("refused_types", silent.is_empty(), words);
}

/// Writes items of every type at once; `there` says whether they are there already.
async fn written(checks: &mut Checks, opened: &dyn Destination, id: &'static str, there: bool) {
    for data_type in opened.capabilities().writes {
        let writes = (0..ITEMS).map(|number| write(opened, data_type, number));
        let mut wrong = None;
        for (number, outcome) in futures_util::future::join_all(writes).await.into_iter().enumerate() {
            let (_, bytes) = item(data_type, number);
            let found = match outcome {
                Ok(written) => differs(&written, bytes.as_deref(), there),
                Err(problem) => Some(problem.to_string()),
            };
            wrong = wrong.or(found.map(|what| format!("{data_type} {number}: {what}")));
        }
        let good = if there {
            "recognised when written again"
        } else {
            "confirmed, with length and hash where they have bytes"
        };
        checks.must(id, wrong.is_none(), wrong.unwrap_or_else(|| format!("{ITEMS} {data_type}: {good}")));
    }
}

fn differs(written: &Written, bytes: Option<&[u8]>, there: bool) -> Option<String> {
    let hash = bytes.map(|bytes| blake3::hash(bytes).to_hex().to_string());
    let length = bytes.map_or(0, |bytes| bytes.len() as u64);
    match () {
        () if written.already_there != there => Some(format!("it says already_there = {}", written.already_there)),
        // What was there before need not be sent again to be counted.
        () if !there && written.bytes != length => Some(format!("{} bytes of {length} were confirmed", written.bytes)),
        () if written.blake3 != hash => Some("the hash is another".to_owned()),
        () => None,
    }
}

async fn repeats(checks: &mut Checks, again: &dyn Destination) {
    written(checks, again, "repeats", true).await;
    if let Err(problem) = again.finish().await {
        checks.failed("repeats", &problem);
    }
}

/// A body that is shorter than it said, or breaks off, must not pass for an item.
async fn broken_bodies(checks: &mut Checks, opened: &dyn Destination, data_type: DataType) {
    let (item, _) = item(data_type, 100);
    let key = ItemKey { transfer: "t".to_owned(), key: "feed".repeat(16) };
    let short = Body { size: Some(10), ..body(b"12345") };
    let short = opened.write(&item, &key, Some(short)).await;
    let told = |outcome: &Result<Written>| {
        outcome.as_ref().is_err_and(|problem: &Problem| problem.is(&codes::transfer::CONTENT_CHANGED))
    };
    checks.must("short_body", told(&short), "content that is shorter than it said is refused as changed");
    let pieces = [Ok("12345".into()), Err(std::io::ErrorKind::UnexpectedEof.into())];
    let cut = Body { size: Some(10), stream: stream::iter(pieces).boxed() };
    let cut = opened.write(&item, &key, Some(cut)).await;
    checks.must("cut_body", cut.is_err(), "content that breaks off is refused");
}

/// Holds a source to its promises: a page read again is the same, ids do not come twice, content opens and is as long as said.
pub async fn source(source: &dyn Source) -> Checks {
    let mut checks = Checks::default();
    let same = match (source.fingerprint().await, source.fingerprint().await) {
        (Ok(first), Ok(second)) => first == second,
        (Err(problem), _) | (_, Err(problem)) => return failed(checks, "open", &problem),
    };
    let format = source.format().map_or(String::new(), |format| format!("it is {format}; "));
    checks.must("open", same, format!("{format}its fingerprint stays while it does not change"));
    let mut seen = Seen::default();
    let mut cursor = None;
    loop {
        let page = match (source.page(cursor.as_ref()).await, source.page(cursor.as_ref()).await) {
            (Ok(page), Ok(again)) => {
                seen.differ |= format!("{page:?}") != format!("{again:?}");
                page
            }
            (Err(problem), _) | (_, Err(problem)) => return failed(checks, "read", &problem),
        };
        for entry in &page.entries {
            seen.entry(source, entry).await;
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    let broken = if seen.broken > 0 { format!(", {} broken records", seen.broken) } else { String::new() };
    checks.must("read", !seen.differ, format!("{} items{broken}; every page read twice is the same", seen.ids.len()));
    checks.must("ids", seen.twice == 0, format!("{} ids come twice", seen.twice));
    checks.must(
        "content",
        seen.unopened.is_none(),
        seen.unopened.unwrap_or_else(|| format!("{} contents were opened and are as long as said", seen.opened)),
    );
    checks
}

fn failed(mut checks: Checks, id: &'static str, problem: &Problem) -> Checks {
    checks.failed(id, problem);
    checks
}

#[derive(Default)]
struct Seen {
    ids: std::collections::BTreeSet<(DataType, String)>,
    broken: u64,
    twice: u64,
    differ: bool,
    opened: usize,
    unopened: Option<String>,
}

impl Seen {
    async fn entry(&mut self, source: &dyn Source, entry: &Entry) {
        let Entry::Item(item) = entry else {
            self.broken += 1;
            return;
        };
        self.twice += u64::from(!self.ids.insert((item.data_type, item.id.clone())));
        let Some(content) = item.content.as_ref().filter(|_| self.opened < OPENED && self.unopened.is_none()) else {
            return;
        };
        self.opened += 1;
        let length = match source.open(content).await {
            Ok(mut body) => {
                let mut length = Ok(0);
                while let (Ok(before), Some(chunk)) = (&length, body.stream.next().await) {
                    length = chunk.map(|chunk| before + chunk.len() as u64);
                }
                length.map_err(|cause| cause.to_string())
            }
            Err(problem) => Err(problem.to_string()),
        };
        self.unopened = match (length, content.size) {
            (Err(why), _) => Some(format!("the content of a {} cannot be read: {why}", item.data_type)),
            (Ok(length), Some(size)) if length != size => {
                Some(format!("the content of a {} has {length} bytes and was said to have {size}", item.data_type))
            }
            _ => None,
        };
    }
}
