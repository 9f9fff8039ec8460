//! A Mastodon export: its documents read once and kept as records, its files joined with what posts say of them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

use model::{DataType, Item, Problem, Result, codes};
use wire::json_elements::{Fault, Splitter};
use wire::mastodon::{self, Account, POSTED_ALBUM, PROFILE_ALBUM};

use super::container::{Index, Stored, Unread, Visitor};
use super::errors;
use super::records::Records;

/// The largest `actor.json` that is taken, in bytes.
const MAX_ACTOR: u64 = 1024 * 1024;

/// How much memory the packed records of an archive may take, in bytes.
const MAX_RECORDS: u64 = 1024 * 1024 * 1024;

/// Marks a medium that lacks its file, or a file that lacks a record.
pub const NONE: u32 = u32::MAX;

/// What an archive's documents say, by the folder they are in, while it is being indexed.
#[derive(Default)]
pub struct Documents(BTreeMap<String, Export>);

/// What one folder's documents say.
#[derive(Default)]
pub struct Export {
    /// The folder within the archive, with a slash at its end unless it is the root.
    pub prefix: String,
    /// Whose export it is; `actor.json` as it is, until [`Documents::choose`].
    pub account: Account,
    /// The albums that its media lie in.
    pub albums: Vec<Item>,
    /// Files and what records say of them: those in the archive in its order, then those it lacks.
    pub media: Vec<Medium>,
    /// The items of attachments, as JSON.
    pub attachments: Records,
    /// The records of `outbox.json`.
    pub posts: Records,
    /// The records of `likes.json`.
    pub likes: Records,
    /// The records of `bookmarks.json`.
    pub bookmarks: Records,
    /// What could not be read at all.
    pub broken: Vec<Broken>,
    actor: Option<Vec<u8>>,
    has_outbox: bool,
    /// A document that the export cannot do without, and why it is not read.
    unread: Option<(&'static str, Unread)>,
}

/// A part of the archive that could not be read, although the rest can.
pub struct Broken {
    /// The type of data that it would have held.
    pub data_type: DataType,
    /// Its name, unique among the broken.
    pub id: String,
    /// What is wrong with it.
    pub why: Why,
}

/// What is wrong with a part of an archive.
pub enum Why {
    /// A document has no list of records, or the list ends in the middle.
    Document(Fault),
    /// A document is not read.
    Unread(Unread),
    /// The name of a file would leave the archive.
    Name,
    /// It is the outbox of another export.
    OtherExport,
}

impl Why {
    /// Returns it as a problem.
    pub fn problem(&self) -> Problem {
        match self {
            Self::Document(fault) => fault.problem(),
            Self::Unread(why) => errors::unread(*why),
            Self::OtherExport => Problem::new(
                &codes::transfer::RECORD_BROKEN,
                "it belongs to another export; move that as an archive of its own",
            ),
            Self::Name => Problem::new(&codes::transfer::NAME_UNSAFE, ""),
        }
    }
}

/// A file of the archive, an attachment of a post, or both.
#[derive(Clone, Copy, Debug)]
pub struct Medium {
    /// Which entry of the archive it is, or [`NONE`].
    pub entry: u32,
    /// Which attachment it is, or [`NONE`].
    pub record: u32,
}

const DOCUMENTS: [&str; 4] = ["actor.json", "outbox.json", "likes.json", "bookmarks.json"];

fn split(path: &str) -> (&str, &str) {
    path.split_at(path.rfind('/').map_or(0, |at| at + 1))
}

impl Visitor for Documents {
    fn wants(&self, path: &str) -> bool {
        DOCUMENTS.contains(&split(path).1)
    }

