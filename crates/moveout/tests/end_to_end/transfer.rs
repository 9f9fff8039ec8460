//! Transfers with the real binary: killed at several moments, everything arrives once and the sum comes out.

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use crate::support::{json, moveout, run};
use serde_json::Value;

const POSTS: usize = 6000;
const PHOTOS: usize = 40;

/// Writes a Mastodon export whose last photo is not in it.
fn write_export(path: &Path) {
    let gzip = flate2::write::GzEncoder::new(std::fs::File::create(path).unwrap(), flate2::Compression::fast());
    let mut tar = tar::Builder::new(gzip);
    let mut add = |name: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, bytes).unwrap();
    };
    let file = |number: usize| format!("media_attachments/files/{number:03}/original/a.png");
    let post = |number: usize| {
        let attachment = serde_json::json!({ "type": "Document", "mediaType": "image/png", "url": format!("/{}", file(number)), "name": "Bild" });
        serde_json::json!({
            "id": format!("https://s.example/{number}/activity"), "type": "Create", "published": "2024-01-01T00:00:00Z",
            "to": ["https://www.w3.org/ns/activitystreams#Public"],
            "object": { "id": format!("https://s.example/{number}"), "type": "Note", "content": format!("文字 {number}"),
                "attachment": if number < PHOTOS { vec![attachment] } else { vec![] } },
        })
    };
    for number in 0..PHOTOS - 1 {
        add(&file(number), format!("{number} ").repeat(9000).as_bytes());
    }
    let posts: Vec<Value> = (0..POSTS).map(post).collect();
    add(
        "outbox.json",
        serde_json::json!({ "type": "OrderedCollection", "orderedItems": posts }).to_string().as_bytes(),
    );
    add("actor.json", br#"{"id":"https://s.example/users/z","type":"Person","name":"Z"}"#);
    tar.into_inner().unwrap().finish().unwrap();
}

/// Starts a command, kills it when `posts.jsonl` has reached `size`, and returns the transfer it named.
fn kill_when(folder: &Path, arguments: &[&str], size: u64) -> Option<String> {
    let mut child =
        moveout().current_dir(folder).args(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = folder.join("out/data/posts.jsonl");
    while std::fs::metadata(&lines).map_or(0, |file| file.len()) < size && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let named = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    named.filter_map(|line| line.strip_prefix("transfer ").map(str::to_owned)).next()
}

#[test]
fn killed_again_and_again_an_export_arrives_whole_and_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_export(&folder.join("export.tar.gz"));
    let inspected = json(folder, &["archive", "inspect", "export.tar.gz", "--json"]);
    assert_eq!((&inspected["format"], &inspected["types"]["posts"]["items"]), (&"mastodon".into(), &POSTS.into()));

    let start = ["transfer", "run", "--data", "data", "--from", "archive:./export.tar.gz", "--to", "dir:./out"];
    let id = kill_when(folder, &start, 1).expect("the command names the transfer");
    let there = std::fs::read_to_string(folder.join("out/data/posts.jsonl")).unwrap().lines().count();
    assert!(there < POSTS, "it was killed in the middle");
    let resume = ["transfer", "resume", &id, "--data", "data", "--json"];
    let mut last = 0;
    for _ in 0..3 {
        let there = std::fs::metadata(folder.join("out/data/posts.jsonl")).unwrap().len();
        assert!(there >= last, "what is there stays there");
        last = there;
        kill_when(folder, &resume, there + 300_000);
    }
    let (code, out, err) = run(folder, &resume);
    // The photo that the export lacks is the one failure.
    assert!(code == 5 || err.contains("MO-3021"), "{code}: {out}{err}");
    let view = json(folder, &["transfer", "show", &id, "--data", "data", "--json"]);
    assert_eq!((&view["state"], &view["difference"]), (&"done_with_failures".into(), &0.into()), "{view}");
    let posts = &view["types"]["posts"];
    assert_eq!((&posts["read"], &posts["written"]), (&POSTS.into(), &POSTS.into()), "{view}");
    let photos = &view["types"]["photos"];
    assert_eq!((&photos["written"], &photos["failed"]), (&(PHOTOS - 1).into(), &1.into()), "{view}");
    assert_eq!(view["problems"][0]["reason"]["code"], "MO-3005");

    let lines = std::fs::read_to_string(folder.join("out/data/posts.jsonl")).unwrap();
    let ids: HashSet<String> =
        lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["item"]["id"].to_string()).collect();
    assert_eq!((lines.lines().count(), ids.len()), (POSTS, POSTS), "every post once");
    let files = std::fs::read_dir(folder.join("out/data/media/photos")).unwrap().count();
    assert_eq!(files, PHOTOS - 1, "every photo once");
}

#[test]
fn a_transfer_that_does_not_exist_and_a_spec_that_is_none_have_their_exit_codes() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    assert_eq!(run(folder, &["transfer", "show", "nothing", "--data", "data"]).0, 3);
    assert_eq!(run(folder, &["transfer", "run", "--data", "data", "--from", "nonsense", "--to", "dir:./out"]).0, 2);
    let missing = ["transfer", "run", "--data", "data", "--from", "archive:./lacks.zip", "--to", "dir:./out", "--json"];
    let (code, out, _) = run(folder, &missing);
    let view: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &view["state"], &view["reason"]["code"]), (1, &"failed".into(), &"MO-3001".into()), "{view}");
}
