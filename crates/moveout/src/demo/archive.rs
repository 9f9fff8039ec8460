//! The sample archive: a Mastodon export of a person who never was, the same bytes in every run.

use std::io::Write;

use anyhow::Result;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::pictures;
use super::words::{DISPLAY_NAME, EMOJI, LANGUAGES, TAGS};

/// How many posts, polls and re-shares there are.
const POSTS: usize = 240;

/// How many of them have pictures: one, two or three.
const ILLUSTRATED: usize = 40;

/// How many likes and bookmarks there are.
const LIKES: usize = 60;
const BOOKMARKS: usize = 25;

const SITE: &str = "https://harbour.example";
const PUBLIC: &str = "https://www.w3.org/ns/activitystreams#Public";
/// Every file's time, so that the bytes are the same in every run: 2026-01-01.
const MODIFIED: u64 = 1_767_225_600;

/// Writes the archive as `.tar.gz`.
///
/// # Errors
/// What writing gave.
pub fn write(out: impl Write) -> Result<()> {
    let mut tar = tar::Builder::new(GzEncoder::new(out, Compression::default()));
    let mut pictures = Pictures(Vec::new());
    let outbox: Vec<Value> = (0..POSTS).map(|number| record(number, &mut pictures)).collect();
    add(&mut tar, "avatar.png", &self::pictures::harbour(7001)?)?;
    add(&mut tar, "header.png", &self::pictures::harbour(7002)?)?;
    for (number, path) in pictures.0.iter().enumerate() {
        add(&mut tar, path, &self::pictures::harbour(number as u32)?)?;
    }
    let link = |kind: &str, number: usize| json!(format!("https://{kind}.example/@friend/{}", 5_000 + 7 * number));
    let documents = [
        ("outbox.json", collection("outbox.json", outbox)),
        ("likes.json", collection("likes.json", (0..LIKES).map(|number| link("sailing", number)).collect())),
        ("bookmarks.json", collection("bookmarks.json", (0..BOOKMARKS).map(|number| link("knots", number)).collect())),
        ("actor.json", actor()),
    ];
    for (name, document) in documents {
        add(&mut tar, name, &serde_json::to_vec(&document)?)?;
    }
    tar.into_inner()?.finish()?;
    Ok(())
}

fn add(tar: &mut tar::Builder<impl Write>, path: &str, bytes: &[u8]) -> Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    header.set_mtime(MODIFIED);
    Ok(tar.append_data(&mut header, path, bytes)?)
}

fn collection(id: &str, records: Vec<Value>) -> Value {
    json!({
        "@context": "https://www.w3.org/ns/activitystreams", "id": id, "type": "OrderedCollection",
        "totalItems": records.len(), "orderedItems": records,
    })
}

fn actor() -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/activitystreams"], "id": format!("{SITE}/users/zoe"), "type": "Person",
        "preferredUsername": "zoe", "name": DISPLAY_NAME, "url": format!("{SITE}/@zoe"),
        "summary": "<p>Boats, knots, honey. Πλοία, κόμποι, μέλι.</p>",
        "icon": {"type": "Image", "mediaType": "image/png", "url": "avatar.png"},
        "image": {"type": "Image", "mediaType": "image/png", "url": "header.png"},
        "outbox": "outbox.json", "likes": "likes.json", "bookmarks": "bookmarks.json",
    })
}

/// The paths of the pictures that posts show.
struct Pictures(Vec<String>);

impl Pictures {
    fn attach(&mut self, caption: &str) -> Value {
        let number = self.0.len();
        let path = format!("media_attachments/files/{:03}/{:03}/original/harbour{number:03}.png", number / 10, number);
        let attachment = json!({
            "type": "Document", "mediaType": "image/png", "url": format!("/{path}"), "name": caption,
            "blurhash": "UBL_:rOpGG-oBUNG,qRj2so|=eE1w^n4S5NH", "width": 256, "height": 170,
        });
        self.0.push(path);
        attachment
    }
}

/// Makes the record of one post, from old to new.
fn record(number: usize, pictures: &mut Pictures) -> Value {
    let published = format!(
        "20{:02}-{:02}-{:02}T{:02}:{:02}:00Z",
        19 + number / 48,
        1 + number / 4 % 12,
        1 + number % 28,
        6 + number % 15,
        number * 7 % 60
    );
    let id = format!("{SITE}/users/zoe/statuses/{}", 100_000 + 37 * number);
    let (to, cc) = audience(number);
    if number % 30 == 29 {
        let shared = format!("https://sailing.example/users/friend/statuses/{}", 900 + number);
        return json!({
            "id": format!("{id}/activity"), "type": "Announce", "actor": format!("{SITE}/users/zoe"),
            "published": published, "to": to, "cc": cc, "object": shared,
        });
    }
    let mut note = note(number, pictures);
    if let Some(members) = note.as_object_mut() {
        members.insert("id".to_owned(), json!(id));
        members.insert("url".to_owned(), json!(format!("{SITE}/@zoe/{}", 100_000 + 37 * number)));
        members.insert("published".to_owned(), json!(published));
        members.insert("to".to_owned(), json!(to));
        members.insert("cc".to_owned(), json!(cc));
    }
    json!({
        "id": format!("{id}/activity"), "type": "Create", "actor": format!("{SITE}/users/zoe"),
        "published": published, "to": to, "cc": cc, "object": note,
    })
}

fn note(number: usize, pictures: &mut Pictures) -> Value {
    let language = &LANGUAGES[number % LANGUAGES.len()];
    let tag = TAGS[number % TAGS.len()];
    let content = format!(
        "<p>{} {} {}</p><p><a href=\"{SITE}/tags/{tag}\">#{tag}</a></p>",
        language.openings[number / 12 % 4],
        language.endings[number / 48 % 4],
        EMOJI[number % EMOJI.len()],
    );
    let shown = if number % (POSTS / ILLUSTRATED) == 1 { 1 + number / 6 % 3 } else { 0 };
    let attachment: Vec<Value> =
        (0..shown).map(|index| pictures.attach(&format!("{} · {}", language.captions[index % 2], number))).collect();
    let mut content_map = serde_json::Map::new();
    content_map.insert(language.tag.to_owned(), json!(content));
    let mut note = json!({
        "type": "Note", "summary": null, "inReplyTo": null, "sensitive": false, "attributedTo": format!("{SITE}/users/zoe"),
        "content": content, "contentMap": content_map, "attachment": attachment,
        "tag": [{"type": "Hashtag", "href": format!("{SITE}/tags/{tag}"), "name": format!("#{tag}")}],
    });
    let options =
        |texts: [&str; 2]| texts.map(|text| json!({"type": "Note", "name": text, "replies": {"totalItems": 3}}));
    if number % 60 == 17 {
        note["type"] = json!("Question");
        note["oneOf"] = json!(options(["⛵", "🚣"]));
    }
    if number % 40 == 8 {
        note["summary"] = json!("Essen · φαγητό · 食べ物");
        note["sensitive"] = json!(true);
    }
    if number % 25 == 4 {
        note["inReplyTo"] = json!(format!("https://knots.example/@friend/{}", 40 + number));
    }
    note
}

fn audience(number: usize) -> (Vec<String>, Vec<String>) {
    let public = PUBLIC.to_owned();
    let followers = format!("{SITE}/users/zoe/followers");
    match number % 20 {
        3 => (vec![followers], vec![public]),
        9 => (vec![followers], vec![]),
        13 => (vec!["https://knots.example/users/friend".to_owned()], vec![]),
        _ => (vec![public], vec![followers]),
    }
}
