//! The store in PostgreSQL, through the shipped binary.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::callback::{build_shop, count, post, settled, sign};
use crate::support::{Server, moveout, words};

const CONFIG: &str = "data = 'data'\nkeys = 'file:./keys'\n[store]\nurl = 'file:./url'\n";

/// A folder with a configuration for a new, empty database.
async fn place() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let url = testkit::postgres::cluster().database().await.unwrap();
    for (name, text) in [("moveout.toml", CONFIG), ("url", &url), ("keys", &"ab".repeat(32))] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    (folder, url)
}

fn configured(folder: &Path) -> Command {
    let mut command = moveout();
    command.current_dir(folder).args(["--config", "moveout.toml"]);
    command
}

/// Runs a command that must fail, and returns its words.
fn refused(command: &mut Command) -> String {
    let (exit, out, err) = words(&command.output().unwrap());
    assert_eq!(exit, 1, "{out}{err}");
    err
}

#[tokio::test]
async fn a_callback_is_answered_and_the_person_erased() {
    let (folder, url) = place().await;
    let here = folder.path();
    build_shop(here, "");

    let err = refused(configured(here).args(["apply", "world.toml"]));
    assert!(err.contains("MO-5014") && err.contains("moveout migrate"), "{err}");

    // Two at once do every migration once.
    let migrate = || configured(here).args(["migrate", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let names: Vec<String> = [migrate(), migrate()]
        .into_iter()
        .map(|child| child.wait_with_output().unwrap())
        .flat_map(|output| {
            assert!(output.status.success());
            let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            serde_json::from_value::<Vec<String>>(answer["applied"].clone()).unwrap()
        })
        .collect();
    assert_eq!(names.iter().filter(|name| *name == "0001_core").count(), 1, "{names:?}");

    // Nobody makes a key for a store that several machines share.
    let unkeyed = || {
        let mut command = moveout();
        command.current_dir(here).env("MOVEOUT_STORE_URL", &url).args(["--data", "data"]);
        command
    };
    let err = refused(unkeyed().args(["apply", "world.toml"]));
    assert!(err.contains("MO-5005") && !here.join("data/master.key").exists(), "{err}");

    let keyed = unkeyed().env("MOVEOUT_KEYS_FILE", "keys").args(["apply", "world.toml"]).output().unwrap();
    assert!(keyed.status.success(), "{}", String::from_utf8_lossy(&keyed.stderr));

    let err = refused(unkeyed().env("MOVEOUT_KEYS", "cd".repeat(32)).args(["ledger", "verify"]));
    assert!(err.contains("MO-5004"), "{err}");

    let server = Server::launch(&mut configured(here));
    let signed = sign(here, "1001");
    let code = post(&server, &signed).await.json()["confirmation_code"].as_str().unwrap().to_owned();
    assert_eq!(settled(&server, &code).await["state"], "partly_refused");
    assert_eq!(count(here, "SELECT count(*) FROM users WHERE name = 'Anna'"), 0);
    server.kill();
    let server = Server::launch(&mut configured(here));
    assert_eq!(post(&server, &signed).await.json()["confirmation_code"], *code);

    // Others verify the receipt with the key of the ledger alone.
    let answer = |arguments: &[&str]| {
        let (exit, out, err) = words(&configured(here).args(arguments).output().unwrap());
        assert_eq!(exit, 0, "{arguments:?}: {out}{err}");
        out
    };
    let shown: serde_json::Value = serde_json::from_str(&answer(&["erasure", "show", &code, "--json"])).unwrap();
    std::fs::write(here.join("receipt.json"), shown["receipt"].to_string()).unwrap();
    let key: serde_json::Value = serde_json::from_str(&answer(&["ledger", "key", "--json"])).unwrap();
    std::fs::write(here.join("key"), key["public_key"].as_str().unwrap()).unwrap();
    answer(&["receipt", "verify", "receipt.json", "--key", "key"]);
    answer(&["doctor"]);
}

#[tokio::test]
async fn a_store_with_another_schema_is_refused_with_what_to_do() {
    let (folder, url) = place().await;
    let here = folder.path();
    let verify = || configured(here).args(["ledger", "verify"]).output().unwrap();
    assert!(configured(here).arg("migrate").output().unwrap().status.success());
    assert!(verify().status.success());

    let change = async |sql: &str| testkit::postgres::cluster().execute(&url, sql).await.unwrap();
    change("INSERT INTO schema_version (version, name, applied_at) VALUES (9999, 'later', 0)").await;
    for command in ["migrate", "serve"] {
        let err = refused(configured(here).arg(command));
        assert!(err.contains("MO-5003") && err.contains("9999"), "{command}: {err}");
    }
    change("DELETE FROM schema_version WHERE version > 3").await;
    let err = refused(configured(here).arg("serve"));
    assert!(err.contains("MO-5015") && err.contains("moveout migrate"), "{err}");
    change("DROP TABLE schema_version").await;
    let (_, _, err) = words(&verify());
    assert!(err.contains("MO-5014"), "{err}");
}
