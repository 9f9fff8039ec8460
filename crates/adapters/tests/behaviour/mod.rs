//! The behaviour that every destination promises, chosen by what it says of itself.

use std::future::Future;
use std::sync::Arc;

use adapters::{Body, Destination, Entry, ItemKey, Source, Written};
use futures_util::StreamExt;
use futures_util::stream;
use model::item::{Activity, ActivityKind, Attachment, AttachmentKind, Content, Fields};
use model::{DataType, Item};

/// Returns an item of a type, with bytes where such items have some.
pub fn item(data_type: DataType, number: usize) -> (Item, Option<Vec<u8>>) {
    let has_bytes = matches!(data_type, DataType::Photos | DataType::Videos | DataType::Files);
    // From nothing to more than a chunk.
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
        created: Some("2024-02-29T12:00:00.123Z".parse().unwrap()),
        modified: None,
        zone: Some("+01:00".to_owned()),
        visibility: None,
        content,
        fields: fields(data_type, format!("文字 🎈 {number}")),
        original: Some(serde_json::value::RawValue::from_string(original).unwrap()),
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
pub async fn write(destination: &dyn Destination, data_type: DataType, number: usize) -> model::Result<Written> {
    let (item, bytes) = item(data_type, number);
    let key = ItemKey { transfer: "t".to_owned(), key: blake3::hash(item.id.as_bytes()).to_hex().to_string() };
    assert!(destination.refuses(&item).is_none());
    destination.write(&item, &key, bytes.as_deref().map(body)).await
}

/// What is written is confirmed with its length and hash, many at once; a broken body leaves nothing behind; where repeats
/// are recognised, writing again, also after reopening, changes nothing.
pub async fn destination<F: Future<Output = Arc<dyn Destination>>>(open: impl Fn() -> F) {
    let opened = open().await;
    let capabilities = opened.capabilities();
    assert!(capabilities.concurrency > 0 && !capabilities.writes.is_empty());
    for data_type in &capabilities.writes {
        let writes = (0..20).map(|number| write(opened.as_ref(), *data_type, number));
        for (number, written) in futures_util::future::join_all(writes).await.into_iter().enumerate() {
            let written = written.unwrap();
            let (_, bytes) = item(*data_type, number);
            assert!(!written.already_there, "{data_type} {number}");
            assert_eq!(written.bytes, bytes.as_ref().map_or(0, |bytes| bytes.len() as u64));
            assert_eq!(written.blake3, bytes.map(|bytes| blake3::hash(&bytes).to_hex().to_string()));
        }
    }
    if let Some(data_type) = capabilities.writes.iter().find(|data_type| item(**data_type, 0).1.is_some()) {
        broken_bodies(opened.as_ref(), *data_type).await;
    }
    opened.finish().await.unwrap();
    opened.finish().await.unwrap();
    if !capabilities.recognises_repeats {
        return;
    }
    drop(opened);
    let again = open().await;
    for data_type in &capabilities.writes {
        for number in 0..20 {
            let written = write(again.as_ref(), *data_type, number).await.unwrap();
            let (_, bytes) = item(*data_type, number);
            assert!(written.already_there, "{data_type} {number}");
            assert_eq!(written.blake3, bytes.map(|bytes| blake3::hash(&bytes).to_hex().to_string()));
        }
    }
    again.finish().await.unwrap();
}

async fn broken_bodies(opened: &dyn Destination, data_type: DataType) {
    let (item, _) = item(data_type, 100);
    let key = ItemKey { transfer: "t".to_owned(), key: "feed".repeat(16) };
    let short = Body { size: Some(10), ..body(b"12345") };
    let problem = opened.write(&item, &key, Some(short)).await.unwrap_err();
    assert!(problem.is(&model::codes::transfer::CONTENT_CHANGED), "{problem:?}");
    let pieces = [Ok("12345".into()), Err(std::io::ErrorKind::UnexpectedEof.into())];
    let cut = Body { size: Some(10), stream: stream::iter(pieces).boxed() };
    assert!(opened.write(&item, &key, Some(cut)).await.is_err());
}

/// Reads everything, and every page twice: it must be the same.
pub async fn read_all(source: &dyn Source) -> (Vec<Item>, Vec<String>) {
    let (mut items, mut broken, mut cursor) = (vec![], vec![], None);
    loop {
        let page = source.page(cursor.as_ref()).await.unwrap();
        let again = source.page(cursor.as_ref()).await.unwrap();
        assert_eq!(format!("{page:?}"), format!("{again:?}"));
        for entry in page.entries {
            match entry {
                Entry::Item(item) => items.push(*item),
                Entry::Broken { id, .. } => broken.push(id),
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            return (items, broken);
        }
    }
}

/// Reads the bytes of an item.
pub async fn read(source: &dyn Source, item: &Item) -> Vec<u8> {
    let mut body = source.open(item.content.as_ref().unwrap()).await.unwrap();
    let mut bytes = vec![];
    while let Some(chunk) = body.stream.next().await {
        bytes.extend_from_slice(&chunk.unwrap());
    }
    bytes
}