    fn document(&mut self, path: &str, content: &mut dyn Read) -> io::Result<()> {
        let (prefix, name) = split(path);
        let export = self.0.entry(prefix.to_owned()).or_default();
        match name {
            "actor.json" => {
                let mut actor = Vec::new();
                content.take(MAX_ACTOR).read_to_end(&mut actor)?;
                export.actor = Some(actor);
                Ok(())
            }
            "outbox.json" => {
                export.has_outbox = true;
                let attachments = &mut export.attachments;
                let end = collect(content, &mut export.posts, |record| attached(record, attachments))?;
                export.attachments.seal();
                export.note(DataType::Posts, name, end);
                Ok(())
            }
            "likes.json" => {
                let end = collect(content, &mut export.likes, |_| {})?;
                export.note(DataType::Likes, name, end);
                Ok(())
            }
            _ => {
                let end = collect(content, &mut export.bookmarks, |_| {})?;
                export.note(DataType::Bookmarks, name, end);
                Ok(())
            }
        }
    }

    fn unread(&mut self, path: &str, why: Unread) {
        let (prefix, name) = split(path);
        let export = self.0.entry(prefix.to_owned()).or_default();
        let data_type = match name {
            "actor.json" => {
                export.actor.get_or_insert_default();
                export.unread = Some(("actor.json", why));
                return;
            }
            "outbox.json" => {
                export.has_outbox = true;
                export.unread = Some(("outbox.json", why));
                return;
            }
            "likes.json" => DataType::Likes,
            _ => DataType::Bookmarks,
        };
        export.broken.push(Broken { data_type, id: name.to_owned(), why: Why::Unread(why) });
    }
}

/// Keeps the records of a document; the inner result tells how the document ended.
fn collect(
    content: &mut dyn Read,
    records: &mut Records,
    mut each: impl FnMut(&[u8]),
) -> io::Result<Result<(), Fault>> {
    let mut splitter = Splitter::of_member(mastodon::RECORDS);
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let read = content.read(&mut chunk)?;
        if read == 0 {
            break;
        }
        splitter.push(&chunk[..read], &mut |record| {
            records.push(record);
            if let Ok(record) = record {
                each(record);
            }
        });
        if records.packed() > MAX_RECORDS {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
    }
    records.seal();
    Ok(splitter.finish())
}

/// Keeps what a post says of its attachments; a broken post is reported when it is its turn.
fn attached(record: &[u8], attachments: &mut Records) {
    let media = mastodon::outbox_record(record, &Account::default()).map(|outbox| outbox.media).unwrap_or_default();
    for json in media.iter().filter_map(|item| serde_json::to_vec(item).ok()) {
        attachments.push(Ok(&json));
    }
}

impl Documents {
    /// Chooses the folder that is an export, the outermost if there are several, and joins files with records.
    /// The others are counted as broken.
    ///
    /// # Errors
    /// `MO-3003` if there is none, `MO-3004` if its account cannot be read, `MO-3001` or `MO-3023` if one of the two
    /// documents that make an export is not read.
    pub fn choose(mut self, index: &Index, by_path: &[u32]) -> Result<Export> {
        let exports = self.0.iter().filter(|(_, export)| export.has_outbox && export.actor.is_some());
        let prefix = exports.min_by_key(|(prefix, _)| prefix.len()).map(|(prefix, _)| prefix.clone());
        let Some((prefix, mut export)) = prefix.and_then(|prefix| self.0.remove_entry(&prefix)) else {
            return Err(errors::unknown_format());
        };
        export.broken.extend(self.0.into_iter().filter(|(_, other)| other.has_outbox).map(|(folder, _)| Broken {
            data_type: DataType::Posts,
            id: format!("{folder}outbox.json"),
            why: Why::OtherExport,
        }));
        if let Some((name, why)) = export.unread {
            return Err(errors::document_unread(name, why));
        }
        export.prefix = prefix;
        export.account = Account::parse(&export.actor.take().unwrap_or_default())
            .map_err(|problem| Problem { detail: "actor.json does not describe an account".to_owned(), ..problem })?;
        export.broken.extend(index.refused.iter().enumerate().map(|(number, name)| Broken {
            data_type: DataType::Files,
            id: format!("{name}#{number}"),
            why: Why::Name,
        }));
        export.join(&index.entries, by_path);
        Ok(export)
    }
}

impl Export {
    fn note(&mut self, data_type: DataType, document: &str, end: Result<(), Fault>) {
        if let Err(fault) = end {
            self.broken.push(Broken { data_type, id: document.to_owned(), why: Why::Document(fault) });
        }
    }

