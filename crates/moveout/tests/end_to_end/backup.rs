//! A backup is taken from a running server and restored, killed on the way or not, through the shipped binary.

use std::path::Path;

use store::{Keys, Store};

use crate::callback::{post, settled, shop, sign};
use crate::support::{Server, json, moveout, run, send};

#[tokio::test]
async fn a_running_server_is_backed_up_and_a_restore_tells_what_it_forgot() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    shop(here, "");
    let server = Server::start(here);
    let first = post(&server, &sign(here, "1001")).await.json()["confirmation_code"].as_str().unwrap().to_owned();
    settled(&server, &first).await;
    std::fs::create_dir(here.join("backups")).unwrap();
    let taken = json(here, &["backup", "backups", "--data", "data", "--json"]);
    let file = taken["file"].as_str().unwrap();
    assert!(file.starts_with("backups/moveout-20") && taken["size"] == 2, "{taken}");
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(here.join(file)).unwrap()) & 0o777, 0o600);
    let second = post(&server, &sign(here, "1002")).await.json()["confirmation_code"].as_str().unwrap().to_owned();
    settled(&server, &second).await;
    let held =
        json(here, &["ledger", "checkpoint", "--data", "data", "--json"])["checkpoint"].as_str().unwrap().to_owned();
    std::fs::write(here.join("held"), held).unwrap();

    let refused = |arguments: &[&str], code: &str| {
        let (exit, out, err) = run(here, arguments);
        assert!(exit == 1 && err.contains(code), "{arguments:?}: {exit} {out}{err}");
    };
    refused(&["restore", file, "--data", "data", "--force"], "MO-5032");
    drop(server);
    refused(&["restore", file, "--data", "data"], "MO-5031");
    let restored = json(here, &["restore", file, "--data", "data", "--force", "--json"]);
    assert_eq!((&restored["forgotten_requests"], &restored["forgotten_leaves"]), (&1.into(), &2.into()), "{restored}");

    // Nothing goes out until somebody has looked; what comes in is kept.
    let server = Server::start(here);
    let ready = send("GET", &format!("{}/readyz", server.url), &[], vec![]).await;
    assert!(ready.status == 200 && ready.body.contains("moveout restore --confirm"), "{}", ready.body);
    let doctor = json(here, &["doctor", "--data", "data", "--json"]);
    let checks = doctor["checks"].as_array().unwrap();
    let verdict = |id: &str| checks.iter().find(|check| check["id"] == id).map(|check| check["verdict"].clone());
    assert_eq!((verdict("restore"), verdict("mirror")), (Some("warning".into()), Some("warning".into())), "{doctor}");
    let third = post(&server, &sign(here, "1003")).await.json()["confirmation_code"].as_str().unwrap().to_owned();
    let (exit, _, err) = run(here, &["erasure", "request", "--app", "shop", "--id", "asid:1003", "--data", "data"]);
    assert!(exit == 1 && err.contains("MO-5034"), "{exit} {err}");
    json(here, &["restore", "--confirm", "--data", "data", "--json"]);
    assert_eq!(settled(&server, &third).await["state"], "complete");
    let (exit, _, err) = run(here, &["restore", "--confirm", "--data", "data"]);
    assert!(exit == 2 && err.contains("MO-7008"), "{exit} {err}");

    // What was held against the old log still agrees, and what was forgotten is named.
    let audited = json(here, &["ledger", "verify", "--held", "held", "--data", "data", "--json"]);
    assert_eq!(audited["past"][0]["size"], 2, "{audited}");
    assert!(audited["forgotten_checkpoints"].as_u64().unwrap() >= 1, "{audited}");
    let due = run(
        here,
        &["erasure", "replay", "--since", taken["taken_at"].as_str().unwrap(), "--dry-run", "--json", "--data", "data"],
    );
    assert_eq!(due.0, 5, "a request is known only to the mirror: {}{}", due.1, due.2);
}

#[test]
fn a_backup_needs_the_key_that_it_was_made_with() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    shop(here, "");
    json(here, &["backup", "b.tar", "--data", "data", "--json"]);
    assert!(run(here, &["backup", "b.tar", "--data", "data"]).2.contains("exists already"));
    assert!(run(here, &["backup", "c.tar", "--data", "nothing"]).2.contains("there is no store"));
    let restore = ["restore", "b.tar", "--data", "other", "--json"];
    let (exit, _, err) = run(here, &restore);
    assert!(exit == 1 && err.contains("MO-5005") && !here.join("other").exists(), "{exit} {err}");
    std::fs::create_dir(here.join("other")).unwrap();
    std::fs::write(here.join("other/master.key"), "00".repeat(32)).unwrap();
    let (exit, _, err) = run(here, &restore);
    assert!(exit == 1 && err.contains("MO-5004") && !here.join("other/moveout.db").exists(), "{exit} {err}");
    std::fs::copy(here.join("data/master.key"), here.join("other/master.key")).unwrap();
    json(here, &restore);
    json(here, &["restore", "--confirm", "--data", "other", "--json"]);
    let arguments = ["erasure", "request", "--app", "shop", "--id", "asid:1002", "--data", "other", "--json"];
    assert_eq!(json(here, &arguments)["state"], "complete", "the sealed address of the shop's database opens");
}

/// Appends leaves to the ledger of a store that nobody has open.
async fn append(data: &Path, leaves: u32) {
    let keys = Keys::from_text(&std::fs::read_to_string(data.join("master.key")).unwrap()).unwrap();
    let store = Store::open_sqlite(data, keys, testkit::ambient::ambient().0).await.unwrap();
    store
        .write("test.append", move |tx| {
            Box::pin(async move {
                for leaf in 0..leaves {
                    store::ledger::append(tx, &[leaf.to_be_bytes().as_slice(), &[0; 300]].concat()).await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn a_restore_that_is_killed_leaves_the_old_store_or_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let (here, data) = (folder.path(), folder.path().join("data"));
    json(here, &["migrate", "--data", "data", "--json"]);
    append(&data, 3000).await;
    json(here, &["backup", "b.tar", "--data", "data", "--json"]);
    append(&data, 50).await;
    let size = || json(here, &["ledger", "verify", "--data", "data", "--json"]);
    assert_eq!(size()["size"], 3050);
    let mut restored = false;
    // The log that SQLite writes ahead grows while the restore goes on: it tells how far that has come.
    for written in [1, 40_000, 400_000, 1_500_000, 2_000_000] {
        let mut command = moveout();
        command.current_dir(here).args(["restore", "b.tar", "--data", "data", "--force"]);
        let mut child = command.stdout(std::process::Stdio::null()).spawn().unwrap();
        let log = data.join("moveout.db-wal");
        while child.try_wait().unwrap().is_none() {
            if std::fs::metadata(&log).is_ok_and(|log| log.len() >= written) {
                child.kill().unwrap();
                child.wait().unwrap();
            }
            std::thread::yield_now();
        }
        let found = size();
        let held = json(here, &["doctor", "--data", "data", "--json"]).to_string().contains("restore --confirm");
        match found["size"].as_u64().unwrap() {
            3050 => assert!(!restored && !held && found["past"] == serde_json::json!([]), "{written}: {found}"),
            1 => {
                assert!(held && found["past"][0]["size"] == 3000, "{written}: {found}");
                restored = true;
            }
            other => panic!("{written}: {other} leaves"),
        }
    }
    json(here, &["restore", "b.tar", "--data", "data", "--force", "--json"]);
    assert_eq!(size()["past"][0]["size"], 3000);
}
