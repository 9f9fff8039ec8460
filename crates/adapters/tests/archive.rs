//! Export archives give the same items whatever contains them, and damage is told, never half-read.

use std::io::Write;
use std::path::{Path, PathBuf};

use adapters::archive::Archive;
use adapters::{ContentOrder, Cursor, Entry, Source};
use futures_util::StreamExt;
use model::item::{Content, Fields};
use model::{DataType, Item, Problem, codes};

const ACTOR: &str = r#"{"id":"https://s.example/users/z","type":"Person","name":"Ζωή 🌿","icon":{"url":"avatar.png"}}"#;

fn post(number: usize, text: &str, attachments: &str) -> String {
    format!(
        r#"{{"id":"https://s.example/{number}/activity","type":"Create","published":"2024-01-01T00:00:00Z",
        "to":["https://www.w3.org/ns/activitystreams#Public"],"object":{{"id":"https://s.example/{number}","type":"Note",
        "content":"{text}","attachment":[{attachments}]}}}}"#
    )
}

fn attachment(url: &str, alt: &str) -> String {
    format!(r#"{{"type":"Document","mediaType":"image/png","url":"/{url}","name":"{alt}"}}"#)
}

fn collection(records: &[String]) -> Vec<u8> {
    format!(r#"{{"type":"OrderedCollection","totalItems":999,"orderedItems":[{}]}}"#, records.join(",")).into_bytes()
}

fn noise(seed: u32, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761).max(1);
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    (0..length).map(next).collect()
}

const LARGE: usize = 3 * 1024 * 1024 + 17;

fn export() -> Vec<(String, Vec<u8>)> {
    let mut posts = vec![
        post(0, "one", &attachment("media_attachments/files/001/original/a.png", "ein Ei")),
        post(1, r"broken \uZZZZ", &attachment("media_attachments/files/002/original/b.png", "")),
        post(2, "lacks its image", &attachment("media_attachments/files/009/original/gone.png", "fort")),
        "[1".to_owned() + &",2".repeat(10) + "]",
    ];
    posts.extend((4..1500).map(|number| post(number, "много 文字 🎈", "")));
    vec![
        ("media_attachments/files/001/original/a.png".to_owned(), noise(1, 2000)),
        ("media_attachments/files/002/original/b.png".to_owned(), noise(2, 3000)),
        ("media_attachments/files/003/original/large.mp4".to_owned(), noise(3, LARGE)),
        ("media_attachments/files/004/original/d.png".to_owned(), vec![]),
        ("outbox.json".to_owned(), collection(&posts)),
        ("likes.json".to_owned(), collection(&["\"https://o.example/1\"".to_owned()])),
        ("bookmarks.json".to_owned(), collection(&["\"https://o.example/2\"".to_owned(), "null".to_owned()])),
        ("avatar.png".to_owned(), noise(5, 100)),
        ("actor.json".to_owned(), ACTOR.as_bytes().to_vec()),
    ]
}

fn tar(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        // Set by hand: the builder itself refuses names that leave the archive.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        builder.append(&header, bytes.as_slice()).unwrap();
    }
    builder.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zip(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (number, (name, bytes)) in files.iter().enumerate() {
        let method = [zip::CompressionMethod::Stored, zip::CompressionMethod::Deflated][number % 2];
        let options = zip::write::SimpleFileOptions::default().compression_method(method);
        writer.start_file(name.as_str(), options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn save(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

async fn problem(path: &Path) -> Problem {
    Archive::open(path).await.err().unwrap_or_else(|| panic!("{} was opened", path.display()))
}

async fn all(archive: &Archive) -> (Vec<Item>, Vec<(DataType, String, Problem)>) {
    let (mut items, mut broken) = (vec![], vec![]);
    let mut cursor: Option<Cursor> = None;
    loop {
        let page = archive.page(cursor.as_ref()).await.unwrap();
        assert!(page.entries.len() <= 1000);
        for entry in page.entries {
            match entry {
                Entry::Item(item) => items.push(*item),
                Entry::Broken { data_type, id, problem } => broken.push((data_type, id, problem)),
            }
        }
        match page.next {
            Some(next) => cursor = Some(next),
            None => return (items, broken),
        }
    }
}

async fn bytes(archive: &Archive, content: &Content) -> Vec<u8> {
    let mut body = archive.open(content).await.unwrap();
    let mut bytes = vec![];
    while let Some(chunk) = body.stream.next().await {
        bytes.extend_from_slice(&chunk.unwrap());
    }
    assert_eq!(body.size, Some(bytes.len() as u64));
    bytes
}

#[tokio::test]
async fn tar_and_zip_give_the_same_items_and_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let files = export();
    let nested: Vec<_> = files.iter().map(|(name, bytes)| (format!("my export/{name}"), bytes.clone())).collect();
    let paths = [
        (save(folder.path(), "a.tar.gz", &gzip(&tar(&files))), ContentOrder::AsRead),
        (save(folder.path(), "a.tar", &tar(&nested)), ContentOrder::Any),
        (save(folder.path(), "a.zip", &zip(&files)), ContentOrder::Any),
    ];
    let mut seen: Option<String> = None;
    for (path, order) in paths {
        let archive = Archive::open(&path).await.unwrap();
        assert_eq!(archive.capabilities().content_order, order);
        let (items, broken) = all(&archive).await;
        let this = serde_json::to_string_pretty(&items).unwrap();
        assert_eq!(*seen.get_or_insert_with(|| this.clone()), this, "{}", path.display());

        let media: Vec<&Item> = items.iter().filter(|item| item.content.is_some()).collect();
        let names: Vec<&str> = items[..2].iter().map(Item::label).collect();
        assert_eq!(names, ["Ζωή 🌿", "Ζωή 🌿 · profile"], "albums come first");
        let names: Vec<&str> = media.iter().map(|item| item.label()).collect();
        assert_eq!(names, ["a.png", "b.png", "large.mp4", "d.png", "avatar.png", "gone.png"]);
        assert!(matches!(&media[0].fields, Fields::Media { description: Some(alt), .. } if alt == "ein Ei"));

        let broken: Vec<(DataType, &str)> = broken.iter().map(|(kind, id, _)| (*kind, id.as_str())).collect();
        assert_eq!(
            broken,
            [
                (DataType::Posts, "outbox.json#1"),
                (DataType::Posts, "outbox.json#3"),
                (DataType::Bookmarks, "bookmarks.json#1")
            ]
        );
        assert_eq!(items.iter().filter(|item| item.data_type == DataType::Posts).count(), 1498);

        for (item, (name, expected)) in media.iter().zip([&files[0], &files[1], &files[2], &files[3], &files[7]]) {
            assert_eq!(&bytes(&archive, item.content.as_ref().unwrap()).await, expected, "{name}");
        }
        let missing = archive.open(media[5].content.as_ref().unwrap()).await.unwrap_err();
        assert!(missing.is(&codes::transfer::MEDIA_MISSING));
    }
}

#[tokio::test]
async fn files_of_a_compressed_tar_can_be_opened_at_once_and_backwards() {
    let folder = tempfile::tempdir().unwrap();
    let files = export();
    let archive = Archive::open(save(folder.path(), "a.tgz", &gzip(&tar(&files)))).await.unwrap();
    let (items, _) = all(&archive).await;
    let contents: Vec<&Content> = items.iter().filter_map(|item| item.content.as_ref()).take(5).collect();
    for round in [[3, 0, 2, 1, 4], [4, 2, 2, 0, 3]] {
        let reads = round.map(|number| bytes(&archive, contents[number]));
        let read = futures_util::future::join_all(reads).await;
        for (number, bytes) in round.into_iter().zip(read) {
            let (_, expected) = &files[if number == 4 { 7 } else { number }];
            assert!(bytes == *expected, "file {number}");
        }
    }
    // A large file that nobody reads on gives its lane back.
    drop(archive.open(contents[2]).await.unwrap());
    assert_eq!(bytes(&archive, contents[0]).await, files[0].1);
}

#[tokio::test]
async fn a_cut_archive_is_refused_wherever_it_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = export();
    files.remove(2);
    for (name, whole) in [("a.tar.gz", gzip(&tar(&files))), ("a.tar", tar(&files)), ("a.zip", zip(&files))] {
        // A tar may lack its last zeros: they carry nothing.
        let end = if name == "a.tar" { whole.len() - 1024 } else { whole.len() - 1 };
        let block = 512;
        let cuts = (0..24).map(|part| end * part / 24).chain([end, 300, end / block * block]);
        for cut in cuts {
            let problem = problem(&save(folder.path(), name, &whole[..cut])).await;
            let tiny = cut < 512 && problem.is(&codes::transfer::ARCHIVE_UNREADABLE);
            assert!(tiny || problem.is(&codes::transfer::ARCHIVE_TRUNCATED), "{name} cut at {cut}: {problem:?}");
        }
    }
}

#[tokio::test]
async fn what_is_no_export_or_a_trap_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let unknown = [("hello.txt".to_owned(), b"hello".to_vec())];
    let bomb = [("media_attachments/files/1.png".to_owned(), vec![0; 96 * 1024 * 1024])];
    let table = [
        (gzip(&tar(&unknown)), &codes::transfer::ARCHIVE_UNKNOWN_FORMAT),
        (zip(&unknown), &codes::transfer::ARCHIVE_UNKNOWN_FORMAT),
        (b"hello, I am no archive".to_vec(), &codes::transfer::ARCHIVE_UNREADABLE),
        (gzip(&tar(&bomb)), &codes::transfer::ARCHIVE_SWOLLEN),
    ];
    for (bytes, code) in table {
        let problem = problem(&save(folder.path(), "x", &bytes)).await;
        assert!(problem.is(code), "{problem:?}");
    }
    assert!(problem(&folder.path().join("nowhere.zip")).await.is(&codes::transfer::ARCHIVE_UNREADABLE));

    let mut files = export();
    files.extend(["../evil.png", "/etc/evil.png", "a/../../evil.png"].map(|name| (name.to_owned(), b"evil".to_vec())));
    let archive = Archive::open(save(folder.path(), "x", &gzip(&tar(&files)))).await.unwrap();
    let (items, broken) = all(&archive).await;
    assert!(items.iter().all(|item| !item.id.contains("evil")));
    let refused = broken.iter().filter(|(_, _, problem)| problem.is(&codes::transfer::NAME_UNSAFE)).count();
    assert_eq!(refused, 3);
}

#[tokio::test]
async fn a_damaged_file_fails_alone_and_the_fingerprint_follows_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let files = export();
    let mut damaged = zip(&files);
    let at = damaged.windows(100).position(|window| *window == files[0].1[..100]).unwrap();
    damaged[at] ^= 1;
    let path = save(folder.path(), "a.zip", &damaged);
    let archive = Archive::open(&path).await.unwrap();
    let (items, _) = all(&archive).await;
    let contents: Vec<&Content> = items.iter().filter_map(|item| item.content.as_ref()).collect();
    assert!(archive.open(contents[0]).await.is_err(), "its checksum is wrong");
    assert_eq!(bytes(&archive, contents[1]).await, files[1].1);

    let moved = folder.path().join("b.zip");
    std::fs::rename(&path, &moved).unwrap();
    let again = Archive::open(&moved).await.unwrap().fingerprint().await.unwrap();
    assert_eq!(again, archive.fingerprint().await.unwrap());
    std::fs::write(&moved, zip(&files)).unwrap();
    assert_ne!(again, Archive::open(&moved).await.unwrap().fingerprint().await.unwrap());
}

/// Changes the compression method and the flags of an entry, in front of it and in the directory.
fn repack(zip: &mut [u8], name: &str, method: u8, flags: u8) {
    for at in 46..zip.len() - name.len() {
        // In front of a name lie 30 bytes of the file's header, or 46 of the directory's.
        for (length, magic, field) in [(30, b"PK\x03\x04", 6), (46, b"PK\x01\x02", 8)] {
            if zip[at..].starts_with(name.as_bytes()) && zip[at - length..].starts_with(magic) {
                zip[at - length + field] |= flags;
                zip[at - length + field + 2] = method;
            }
        }
    }
}

#[tokio::test]
async fn files_of_a_zip_that_cannot_be_read_fail_alone_but_the_documents_of_an_export_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = export();
    files.push(("media_attachments/files/005/original/white.bmp".to_owned(), vec![0; 96 * 1024 * 1024]));
    let whole = zip(&files);
    let mut part = whole.clone();
    repack(&mut part, &files[0].0, 14, 0);
    repack(&mut part, &files[1].0, 8, 1);
    repack(&mut part, "likes.json", 9, 0);
    let archive = Archive::open(save(folder.path(), "a.zip", &part)).await.unwrap();
    let (items, broken) = all(&archive).await;
    let label = |name: &str| items.iter().find(|item| item.content.is_some() && item.label() == name).unwrap();
    for (name, reason) in [("a.png", "packed"), ("b.png", "password"), ("white.bmp", "far more")] {
        let problem = archive.open(label(name).content.as_ref().unwrap()).await.unwrap_err();
        assert!(problem.is(&codes::transfer::CONTENT_BROKEN) && problem.detail.contains(reason), "{problem:?}");
    }
    assert_eq!(bytes(&archive, label("large.mp4").content.as_ref().unwrap()).await, files[2].1);
    assert!(broken.iter().any(|(kind, id, problem)| {
        (*kind, id.as_str()) == (DataType::Likes, "likes.json") && problem.is(&codes::transfer::CONTENT_BROKEN)
    }));

    for (name, method, flags) in [("outbox.json", 14, 0), ("actor.json", 0, 1)] {
        let mut none = whole.clone();
        repack(&mut none, name, method, flags);
        let problem = problem(&save(folder.path(), "b.zip", &none)).await;
        assert!(problem.is(&codes::transfer::ARCHIVE_UNREADABLE) && problem.detail.contains(name), "{problem:?}");
    }
}

