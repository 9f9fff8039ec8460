//! The pages of an archive: albums, media in the order of the archive, posts, likes, bookmarks, then what is broken.

use std::ops::Range;

use async_trait::async_trait;
use model::item::Content;
use model::{DataType, Item, Problem, Result, codes};
use wire::json_elements::Fault;
use wire::mastodon::{link_record, outbox_record};

use super::container::{Packing, Stored};
use super::mastodon::{Export, Medium, find};
use super::records::{Reader, Records};
use super::{Archive, capabilities, errors};
use crate::body::blocking;
use crate::verbs::{Body, Capabilities, Cursor, Entry, Page, Source};

/// How many entries a page has.
const PAGE: usize = 1000;

#[async_trait]
impl Source for Archive {
    fn capabilities(&self) -> Capabilities {
        Capabilities { content_order: self.content_order(), ..capabilities() }
    }

    fn format(&self) -> Option<&'static str> {
        Some("mastodon")
    }

    async fn fingerprint(&self) -> Result<String> {
        Ok(self.fingerprint.clone())
    }

    async fn page(&self, cursor: Option<&Cursor>) -> Result<Page> {
        let from = cursor.map_or(Ok(0), |Cursor(text)| text.parse()).map_err(|error: std::num::ParseIntError| {
            Problem::new(&codes::transfer::SOURCE_CHANGED, "the place to go on from is not in this archive")
                .caused_by(error)
        })?;
        let (export, entries) = (self.export.clone(), self.entries.clone());
        blocking(move || Ok(page(&export, &entries, from))).await
    }

    async fn open(&self, content: &Content) -> Result<Body> {
        let path = format!("{}{}", self.export.prefix, content.locator);
        let number = find(&self.entries, &self.by_path, &path).ok_or_else(errors::media_missing)?;
        self.container.read(self.entries.clone(), number).await
    }
}

/// Reads a page: the parts of an export lie behind each other, and a cursor counts through them all.
fn page(export: &Export, entries: &[Stored], from: usize) -> Page {
    let parts = [
        (export.albums.len(), albums as Part),
        (export.media.len(), media),
        (export.posts.len(), posts),
        (export.likes.len(), likes),
        (export.bookmarks.len(), bookmarks),
        (export.broken.len(), broken),
    ];
    let upto = from.saturating_add(PAGE);
    let mut page = Page::default();
    let mut begin = 0;
    for (length, part) in parts {
        let end = begin + length;
        let range = from.clamp(begin, end) - begin..upto.clamp(begin, end) - begin;
        page.entries.extend(part(export, entries, range));
        begin = end;
    }
    page.next = (upto < begin).then(|| Cursor(upto.to_string()));
    page
}

/// Reads a range of one part of an export.
type Part = fn(&Export, &[Stored], Range<usize>) -> Vec<Entry>;

fn albums(export: &Export, _: &[Stored], range: Range<usize>) -> Vec<Entry> {
    export.albums[range].iter().map(|album| Entry::Item(Box::new(album.clone()))).collect()
}

fn media(export: &Export, entries: &[Stored], range: Range<usize>) -> Vec<Entry> {
    let mut attachments = export.attachments.reader();
    let media = export.media[range].iter();
    media.map(|medium| Entry::Item(Box::new(media_item(export, entries, *medium, &mut attachments)))).collect()
}

fn media_item(export: &Export, entries: &[Stored], medium: Medium, attachments: &mut Reader<'_>) -> Item {
    let described = attachments.get(medium.record as usize).ok().and_then(|json| serde_json::from_slice(json).ok());
    let Some(stored) = entries.get(medium.entry as usize) else {
        // What has no file has a record: that is where it comes from.
        return described.unwrap_or_else(|| export.account.posted_album());
    };
    let mut item = described.unwrap_or_else(|| export.bare_item(stored));
    // What is not read has no length either.
    if let Some(content) = item.content.as_mut().filter(|_| !matches!(stored.packing, Packing::Unread(_))) {
        content.size = Some(stored.size);
    }
    item
}

fn posts(export: &Export, _: &[Stored], range: Range<usize>) -> Vec<Entry> {
    records(&export.posts, range, DataType::Posts, "outbox.json", |json| Ok(outbox_record(json, &export.account)?.post))
}

fn likes(export: &Export, _: &[Stored], range: Range<usize>) -> Vec<Entry> {
    records(&export.likes, range, DataType::Likes, "likes.json", |json| link_record(DataType::Likes, json))
}

fn bookmarks(export: &Export, _: &[Stored], range: Range<usize>) -> Vec<Entry> {
    records(&export.bookmarks, range, DataType::Bookmarks, "bookmarks.json", |json| {
        link_record(DataType::Bookmarks, json)
    })
}

fn broken(export: &Export, _: &[Stored], range: Range<usize>) -> Vec<Entry> {
    let broken = export.broken[range].iter();
    broken
        .map(|part| Entry::Broken { data_type: part.data_type, id: part.id.clone(), problem: part.why.problem() })
        .collect()
}

fn records(
    records: &Records,
    range: Range<usize>,
    data_type: DataType,
    document: &str,
    parse: impl Fn(&[u8]) -> Result<Item>,
) -> Vec<Entry> {
    let mut reader = records.reader();
    let entry = |number| match reader.get(number).map_err(Fault::problem).and_then(&parse) {
        Ok(item) => Entry::Item(Box::new(item)),
        Err(problem) => Entry::Broken { data_type, id: format!("{document}#{number}"), problem },
    };
    range.map(entry).collect()
}
