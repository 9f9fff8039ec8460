//! What we say about how long we keep things is what happens: for every line that is swept there is a row here, which is there
//! until its time and gone after it, on both databases.

use std::sync::Arc;

use engine::{Engine, Settings, jobs};
use jiff::{SignedDuration, Timestamp};
use store::retention::{After, LINES};
use store::{Keys, Store, Value, params};
use testkit::ambient::ManualClock;

const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// The replay window where no system declares a longer one, in days.
const REPLAY_WINDOW: i64 = 90;

/// What stands for one line.
struct Case {
    /// The line: its table and what that holds.
    line: (&'static str, &'static str),
    /// Makes the row; `$1` is when its time begins to run, `$2` some bytes.
    fill: &'static str,
    /// Counts what of it is left, where that is not the whole table.
    left: Option<&'static str>,
}

const fn case(table: &'static str, holds: &'static str, fill: &'static str) -> Case {
    Case { line: (table, holds), fill, left: None }
}

const ERASURE: &str = "INSERT INTO erasure (id, app, door, code, state, received_at, due_at, finished_at, updated_at, identities, salt, frozen)
    VALUES ('e', 'shop', 'cli', 'c', 'complete', $1, $1, $1, $1, $2, $2, 1)";
const TRANSFER: &str =
    "INSERT INTO transfer (id, state, shown_from, shown_to, ends, types, run, created_at, finished_at)
    VALUES ('t', 'done', 'a', 'b', $2, '[]', 1, $1, $1)";
const NOTHING: &str = "DELETE FROM setting WHERE name = 'no such'";

const CASES: &[Case] = &[
    Case {
        line: ("write_mark", "nothing"),
        fill: "INSERT INTO write_mark (place, count, kept, at) VALUES ('a process that crashed', 1, 0, $1)",
        left: Some("SELECT COUNT(*) AS n FROM write_mark WHERE place = 'a process that crashed'"),
    },
    case(
        "erasure_task",
        "what others must do and with whom, sealed until it is done; then what they reported",
        "INSERT INTO erasure_task (id, erasure, system, location, created_at, due_at, answers) VALUES ('k', 'e', 'db', 'l', $1, $1, 0)",
    ),
    case(
        "erasure_proof",
        "digests of mailed links",
        "INSERT INTO erasure_proof (digest, erasure, expires_at) VALUES ($2, 'e', $1)",
    ),
    case(
        "outbox",
        "confirmation codes and states of requests",
        "INSERT INTO outbox (id, webhook, body, created_at, attempts, next_at, parked_at) VALUES ('o', 'w', '{}', $1, 1, $1, $1)",
    ),
    case(
        "inbox",
        "a callback with the person's id, sealed",
        "INSERT INTO inbox (id, app, door, confirmation_code, payload, received_at, problem) VALUES ('i', 'shop', 'callback', 'c', $2, $1, '{}')",
    ),
    case(
        "erasure_person",
        "keyed digests of the person's identities",
        "INSERT INTO erasure_person (digest, erasure) VALUES ($2, 'e')",
    ),
    Case {
        line: ("erasure_system", "the person's identities in one system, sealed"),
        fill: "INSERT INTO erasure_system (erasure, name, position, label, state, frozen, tables, kept, updated_at)
            VALUES ('e', 'db', 0, 'db', 'verified_empty', $2, '[]', '[]', $1)",
        left: Some("SELECT COUNT(*) AS n FROM erasure_system WHERE frozen IS NOT NULL"),
    },
    Case {
        line: ("erasure", "the person's identities and the salt of their digest, sealed"),
        fill: ERASURE,
        left: Some("SELECT COUNT(*) AS n FROM erasure WHERE identities IS NOT NULL OR salt IS NOT NULL"),
    },
    case(
        "erasure_code",
        "confirmation codes",
        "INSERT INTO erasure_code (code, erasure, received_at) VALUES ('c', 'e', $1)",
    ),
    case(
        "erasure_list_id",
        "keyed digests of the ids on a list",
        "INSERT INTO erasure_list_id (list, digest) VALUES ('l', $2)",
    ),
    case(
        "erasure_list",
        "counts, and a fingerprint of the file",
        "INSERT INTO erasure_list (id, app, kind, fingerprint, counts, started_at, finished_at) VALUES ('l', 'shop', 'asid', 'f', '{}', $1, $1)",
    ),
    case("erasure_system", "how many rows were found and erased", NOTHING),
    case(
        "erasure_replay",
        "which request repeats which",
        "INSERT INTO erasure_replay (erasure, first, since, systems) VALUES ('e', 'first', $1, '[]')",
    ),
    case("erasure", "the request's course and its receipt", NOTHING),
    case(
        "transfer_item",
        "the source's ids of items, and what became of each",
        "INSERT INTO transfer_item (transfer, page, place, data_type, source_id, state) VALUES ('t', 0, 0, 'photos', 'p', 'confirmed')",
    ),
    case(
        "transfer_page",
        "the source's cursors",
        "INSERT INTO transfer_page (transfer, seq, observed) VALUES ('t', 0, 1)",
    ),
    case("transfer_read", "counts", "INSERT INTO transfer_read (transfer, data_type, items) VALUES ('t', 'photos', 1)"),
    case("transfer", "where it went from and to; addresses and tokens sealed", TRANSFER),
    case(
        "session",
        "a digest of the cookie",
        "INSERT INTO session (digest, account, created_at, expires_at) VALUES ($2, 'a', $1, $1)",
    ),
    case(
        "login_attempt",
        "a keyed digest of name and address",
        "INSERT INTO login_attempt (digest, failures, expires_at) VALUES ($2, 1, $1)",
    ),
    case(
        "oauth_code",
        "who allowed what",
        "INSERT INTO oauth_code (digest, client, account, redirect_uri, redirect_named, scopes, expires_at) VALUES ($2, 'c', 'a', 'u', 0, '', $1)",
    ),
    case(
        "oauth_token",
        "who allowed what",
        "INSERT INTO oauth_token (digest, kind, grant_id, account, scopes, generation, created_at, expires_at) VALUES ($2, 'access', 'g', 'a', '', 0, $1, $1)",
    ),
    case(
        "oauth_grant",
        "who allowed what to whom",
        "INSERT INTO oauth_grant (id, account, scopes, created_at, refresh_generation, revoked_at) VALUES ('g', 'a', '', $1, 0, $1)",
    ),
];

