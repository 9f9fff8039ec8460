//! Killed at random moments while callbacks arrive on many connections: whatever was answered is there, and nothing is there
//! twice or in half. `cargo xtask crash --kills N` chooses how often.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use model::Ambient;
use testkit::postgres::cluster;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use wire::signed_request::{Payload, Secret, sign};

use crate::support::{Server, moveout, try_send};

/// How often the server is killed, unless the arguments say otherwise.
const KILLS: usize = 200;
/// What precedes that number; to the test harness it is a filter that matches nothing.
const MARK: &str = "kills=";
/// On how many connections callbacks arrive.
const CALLERS: usize = 24;
/// The most answers that a server gives before it is killed.
const ANSWERS: usize = 40;
/// How many of the kills hit a server that has not begun to listen yet: one in so many.
const EARLY: usize = 8;
/// The longest a server may have lived at an early kill.
const EARLY_LIFE: Duration = Duration::from_millis(120);
const PATIENCE: Duration = Duration::from_secs(60);

const SECRET: &str = "app secret of the shop";
/// Requests wait for an approval, so that nothing but accepting them is under test.
const WORLD: &str = "[[app]]\nname = 'shop'\nsecrets = ['file:./secret']\non_callback = 'review'\n";

/// One installation.
struct Place {
    folder: tempfile::TempDir,
    ambient: Ambient,
    /// The address of its database; without one it is on SQLite.
    postgres: Option<String>,
}

impl Place {
    fn new(postgres: Option<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("data")).unwrap();
        let store = postgres.as_ref().map_or_else(String::new, |_| "[store]\nurl = 'file:./url'\n".to_owned());
        let files = [
            ("moveout.toml", format!("data = 'data'\nkeys = 'file:./keys'\nlog = 'error'\n{store}")),
            ("keys", "ab".repeat(32)),
            ("url", postgres.clone().unwrap_or_default()),
            ("secret", SECRET.to_owned()),
            ("world.toml", WORLD.to_owned()),
        ];
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let place = Self { folder, ambient: testkit::ambient::ambient().0, postgres };
        for words in [&["migrate"][..], &["apply", "world.toml"]] {
            let output = place.command().args(words).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        place
    }

    fn command(&self) -> Command {
        let mut command = moveout();
        command.current_dir(self.folder.path()).args(["--config", "moveout.toml"]);
        command
    }

    fn random(&self, below: usize) -> usize {
        usize::from(u16::from_le_bytes(self.ambient.random())) % below
    }

    /// Returns the first column of a query on the store itself.
    async fn column(&self, sql: &str) -> Vec<String> {
        match &self.postgres {
            Some(url) => cluster().column(url, sql).await.unwrap(),
            None => of_sqlite(&self.folder.path().join("data/moveout.db"), sql),
        }
    }
}