    fn join(&mut self, entries: &[Stored], by_path: &[u32]) {
        let mut record_of = vec![NONE; entries.len()];
        let mut missing = Vec::new();
        let mut lacking = BTreeSet::new();
        let mut reader = self.attachments.reader();
        for number in 0..self.attachments.len() {
            let Ok(item) = reader.get(number).map(serde_json::from_slice::<Item>) else { continue };
            let Ok(Item { content: Some(content), .. }) = item else { continue };
            let record = number as u32;
            match find(entries, by_path, &format!("{}{}", self.prefix, content.locator)) {
                // A file that several posts show is one photo; each post names it.
                Some(entry) if record_of[entry] == NONE => record_of[entry] = record,
                Some(_) => {}
                None if lacking.insert(content.locator) => missing.push(Medium { entry: NONE, record }),
                None => {}
            }
        }
        let present = (0..entries.len()).filter(|entry| {
            let path = &entries[*entry].path;
            let (_, name) = split(path);
            path.starts_with(&self.prefix)
                && !(DOCUMENTS.contains(&name) && path.len() == self.prefix.len() + name.len())
                && find(entries, by_path, path) == Some(*entry)
        });
        self.media = present.map(|entry| Medium { entry: entry as u32, record: record_of[entry] }).collect();
        self.media.extend(missing);
        self.add_albums(entries);
    }

    fn add_albums(&mut self, entries: &[Stored]) {
        let holds = |album: &str| {
            self.media.iter().any(|medium| {
                medium.record != NONE && album == POSTED_ALBUM
                    || medium.entry != NONE
                        && self.album_of(self.locator(&entries[medium.entry as usize])) == Some(album)
            })
        };
        let albums = [(POSTED_ALBUM, self.account.posted_album()), (PROFILE_ALBUM, self.account.profile_album())];
        self.albums = albums.into_iter().filter(|(id, _)| holds(id)).map(|(_, album)| album).collect();
    }

    fn locator<'a>(&self, stored: &'a Stored) -> &'a str {
        &stored.path[self.prefix.len()..]
    }

    /// Returns the album of a file that no post names.
    fn album_of(&self, locator: &str) -> Option<&'static str> {
        if self.account.pictures.iter().any(|picture| picture == locator) {
            Some(PROFILE_ALBUM)
        } else {
            locator.starts_with("media_attachments/").then_some(POSTED_ALBUM)
        }
    }

    /// Returns the item of a file that no post names.
    pub fn bare_item(&self, stored: &Stored) -> Item {
        let locator = self.locator(stored);
        let media_type = mime_guess::from_path(locator).first_or_octet_stream();
        mastodon::bare_file(locator, media_type.essence_str(), self.album_of(locator))
    }
}

/// Returns the paths' order; of several entries of one path the last counts, as when unpacking.
pub fn sort_paths(entries: &[Stored]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..entries.len() as u32).collect();
    order.sort_by(|a, b| {
        let path = |entry: &u32| &entries[*entry as usize].path;
        path(a).cmp(path(b)).then(b.cmp(a))
    });
    order.dedup_by(|later, first| entries[*later as usize].path == entries[*first as usize].path);
    order
}

/// Returns the entry of a path.
pub fn find(entries: &[Stored], by_path: &[u32], path: &str) -> Option<usize> {
    let found = by_path.binary_search_by(|entry| (*entries[*entry as usize].path).cmp(path)).ok()?;
    Some(by_path[found] as usize)
}