struct Bed {
    _folder: tempfile::TempDir,
    store: Store,
    engine: Engine,
    clock: Arc<ManualClock>,
}

impl Bed {
    async fn open(postgres: Option<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (ambient, clock) = testkit::ambient::ambient();
        let keys = Keys::generate(&ambient);
        let store = match postgres {
            Some(url) => {
                let settings = store::postgres::Settings::new(url);
                Store::migrate_postgres(&settings, &ambient).await.unwrap();
                Store::open_postgres(&settings, folder.path(), keys, ambient.clone()).await.unwrap()
            }
            None => Store::open_sqlite(folder.path(), keys, ambient.clone()).await.unwrap(),
        };
        let settings = Settings { public_url: "http://localhost".to_owned(), data: folder.path().to_owned() };
        let net = net::Client::new(net::Policy::operator());
        let engine = Engine::new(store.clone(), ambient, net, settings);
        Self { _folder: folder, store, engine, clock }
    }

    /// Makes a row for every line.
    async fn fill(&self, at: Timestamp) {
        let fill = self.store.write("test.fill", move |tx| {
            Box::pin(async move {
                for case in CASES {
                    let bytes = Value::from(b"sealed".as_slice());
                    let all = [Value::from(at), bytes];
                    let used = if case.fill.contains("$2") { 2 } else { usize::from(case.fill.contains("$1")) };
                    // Where only the bytes are used, they are the first parameter.
                    match case.fill.contains("$1") {
                        false if used == 2 => tx.exec(&case.fill.replace("$2", "$1"), &all[1..]).await?,
                        _ => tx.exec(case.fill, &all[..used]).await?,
                    };
                }
                Ok(())
            })
        });
        fill.await.unwrap();
    }

    /// Moves the clock to an instant and lets the retention job run.
    async fn sweep_at(&self, then: Timestamp) {
        self.clock.advance(then.duration_since(self.engine.ambient().now()));
        let enqueue = self.store.write("test.enqueue", |tx| {
            Box::pin(async move { store::jobs::enqueue(tx, "retention", "all", None).await })
        });
        enqueue.await.unwrap();
        jobs::drain(&self.engine).await.unwrap();
    }

    async fn left(&self, case: &'static Case) -> u64 {
        let sql = case.left.map_or_else(|| format!("SELECT COUNT(*) AS n FROM {}", case.line.0), str::to_owned);
        let count =
            self.store.read("test.left", move |tx| Box::pin(async move { tx.query_one(&sql, params![]).await }));
        count.await.unwrap().get("n").unwrap()
    }
}

async fn every_line_is_kept(postgres: Option<String>) {
    let bed = Bed::open(postgres).await;
    let swept = LINES.iter().filter_map(|line| Some(((line.table, line.holds), line.sweep.as_ref()?.after)));
    let mut timed: Vec<(SignedDuration, &Case)> = swept
        .map(|(line, after)| {
            let case = CASES.iter().find(|case| case.line == line);
            let days = match after {
                After::Days(days) => i64::from(days),
                After::ReplayWindow => REPLAY_WINDOW,
            };
            (HOUR * 24 * i32::try_from(days).unwrap(), case.unwrap_or_else(|| panic!("no row stands for {line:?}")))
        })
        .collect();
    timed.sort_by_key(|(after, _)| *after);
    let begin = bed.engine.ambient().now();
    bed.fill(begin).await;
    for group in timed.chunk_by(|one, other| one.0 == other.0) {
        let over = begin + group[0].0;
        bed.sweep_at((over - HOUR).max(begin)).await;
        for (_, case) in group {
            assert_eq!(bed.left(case).await, 1, "{:?} goes before its time", case.line);
        }
        bed.sweep_at(over + HOUR).await;
        for (_, case) in group {
            assert_eq!(bed.left(case).await, 0, "{:?} stays after its time", case.line);
        }
    }
}

#[tokio::test]
async fn every_line_is_kept_in_sqlite() {
    every_line_is_kept(None).await;
}

#[tokio::test]
async fn every_line_is_kept_in_postgres() {
    every_line_is_kept(Some(testkit::postgres::cluster().database().await.unwrap())).await;
}