#[tokio::test]
async fn a_zip_whose_files_share_their_bytes_is_refused_for_their_sum() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = export();
    let name = "media_attachments/files/006/original/000.png".to_owned();
    files.push((name.clone(), noise(6, 1024 * 1024).repeat(10)));
    let whole = zip(&files);
    // The directory ends with the large file's record and 22 bytes that tell where the directory is.
    let (records, end) = whole.split_at(whole.len() - 22);
    let record = &records[records.len() - 46 - name.len()..];
    assert!(record.starts_with(b"PK\x01\x02"));
    let copies = 900;
    let mut bomb = records.to_vec();
    for copy in 0..copies {
        let mut record = record.to_vec();
        let digits = 46 + name.len() - 7;
        record[digits..digits + 3].copy_from_slice(format!("{copy:03}").as_bytes());
        bomb.extend(record);
    }
    let mut end = end.to_vec();
    let count = u16::from_le_bytes([end[10], end[11]]) + copies;
    end[8..10].copy_from_slice(&count.to_le_bytes());
    end[10..12].copy_from_slice(&count.to_le_bytes());
    let size = u32::from_le_bytes([end[12], end[13], end[14], end[15]]) + u32::from(copies) * record.len() as u32;
    end[12..16].copy_from_slice(&size.to_le_bytes());
    bomb.extend(end);
    Archive::open(save(folder.path(), "a.zip", &whole)).await.unwrap();
    let problem = problem(&save(folder.path(), "b.zip", &bomb)).await;
    assert!(problem.is(&codes::transfer::ARCHIVE_SWOLLEN), "{problem:?}");
}

