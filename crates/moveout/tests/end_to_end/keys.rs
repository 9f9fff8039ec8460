//! The master keys rotate beside a running server, whatever is killed meanwhile.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::support::{Server, json, moveout, run, send};

const APPS: usize = 400;

fn keys(here: &Path) -> Vec<(String, u64)> {
    let listed = json(here, &["key", "list", "--data", "data", "--json"]);
    let keys = listed["keys"].as_array().unwrap().iter();
    keys.map(|key| (key["state"].as_str().unwrap().to_owned(), key["values"].as_u64().unwrap())).collect()
}

async fn post(server: &Server, body: &str) -> serde_json::Value {
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let url = format!("{}/callbacks/app0/deletion", server.url);
    let answer = send("POST", &url, &form, format!("signed_request={body}").into_bytes()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

#[tokio::test]
async fn a_rotation_that_is_killed_again_and_again_ends_and_the_old_key_may_go() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let apps: String = (0..APPS)
        .map(|n| format!("[[app]]\nname = \"app{n}\"\nplatform = \"meta\"\nsecrets = [\"file:./secret\"]\n"))
        .collect();
    std::fs::write(here.join("world.toml"), apps).unwrap();
    std::fs::write(here.join("secret"), "secret-of-app-0").unwrap();
    assert_eq!(run(here, &["apply", "world.toml", "--data", "data"]).0, 0);
    let signed = run(here, &["callback", "sign", "--secret-file", "secret", "--user-id", "218471"]).1.trim().to_owned();
    let server = Server::start(here);
    let code = post(&server, &signed).await["confirmation_code"].clone();
    let public_key = json(here, &["ledger", "key", "--data", "data", "--json"]);

    // While it starts, waits for the server to notice, and seals.
    for wait in [10, 100, 2_080] {
        let mut rotation = moveout()
            .current_dir(here)
            .args(["key", "rotate", "--data", "data"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        tokio::time::sleep(Duration::from_millis(wait)).await;
        rotation.kill().unwrap();
        rotation.wait().unwrap();
        let file = std::fs::read_to_string(here.join("data/master.key")).unwrap();
        assert!(!file.is_empty());
        // The server reads and writes what is sealed with either key.
        assert_eq!(post(&server, &signed).await["confirmation_code"], code);
    }
    let rotated = json(here, &["key", "rotate", "--data", "data", "--json"]);
    assert_eq!(rotated["still_in_use"].as_array().unwrap().len(), 0, "{rotated}");
    let unused = rotated["unused"].as_array().unwrap().len();
    assert!(unused >= 1, "{rotated}");
    assert!(keys(here)[1..].iter().all(|(state, values)| state == "opens" && *values == 0), "{:?}", keys(here));
    assert!(run(here, &["doctor", "--data", "data"]).1.contains("no longer needed"));

    // Only the newest key stays in the file: for the running server, for commands, and for the next server.
    let file = std::fs::read_to_string(here.join("data/master.key")).unwrap();
    let newest = file.lines().find(|line| !line.starts_with('#')).unwrap();
    std::fs::write(here.join("data/master.key"), format!("{newest}\n")).unwrap();
    assert_eq!(post(&server, &signed).await["confirmation_code"], code);
    server.kill();
    let server = Server::start(here);
    assert_eq!(post(&server, &signed).await["confirmation_code"], code);
    assert_eq!(json(here, &["ledger", "key", "--data", "data", "--json"]), public_key);
    assert_eq!(keys(here).len(), 1);
    assert_eq!(run(here, &["doctor", "--data", "data"]).0, 0);
}

#[test]
fn keys_that_are_given_as_text_are_rotated_by_giving_another() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let fresh = || run(here, &["key", "generate"]).1;
    let (old, new) = (fresh(), fresh());
    assert_ne!(old, new);
    let world = "[[app]]\nname = \"shop\"\nplatform = \"meta\"\nsecrets = [\"file:./secret\"]\n";
    std::fs::write(here.join("world.toml"), world).unwrap();
    std::fs::write(here.join("secret"), "a-secret").unwrap();
    let with = |keys: &str, arguments: &[&str]| {
        let output = moveout().current_dir(here).env("MOVEOUT_KEYS", keys).args(arguments).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    assert_eq!(with(&old, &["apply", "world.toml", "--data", "data"]).0, 0);
    assert!(!here.join("data/master.key").exists());
    let both = format!("{new}{old}");
    let (code, words) = with(&both, &["key", "list", "--data", "data"]);
    assert!(code == 0 && words.contains("opens    1 values"), "{words}");
    let (code, words) = with(&both, &["key", "rotate", "--data", "data"]);
    assert!(code == 0 && words.contains("1 values were sealed again") && words.contains("your secrets"), "{words}");
    assert_eq!(with(&new, &["doctor", "--data", "data"]).0, 0);
    assert_eq!(with(&old, &["key", "list", "--data", "data"]).0, 1);
}
