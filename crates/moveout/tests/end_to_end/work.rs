//! Several machines share one store, and any of them may fall away in the middle of its work.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, stream};
use testkit::postgres::cluster;
use wire::signed_request::{Payload, Secret, sign};

use crate::support::{Process, Server, moveout, try_send};

const PEOPLE: usize = 180;
const BYSTANDERS: usize = 40;
/// How many callbacks are under way at once.
const CALLERS: usize = 16;
/// How long anything may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

const CONFIG: &str = "data = 'data'\nkeys = 'file:../keys'\n[store]\nurl = 'file:../url'\n";

const WORLD: &str = r#"
[[app]]
name = "shop"
secrets = ["file:./secret"]
contact = "privacy@shop.example"
[[system]]
name = "main-db"
adapter = "postgres"
url = "file:./shop"
[[system.table]]
name = "users"
identity = { facebook_id = "asid" }
[[system.table]]
name = "posts"
owner = { author_id = "users.id" }
"#;

fn shop_schema() -> String {
    format!(
        "CREATE TABLE users (id BIGINT PRIMARY KEY, facebook_id TEXT UNIQUE, name TEXT);
         CREATE TABLE posts (id BIGINT PRIMARY KEY, author_id BIGINT NOT NULL REFERENCES users (id), text TEXT);
         CREATE INDEX posts_author ON posts (author_id);
         INSERT INTO users SELECT n, 'f' || n, 'somebody' FROM generate_series(0, {last}) AS n;
         INSERT INTO posts SELECT n * 10 + p, n, 'words' FROM generate_series(0, {last}) AS n, generate_series(0, 1) AS p;",
        last = PEOPLE + BYSTANDERS - 1
    )
}

/// One store and one application in PostgreSQL, and machines that each have a folder of their own.
struct Site {
    folder: tempfile::TempDir,
    store: String,
    shop: String,
}

impl Site {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (store, shop) = (cluster().database().await.unwrap(), cluster().database().await.unwrap());
        cluster().execute(&shop, &shop_schema()).await.unwrap();
        let files =
            [("keys", "ab".repeat(32)), ("url", store.clone()), ("shop", shop.clone()), ("secret", SECRET.to_owned())];
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        std::fs::write(folder.path().join("world.toml"), WORLD).unwrap();
        let site = Self { folder, store, shop };
        for words in [&["migrate"][..], &["apply", "../world.toml"]] {
            let output = site.machine("serve").args(words).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        site
    }

    /// Returns the command line of a machine, which sees the blobs of the first one.
    fn machine(&self, name: &str) -> Command {
        let folder = self.folder.path().join(name);
        std::fs::create_dir_all(folder.join("data")).unwrap();
        std::fs::write(folder.join("moveout.toml"), CONFIG).unwrap();
        let blobs = self.folder.path().join("serve/data/blobs");
        std::fs::create_dir_all(&blobs).unwrap();
        if !folder.join("data/blobs").exists() {
            std::os::unix::fs::symlink(blobs, folder.join("data/blobs")).unwrap();
        }
        let mut command = moveout();
        command.current_dir(folder).args(["--config", "moveout.toml"]);
        command
    }

    fn worker(&self, name: &str) -> Process {
        Process::start(self.machine(name).arg("work"), "moveout works on")
    }

    /// Returns once a machine holds leases.
    async fn at_work(&self, name: &str) {
        let owner = std::fs::read_to_string(self.folder.path().join(name).join("data/workers/1")).unwrap();
        let owner = owner.split(' ').next().unwrap();
        let sql = format!("SELECT 1 FROM job WHERE lease_owner = '{owner}'");
        let deadline = Instant::now() + PATIENCE;
        while cluster().column(&self.store, &sql).await.unwrap().is_empty() {
            assert!(Instant::now() < deadline, "{name} never gets any work");
        }
    }

    async fn texts(&self, sql: &str) -> Vec<String> {
        cluster().column(&self.store, sql).await.unwrap()
    }