#[tokio::test]
async fn other_exports_of_an_archive_are_counted_as_broken() {
    let folder = tempfile::tempdir().unwrap();
    let one = |name: &str| {
        let outbox = collection(&[post(1, name, "")]);
        [(format!("{name}/actor.json"), ACTOR.as_bytes().to_vec()), (format!("{name}/outbox.json"), outbox)]
    };
    let files = [one("bobby2"), one("alice"), one("caroline")].concat();
    let archive = Archive::open(save(folder.path(), "a.zip", &zip(&files))).await.unwrap();
    let (items, broken) = all(&archive).await;
    assert_eq!(items.iter().filter(|item| item.data_type == DataType::Posts).count(), 1);
    let others: Vec<&str> = broken.iter().map(|(_, id, _)| id.as_str()).collect();
    assert_eq!(others, ["bobby2/outbox.json", "caroline/outbox.json"]);
    for (data_type, _, problem) in &broken {
        assert!(*data_type == DataType::Posts && problem.detail.contains("archive of its own"), "{problem:?}");
    }
}

#[tokio::test]
async fn hard_links_and_sparse_files_of_a_tar_are_counted_and_fail_alone() {
    let folder = tempfile::tempdir().unwrap();
    let files = export();
    let mut links = Vec::new();
    for (name, kind) in [("link.png", tar::EntryType::Link), ("sparse.png", tar::EntryType::GNUSparse)] {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.as_gnu_mut().unwrap().set_real_size(0);
        header.set_path(format!("media_attachments/files/007/original/{name}")).unwrap();
        header.set_size(0);
        header.set_cksum();
        links.extend_from_slice(header.as_bytes());
    }
    let whole = [links, tar(&files)].concat();
    for (name, bytes_of) in [("a.tar", whole.clone()), ("a.tar.gz", gzip(&whole))] {
        let archive = Archive::open(save(folder.path(), name, &bytes_of)).await.unwrap();
        let (items, _) = all(&archive).await;
        let label = |name: &str| items.iter().find(|item| item.content.is_some() && item.label() == name).unwrap();
        for (name, reason) in [("link.png", "hard link"), ("sparse.png", "sparse")] {
            let problem = archive.open(label(name).content.as_ref().unwrap()).await.unwrap_err();
            assert!(problem.is(&codes::transfer::CONTENT_BROKEN) && problem.detail.contains(reason), "{problem:?}");
        }
        assert_eq!(bytes(&archive, label("a.png").content.as_ref().unwrap()).await, files[0].1);
    }
}
