//! A folder keeps its promises: durable, recognised, mended after a crash, checkable by any BagIt tool, and readable again.

mod behaviour;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use adapters::dir::{BagReader, BagWriter, Prospect};
use adapters::{Destination, Source};
use behaviour::{item, read, read_all, write};
use model::{DataType, codes};

async fn open(root: &Path) -> Arc<dyn Destination> {
    Arc::new(BagWriter::open(root).await.unwrap())
}

/// Checks the manifest as RFC 8493 §3 says: every payload file is listed, and every listed file has its checksum.
fn assert_valid(root: &Path) {
    let manifest = std::fs::read_to_string(root.join("manifest-sha256.txt")).unwrap();
    let listed: BTreeMap<String, String> = manifest
        .lines()
        .map(|line| line.split_once("  ").unwrap())
        .map(|(sum, path)| (path.into(), sum.into()))
        .collect();
    let mut found = BTreeMap::new();
    let mut folders = vec![root.join("data")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &std::fs::read(&path).unwrap());
                let sum: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
                found.insert(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned(), sum);
            }
        }
    }
    assert_eq!(found, listed);
    let bytes: u64 = found.keys().map(|path| root.join(path).metadata().unwrap().len()).sum();
    let info = std::fs::read_to_string(root.join("bag-info.txt")).unwrap();
    assert!(info.contains(&format!("Payload-Oxum: {bytes}.{}\n", found.len())), "{info}");
}

#[tokio::test]
async fn it_behaves_as_a_destination_and_reads_back_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("out");
    behaviour::destination(|| open(&root)).await;
    assert_valid(&root);

    let source = BagReader::open(&root).await.unwrap();
    let fingerprint = source.fingerprint().await.unwrap();
    let (items, broken) = read_all(&source).await;
    assert_eq!((items.len(), broken.len()), (20 * DataType::ALL.len(), 0));
    let mut left: BTreeMap<String, (model::Item, Option<Vec<u8>>)> = DataType::ALL
        .into_iter()
        .flat_map(|data_type| (0..20).map(move |number| item(data_type, number)))
        .map(|(item, bytes)| (item.id.clone(), (item, bytes)))
        .collect();
    for found in items {
        let (expected, bytes) = left.remove(&found.id).unwrap();
        assert_eq!(found.original.as_ref().unwrap().get(), expected.original.as_ref().unwrap().get());
        assert_eq!((&found.fields, found.created, &found.zone), (&expected.fields, expected.created, &expected.zone));
        if let Some(bytes) = bytes {
            assert!(read(&source, &found).await == bytes, "{}", found.id);
        }
    }
    assert!(left.is_empty());
    assert_eq!(fingerprint, source.fingerprint().await.unwrap());
    write(open(&root).await.as_ref(), DataType::Posts, 50).await.unwrap();
    assert_ne!(fingerprint, source.fingerprint().await.unwrap());
    assert!(!root.join("manifest-sha256.txt").exists(), "a manifest never lacks what is there");
}

#[tokio::test]
async fn what_a_crash_leaves_is_mended() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let bag = open(root).await;
    write(bag.as_ref(), DataType::Photos, 1).await.unwrap();
    write(bag.as_ref(), DataType::Posts, 1).await.unwrap();
    drop(bag);
    // A line that was not written to its end, a file that was, without its line, and one that was not.
    let mut lines = std::fs::OpenOptions::new().append(true).open(root.join("data/posts.jsonl")).unwrap();
    lines.write_all(b"{\"key\":\"half").unwrap();
    std::fs::write(root.join("data/media/photos/orphan.png"), b"whole").unwrap();
    std::fs::write(root.join(".parts/half"), b"ha").unwrap();

    let bag = open(root).await;
    assert!(!root.join(".parts/half").exists());
    assert!(write(bag.as_ref(), DataType::Posts, 1).await.unwrap().already_there);
    assert!(!write(bag.as_ref(), DataType::Posts, 2).await.unwrap().already_there);
    bag.finish().await.unwrap();
    assert_valid(root);
    let (items, broken) = read_all(&BagReader::open(root).await.unwrap()).await;
    assert_eq!((items.len(), broken), (3, vec![]));
}

#[tokio::test]
async fn spoilt_lines_and_lost_files_cost_no_others_and_foreign_folders_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("bag");
    let bag = open(&root).await;
    let busy = BagWriter::open(&root).await.err().unwrap();
    assert!(busy.is(&codes::transfer::DESTINATION_FAILED), "two may not write at once");
    for number in 0..1200 {
        write(bag.as_ref(), DataType::Likes, number).await.unwrap();
    }
    write(bag.as_ref(), DataType::Photos, 1).await.unwrap();
    drop(bag);
    let path = root.join("data/likes.jsonl");
    let text = std::fs::read_to_string(&path).unwrap().replacen("\"item\"", "\"itme\"", 1);
    std::fs::write(&path, text).unwrap();

    let source = BagReader::open(&root).await.unwrap();
    let (items, broken) = read_all(&source).await;
    assert_eq!((items.len(), broken), (1200, vec!["likes.jsonl@0".to_owned()]));
    let mut content = items[0].content.clone().unwrap();
    std::fs::remove_file(root.join(&content.locator)).unwrap();
    assert!(source.open(&content).await.unwrap_err().is(&codes::transfer::MEDIA_MISSING));
    content.locator = "data/media/../../../secret".to_owned();
    assert!(source.open(&content).await.unwrap_err().is(&codes::transfer::NAME_UNSAFE));

    std::fs::write(folder.path().join("letter.txt"), b"mine").unwrap();
    let refused = BagWriter::open(folder.path()).await.err().unwrap();
    assert!(refused.is(&codes::transfer::DESTINATION_UNWRITABLE), "{refused:?}");
    assert!(BagReader::open(folder.path()).await.err().unwrap().is(&codes::transfer::ARCHIVE_UNKNOWN_FORMAT));
}

#[tokio::test]
async fn bags_of_others_are_left_alone_and_an_interrupted_first_run_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("manifest-sha256.txt");
    std::fs::write(folder.path().join("bagit.txt"), "BagIt-Version: 1.0\n").unwrap();
    std::fs::write(folder.path().join("bag-info.txt"), "Bag-Software-Agent: bagit.py v1.8.1\n").unwrap();
    std::fs::write(&manifest, "theirs").unwrap();
    let refused = BagWriter::open(folder.path()).await.err().unwrap();
    assert!(refused.is(&codes::transfer::DESTINATION_UNWRITABLE), "{refused:?}");
    assert!(Prospect::open(folder.path()).is_err());
    assert_eq!(std::fs::read_to_string(&manifest).unwrap(), "theirs");

    for written in ["", "Bag-Soft", wire::bag::MARK] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("bag-info.txt"), written).unwrap();
        Prospect::open(folder.path()).unwrap();
        drop(open(folder.path()).await);
        std::fs::remove_file(folder.path().join("bagit.txt")).unwrap();
        Prospect::open(folder.path()).unwrap();
        drop(open(folder.path()).await);
    }
}
