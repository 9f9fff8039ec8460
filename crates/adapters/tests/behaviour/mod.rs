//! The behaviour suite of the crate, with its points as assertions, and reading for tests.

use std::future::Future;
use std::sync::Arc;

pub use adapters::behaviour::{item, write};
use adapters::{Destination, Entry, Source};
use futures_util::StreamExt;
use model::Item;

/// Asserts what every destination promises.
pub async fn destination<F: Future<Output = Arc<dyn Destination>>>(open: impl Fn() -> F) {
    let open = || {
        let opened = open();
        async { Ok(opened.await) }
    };
    let checks = adapters::behaviour::destination(open).await;
    assert!(checks.hold(), "{}", checks.words());
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