fn of_sqlite(path: &Path, sql: &str) -> Vec<String> {
    let database = rusqlite::Connection::open(path).unwrap();
    let mut statement = database.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

/// The people whose callbacks are sent, and what they were answered.
#[derive(Default)]
struct People {
    born: usize,
    unanswered: Vec<usize>,
    codes: BTreeMap<usize, String>,
}

impl People {
    /// Returns whose callback is sent next: again theirs who got no answer, as the platform would.
    fn next(&mut self) -> usize {
        self.unanswered.pop().unwrap_or_else(|| {
            self.born += 1;
            self.born
        })
    }
}

/// Sends callbacks one after the other until the server is gone; says so of each answer.
async fn call(url: String, people: Arc<Mutex<People>>, answers: mpsc::UnboundedSender<()>) {
    loop {
        let person = people.lock().unwrap().next();
        let code = post(&url, person).await;
        let mut people = people.lock().unwrap();
        let Some(code) = code else {
            people.unanswered.push(person);
            return;
        };
        let before = people.codes.insert(person, code.clone());
        assert!(before.is_none_or(|before| before == code), "the same bytes got two codes");
        // Whoever counted has killed the server meanwhile.
        let _ = answers.send(());
    }
}

async fn post(url: &str, person: usize) -> Option<String> {
    let payload = Payload { user_id: format!("f{person}"), issued_at: None, expires: None, profile_id: None };
    let form = format!("signed_request={}", sign(&payload, &Secret::new(SECRET).unwrap()).unwrap());
    let url = format!("{url}/callbacks/shop/deletion");
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let answer = try_send("POST", &url, &headers, form.into_bytes()).await.ok()?;
    assert_eq!(answer.status, 200, "{}", answer.body);
    Some(answer.json()["confirmation_code"].as_str().unwrap().to_owned())
}

/// Lets a server answer for a random while and kills it.
async fn serve_and_kill(place: &Place, people: &Arc<Mutex<People>>) {
    if place.random(EARLY) == 0 {
        let mut early = place
            .command()
            .args(["serve", "--listen", "127.0.0.1:0"])
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // Not to wait for something, but to be at a random point of its start.
        tokio::time::sleep(EARLY_LIFE * place.random(256) as u32 / 256).await;
        early.kill().unwrap();
        early.wait().unwrap();
        return;
    }
    let server = Server::launch(&mut place.command());
    let (sender, mut answers) = mpsc::unbounded_channel();
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        callers.spawn(call(server.url.clone(), people.clone(), sender.clone()));
    }
    drop(sender);
    for _ in 0..place.random(ANSWERS) {
        answers.recv().await.expect("the server answers everybody");
    }
    server.kill();
    callers.join_all().await;
}

/// Checks the store as it lies there.
async fn assert_whole(place: &Place, people: &Arc<Mutex<People>>) {
    let inbox = place.column("SELECT confirmation_code FROM inbox").await;
    let promoted = place.column("SELECT code FROM erasure_code").await;
    let present: BTreeSet<&String> = inbox.iter().chain(&promoted).collect();
    {
        let people = people.lock().unwrap();
        let lost: Vec<_> = people.codes.iter().filter(|(_, code)| !present.contains(code)).collect();
        assert!(lost.is_empty(), "answered and lost: {lost:?}");
    }
    // Everybody is another person and sends one callback: a request for each code, and each of them whole.
    for table in ["SELECT id FROM erasure", "SELECT erasure FROM erasure_person"] {
        let requests = place.column(table).await;
        let distinct: BTreeSet<&String> = requests.iter().collect();
        assert_eq!((requests.len(), distinct.len()), (promoted.len(), promoted.len()), "{table}: twice, or in half");
    }
}

async fn nothing_is_lost(postgres: Option<String>) {
    let kills = std::env::args().find_map(|argument| argument.strip_prefix(MARK)?.parse().ok()).unwrap_or(KILLS);
    let place = Place::new(postgres);
    let people = Arc::new(Mutex::new(People::default()));
    for _ in 0..kills {
        serve_and_kill(&place, &people).await;
        assert_whole(&place, &people).await;
    }

    // Whoever got no answer asks once more; then everybody is there, once.
    let server = Server::launch(&mut place.command());
    let unanswered = std::mem::take(&mut people.lock().unwrap().unanswered);
    for person in unanswered {
        let code = post(&server.url, person).await.unwrap();
        people.lock().unwrap().codes.insert(person, code);
    }
    let deadline = Instant::now() + PATIENCE;
    while !place.column("SELECT id FROM inbox").await.is_empty() {
        assert!(Instant::now() < deadline, "the inbox is never emptied");
    }
    assert_whole(&place, &people).await;
    let promoted = place.column("SELECT code FROM erasure_code").await;
    let people = people.lock().unwrap();
    let (born, answered) = (people.born, people.codes.len());
    assert_eq!((answered, promoted.len()), (born, born));
    assert!(born > kills, "the server was killed before it had anything to lose");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite() {
    nothing_is_lost(None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres() {
    nothing_is_lost(Some(cluster().database().await.unwrap())).await;
}
