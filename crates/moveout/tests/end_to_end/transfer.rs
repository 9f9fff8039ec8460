//! Transfers with the real binary: killed at several moments, everything arrives once and the sum comes out.

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use crate::support::{Server, json, moveout, run};
use serde_json::Value;

const PHOTOS: usize = 40;

/// Writes a Mastodon export whose last photo is not in it.
fn write_export(path: &Path, posts: usize) {
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
    let posts: Vec<Value> = (0..posts).map(post).collect();
    add(
        "outbox.json",
        serde_json::json!({ "type": "OrderedCollection", "orderedItems": posts }).to_string().as_bytes(),
    );
    add("actor.json", br#"{"id":"https://s.example/users/z","type":"Person","name":"Z"}"#);
    tar.into_inner().unwrap().finish().unwrap();
}

/// Starts a command, kills it when enough has `happened`, and returns the transfer it named.
fn kill_when(folder: &Path, arguments: &[&str], happened: impl Fn() -> bool) -> Option<String> {
    let command = &mut moveout();
    let mut child =
        command.current_dir(folder).args(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    while !happened() && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let named = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    named.filter_map(|line| line.strip_prefix("transfer ").map(str::to_owned)).next()
}

/// Returns how many rows a store has that fit.
fn count(store: &Path, rows: &str) -> usize {
    let connection = rusqlite::Connection::open_with_flags(store, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY);
    // Before the command has made its store, nothing has happened.
    let count = |connection: rusqlite::Connection| {
        connection.query_row(&format!("SELECT COUNT(*) FROM {rows}"), [], |row| row.get::<_, i64>(0))
    };
    connection.and_then(count).map_or(0, |count| usize::try_from(count).unwrap())
}

#[test]
fn killed_again_and_again_an_export_arrives_whole_and_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    const POSTS: usize = 6000;
    write_export(&folder.join("export.tar.gz"), POSTS);
    let inspected = json(folder, &["archive", "inspect", "export.tar.gz", "--json"]);
    assert_eq!((&inspected["format"], &inspected["types"]["posts"]["items"]), (&"mastodon".into(), &POSTS.into()));

    let start = ["transfer", "run", "--data", "data", "--from", "archive:./export.tar.gz", "--to", "dir:./out"];
    let written = || std::fs::metadata(folder.join("out/data/posts.jsonl")).map_or(0, |file| file.len());
    let dry: Vec<&str> = start.iter().copied().chain(["--dry-run", "--json"]).collect();
    assert_eq!(json(folder, &dry)["types"]["posts"]["items"], POSTS);
    assert!(!folder.join("out").exists(), "a dry run writes nothing");
    let id = kill_when(folder, &start, || written() > 0).expect("the command names the transfer");
    let there = std::fs::read_to_string(folder.join("out/data/posts.jsonl")).unwrap().lines().count();
    assert!(there < POSTS, "it was killed in the middle");
    let resume = ["transfer", "resume", &id, "--data", "data", "--json"];
    let mut last = 0;
    for _ in 0..3 {
        let there = written();
        assert!(there >= last, "what is there stays there");
        last = there;
        kill_when(folder, &resume, || written() > there + 300_000);
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
fn killed_again_and_again_an_export_arrives_at_a_landing_once() {
    const POSTS: usize = 1500;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write_export(&folder.join("export.tar.gz"), POSTS);
    let server = Server::start(folder);
    let scope = "media:write social-posts:write";
    let token = json(folder, &["token", "issue", "--data", "data", "--account", "anna", "--scope", scope, "--json"]);
    std::fs::write(folder.join("token"), token["access_token"].as_str().unwrap()).unwrap();
    let landing = folder.join("data/moveout.db");
    let landed = || count(&landing, "landed_item WHERE placeholder = 0");

    let to = format!("dtp+{}/dtp/", server.url);
    let start = ["transfer", "run", "--data", "mover", "--from", "archive:./export.tar.gz", "--to", &to];
    let start: Vec<&str> = start.into_iter().chain(["--secret-file", "token"]).collect();
    let id = kill_when(folder, &start, || landed() > 20).expect("the command names the transfer");
    let resume = ["transfer", "resume", &id, "--data", "mover", "--json"];
    for _ in 0..2 {
        let there = landed();
        assert!(there < POSTS, "it was killed in the middle");
        kill_when(folder, &resume, || landed() > there + 200);
    }
    let (code, out, err) = run(folder, &resume);
    assert_eq!(code, 5, "{out}{err}");
    let view: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&view["state"], &view["difference"]), (&"done_with_failures".into(), &0.into()), "{view}");
    let (posts, photos) = (&view["types"]["posts"], &view["types"]["photos"]);
    assert_eq!((&posts["read"], &posts["written"]), (&POSTS.into(), &POSTS.into()), "{view}");
    assert_eq!((&photos["written"], &photos["failed"]), (&(PHOTOS - 1).into(), &1.into()), "{view}");
    assert_eq!(count(&landing, "landed_item WHERE data_type = 'posts'"), POSTS, "every post once");
    assert_eq!(count(&landing, "landed_item WHERE data_type = 'photos'"), PHOTOS - 1, "every photo once");
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