    /// Returns once every request has ended.
    async fn rest(&self, requests: usize) {
        let open = "SELECT 1 FROM erasure WHERE finished_at IS NULL";
        let ended = "SELECT 1 FROM erasure WHERE finished_at IS NOT NULL";
        let deadline = Instant::now() + PATIENCE;
        while !self.texts(open).await.is_empty() || self.texts(ended).await.len() < requests {
            assert!(
                Instant::now() < deadline,
                "still open: {:?}",
                self.texts(
                    "SELECT state || ' ' || COALESCE(reason, '') FROM erasure WHERE finished_at IS NULL LIMIT 3"
                )
                .await
            );
        }
    }
}

const SECRET: &str = "app secret of the shop";

fn signed(person: usize) -> String {
    let payload = Payload { user_id: format!("f{person}"), issued_at: None, expires: None, profile_id: None };
    sign(&payload, &Secret::new(SECRET).unwrap()).unwrap()
}

/// Sends the callbacks of these people; who got no answer is returned.
async fn ask(url: &str, people: impl IntoIterator<Item = usize>) -> Vec<usize> {
    let ask = |person: usize| async move {
        let form = format!("signed_request={}", signed(person)).into_bytes();
        let url = format!("{url}/callbacks/shop/deletion");
        let answer = try_send("POST", &url, &[("content-type", "application/x-www-form-urlencoded")], form).await;
        (person, answer.is_ok_and(|answer| answer.status == 200))
    };
    let answers: Vec<_> = stream::iter(people).map(ask).buffer_unordered(CALLERS).collect().await;
    answers.into_iter().filter(|(_, answered)| !answered).map(|(person, _)| person).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whichever_machine_falls_away_nothing_is_lost_and_nothing_done_twice() {
    let site = Site::new().await;
    let launch = || Server::launch(&mut site.machine("serve"));
    let (server, one, two) = (launch(), site.worker("one"), site.worker("two"));
    let third = PEOPLE / 3;

    assert!(ask(&server.url, 0..third).await.is_empty());
    site.at_work("one").await;
    one.kill();
    let one = site.worker("one");

    let url = server.url.clone();
    let asking = tokio::spawn(async move { ask(&url, third..2 * third).await });
    site.at_work("serve").await;
    server.kill();
    let unanswered = asking.await.unwrap();
    let server = launch();
    assert!(ask(&server.url, unanswered).await.is_empty());

    // This one never comes back: the others take over what it had.
    assert!(ask(&server.url, 2 * third..PEOPLE).await.is_empty());
    site.at_work("two").await;
    two.kill();
    site.rest(PEOPLE).await;
    assert_outcome(&site).await;
    drop((server, one));
}

async fn assert_outcome(site: &Site) {
    let count = async |sql: &str| cluster().column(&site.shop, sql).await.unwrap()[0].parse::<usize>().unwrap();
    assert_eq!(count("SELECT count(*) FROM users").await, BYSTANDERS);
    assert_eq!(count("SELECT count(*) FROM posts").await, 2 * BYSTANDERS);
    assert_eq!(site.texts("SELECT DISTINCT state FROM erasure").await, ["complete"]);
    assert_eq!(site.texts("SELECT id FROM erasure").await.len(), PEOPLE, "a person is one request");

    let leaves = site.texts("SELECT convert_from(leaf, 'UTF8') FROM ledger_leaf").await;
    let leaves: Vec<serde_json::Value> = leaves.iter().map(|leaf| serde_json::from_str(leaf).unwrap()).collect();
    for kind in ["intent", "result"] {
        let of_kind = leaves.iter().filter(|leaf| leaf["kind"] == kind).map(|leaf| leaf["request"].to_string());
        let requests: Vec<String> = of_kind.collect();
        let distinct: BTreeSet<&String> = requests.iter().collect();
        assert_eq!((requests.len(), distinct.len()), (PEOPLE, PEOPLE), "{kind}: one leaf a request");
    }
    assert_eq!(site.texts("SELECT kind FROM job WHERE kind <> 'retention'").await, Vec::<String>::new());
    let verified = site.machine("serve").args(["ledger", "verify"]).output().unwrap();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}
