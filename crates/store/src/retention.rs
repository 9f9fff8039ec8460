//! What we keep of people, for how long and why: one line or more for every table, and the statements that enforce it.
//!
//! A keyed digest of a person counts as personal data. A test fails when a table of the schema has no line here.

use std::fmt::Write as _;

use jiff::Timestamp;
use model::Result;

use crate::{Tx, params};

/// How many rows one sweep of a line touches at most, so that nobody waits behind it for long.
const BATCH: u64 = 1000;

/// One rule about one table.
#[derive(Debug)]
pub struct Line {
    /// The table.
    pub table: &'static str,
    /// What it may hold of a person.
    pub holds: &'static str,
    /// For how long.
    pub kept: &'static str,
    /// Why we need it.
    pub why: &'static str,
    /// How it goes; without one, something else ends it, as `kept` says.
    pub sweep: Option<Sweep>,
}

/// How a line is enforced.
#[derive(Debug)]
pub struct Sweep {
    /// How old something may become.
    pub after: After,
    /// A statement over everything older than `$1`, at most `$2` rows at once. It must not touch a row twice.
    sql: &'static str,
}

/// How old something may become.
#[derive(Clone, Copy, Debug)]
pub enum After {
    /// So many days.
    Days(u32),
    /// As long as a backup of a declared system may bring erased data back.
    ReplayWindow,
}

const fn kept(table: &'static str, holds: &'static str, kept: &'static str, why: &'static str) -> Line {
    Line { table, holds, kept, why, sweep: None }
}

const fn swept(mut line: Line, after: After, sql: &'static str) -> Line {
    line.sweep = Some(Sweep { after, sql });
    line
}

const NOTHING: &str = "nothing";
const RUNS: &str = "as long as the store";
const OPERATES: &str = "operating the installation";
const WINDOW: &str = "the replay window after the end: the longest declared `backups_kept`, at least 90 days";
const YEARS: &str = "3 years after the end, that of kept rows included";
const PROOF: &str = "showing that the request was answered, while claims can be raised";
const JOURNAL: &str = "90 days after the end";
const ACCOUNTABLE: &str = "telling people what became of their items, and retrying some";
const ACCOUNTABLE_LIST: &str = "going on with an import that broke off";
const OWNED: &str = "as long as the account holds it";
const SERVICE: &str = "it is what the person asked us to hold";

/// Every line. Children stand before what they hang on: sweeps run in this order.
pub const LINES: &[Line] = &[
    kept("schema_version", NOTHING, RUNS, OPERATES),
    kept("setting", NOTHING, RUNS, OPERATES),
    swept(
        kept("write_mark", NOTHING, "moments; a day after a crash", "knowing whether a transaction was kept"),
        After::Days(1),
        "DELETE FROM write_mark WHERE (place, count) IN (SELECT place, count FROM write_mark WHERE at < $1 LIMIT $2)",
    ),
    kept("app", "contact addresses of the operator's staff", "until declared otherwise", OPERATES),
    kept("system", NOTHING, "until declared otherwise", OPERATES),
    kept("client", NOTHING, "until declared otherwise", OPERATES),
    kept("webhook", NOTHING, "until declared otherwise", OPERATES),
    swept(
        kept(
            "outbox",
            "confirmation codes and states of requests",
            "until the receiver took it; 30 days once it is put aside",
            "telling others what became of requests",
        ),
        After::Days(30),
        "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE parked_at < $1 LIMIT $2)",
    ),
    kept("job", "ids of requests and transfers", "until the work has ended", "carrying it out"),
    swept(
        kept(
            "inbox",
            "a callback with the person's id, sealed",
            "milliseconds; 30 days if nothing could be made of it",
            "not losing a request",
        ),
        After::Days(30),
        "DELETE FROM inbox WHERE id IN (SELECT id FROM inbox WHERE problem IS NOT NULL AND received_at < $1 LIMIT $2)",
    ),
    kept(
        "person_identity",
        "the person's identities, sealed, and keyed digests of them",
        "until the person is erased, or the app says that they are gone",
        "finding everything of a person who asks by one of them",
    ),
    kept("ledger_head", NOTHING, RUNS, OPERATES),
    kept(
        "ledger_leaf",
        "salted keyed digests, anonymous once the salt in `erasure` is shredded",
        "for ever",
        "a log with a hole proves nothing",
    ),
    kept("ledger_node", NOTHING, "for ever", "proofs"),
    kept("ledger_past", NOTHING, "for ever", "naming the logs that a restore has closed"),
    kept("ledger_past_leaf", "as `ledger_leaf`", "for ever", "a log with a hole proves nothing"),
    swept(
        kept(
            "erasure_person",
            "keyed digests of the person's identities",
            "the replay window after the end; where a ground keeps rows, after that",
            "recognising a repeated request, and telling what is kept",
        ),
        After::ReplayWindow,
        "DELETE FROM erasure_person WHERE erasure IN (SELECT e.id FROM erasure e WHERE COALESCE(e.kept_erased_at, e.finished_at) < $1
             AND NOT EXISTS (SELECT 1 FROM erasure_kept k WHERE k.erasure = e.id)
             AND EXISTS (SELECT 1 FROM erasure_person p WHERE p.erasure = e.id) LIMIT $2)",
    ),
    kept(
        "erasure_kept",
        "keys of the rows that a ground keeps, sealed",
        "until the ground is over and they are erased",
        "erasing them then",
    ),
    swept(
        kept(
            "erasure_system",
            "the person's identities in one system, sealed",
            WINDOW,
            "erasing again after a restore",
        ),
        After::ReplayWindow,
        "UPDATE erasure_system SET frozen = NULL WHERE frozen IS NOT NULL
             AND erasure IN (SELECT e.id FROM erasure e WHERE COALESCE(e.kept_erased_at, e.finished_at) < $1
                 AND EXISTS (SELECT 1 FROM erasure_system s WHERE s.erasure = e.id AND s.frozen IS NOT NULL) LIMIT $2)",
    ),
    swept(
        kept(
            "erasure",
            "the person's identities and the salt of their digest, sealed",
            WINDOW,
            "erasing again after a restore",
        ),
        After::ReplayWindow,
        "UPDATE erasure SET identities = NULL, salt = NULL WHERE id IN
             (SELECT id FROM erasure WHERE finished_at < $1 AND (identities IS NOT NULL OR salt IS NOT NULL) LIMIT $2)",
    ),
    swept(
        kept("erasure_proof", "digests of mailed links", "until the link ends or is used", "the person's proof"),
        After::Days(0),
        "DELETE FROM erasure_proof WHERE digest IN (SELECT digest FROM erasure_proof WHERE expires_at < $1 LIMIT $2)",
    ),
    swept(
        kept("erasure_code", "confirmation codes", YEARS, PROOF),
        After::Days(3 * 365),
        "DELETE FROM erasure_code WHERE code IN (SELECT c.code FROM erasure_code c JOIN erasure e ON e.id = c.erasure
             WHERE COALESCE(e.kept_erased_at, e.finished_at) < $1
             AND NOT EXISTS (SELECT 1 FROM erasure_kept k WHERE k.erasure = e.id) LIMIT $2)",
    ),
    swept(
        kept(
            "erasure_task",
            "what others must do and with whom, sealed until it is done; then what they reported",
            YEARS,
            PROOF,
        ),
        After::Days(3 * 365),
        "DELETE FROM erasure_task WHERE id IN (SELECT t.id FROM erasure_task t JOIN erasure e ON e.id = t.erasure
             WHERE COALESCE(e.kept_erased_at, e.finished_at) < $1
             AND NOT EXISTS (SELECT 1 FROM erasure_kept k WHERE k.erasure = e.id) LIMIT $2)",
    ),
    swept(
        kept("erasure_system", "how many rows were found and erased", YEARS, PROOF),
        After::Days(3 * 365),
        "DELETE FROM erasure_system WHERE erasure IN (SELECT e.id FROM erasure e WHERE COALESCE(e.kept_erased_at, e.finished_at) < $1
             AND NOT EXISTS (SELECT 1 FROM erasure_kept k WHERE k.erasure = e.id)
             AND EXISTS (SELECT 1 FROM erasure_system s WHERE s.erasure = e.id) LIMIT $2)",
    ),
    swept(
        kept("erasure_replay", "which request repeats which", YEARS, PROOF),
        After::Days(3 * 365),
        "DELETE FROM erasure_replay WHERE erasure IN (SELECT r.erasure FROM erasure_replay r JOIN erasure e ON e.id = r.erasure
             WHERE COALESCE(e.kept_erased_at, e.finished_at) < $1
             AND NOT EXISTS (SELECT 1 FROM erasure_kept k WHERE k.erasure = e.id) LIMIT $2)",
    ),
    swept(
        kept("erasure", "the request's course and its receipt", YEARS, PROOF),
        After::Days(3 * 365),
        "DELETE FROM erasure WHERE id IN (SELECT e.id FROM erasure e WHERE COALESCE(e.kept_erased_at, e.finished_at) < $1
             AND NOT EXISTS (SELECT 1 FROM erasure_kept k WHERE k.erasure = e.id) LIMIT $2)",
    ),
    swept(
        kept("erasure_list_id", "keyed digests of the ids on a list", "until the list is imported", ACCOUNTABLE_LIST),
        After::Days(90),
        "DELETE FROM erasure_list_id WHERE (list, digest) IN (SELECT i.list, i.digest FROM erasure_list_id i
             LEFT JOIN erasure_list l ON l.id = i.list WHERE l.id IS NULL OR l.started_at < $1 LIMIT $2)",
    ),
    swept(
        kept("erasure_list", "counts, and a fingerprint of the file", "90 days after it was imported", ACCOUNTABLE_LIST),
        After::Days(90),
        "DELETE FROM erasure_list WHERE id IN (SELECT id FROM erasure_list WHERE started_at < $1 LIMIT $2)",
    ),
    swept(
        kept("transfer_item", "the source's ids of items, and what became of each", JOURNAL, ACCOUNTABLE),
        After::Days(90),
        "DELETE FROM transfer_item WHERE (transfer, page) IN (SELECT i.transfer, i.page FROM transfer_item i
             JOIN transfer t ON t.id = i.transfer WHERE t.finished_at < $1 LIMIT $2)",
    ),
    swept(
        kept("transfer_page", "the source's cursors", JOURNAL, ACCOUNTABLE),
        After::Days(90),
        "DELETE FROM transfer_page WHERE (transfer, seq) IN (SELECT p.transfer, p.seq FROM transfer_page p
             JOIN transfer t ON t.id = p.transfer WHERE t.finished_at < $1 LIMIT $2)",
    ),
    swept(
        kept("transfer_read", "counts", JOURNAL, ACCOUNTABLE),
        After::Days(90),
        "DELETE FROM transfer_read WHERE (transfer, data_type) IN (SELECT r.transfer, r.data_type FROM transfer_read r
             JOIN transfer t ON t.id = r.transfer WHERE t.finished_at < $1 LIMIT $2)",
    ),
    swept(
        kept("transfer", "where it went from and to; addresses and tokens sealed", JOURNAL, ACCOUNTABLE),
        After::Days(90),
        "DELETE FROM transfer WHERE id IN (SELECT id FROM transfer WHERE finished_at < $1 LIMIT $2)",
    ),
    kept("account", "a name and a password hash", "until the account is removed", SERVICE),
    swept(
        kept("session", "a digest of the cookie", "until it expires or is signed out", "staying signed in"),
        After::Days(0),
        "DELETE FROM session WHERE digest IN (SELECT digest FROM session WHERE expires_at < $1 LIMIT $2)",
    ),
    swept(
        kept(
            "login_attempt",
            "a keyed digest of name and address",
            "until the window is over",
            "slowing down who guesses passwords, or has mail sent",
        ),
        After::Days(0),
        "DELETE FROM login_attempt WHERE digest IN (SELECT digest FROM login_attempt WHERE expires_at < $1 LIMIT $2)",
    ),
    swept(
        kept("oauth_code", "who allowed what", "a day after it expires", "noticing a code that is used twice"),
        After::Days(1),
        "DELETE FROM oauth_code WHERE digest IN (SELECT digest FROM oauth_code WHERE expires_at < $1 LIMIT $2)",
    ),
    swept(
        kept("oauth_token", "who allowed what", "until it expires", "checking requests"),
        After::Days(0),
        "DELETE FROM oauth_token WHERE digest IN (SELECT digest FROM oauth_token WHERE expires_at < $1 LIMIT $2)",
    ),
    swept(
        kept(
            "oauth_grant",
            "who allowed what to whom",
            "90 days after it is taken back",
            "showing the person what was connected",
        ),
        After::Days(90),
        "DELETE FROM oauth_grant WHERE id IN (SELECT id FROM oauth_grant WHERE revoked_at < $1 LIMIT $2)",
    ),
    kept("landed_transfer", "which service sent something", OWNED, SERVICE),
    kept("landed_tally", "counts", OWNED, SERVICE),
    kept("landed_item", "the person's items", OWNED, SERVICE),
    kept("blob", "the person's photos, videos and files", OWNED, SERVICE),
    kept(
        "blob_doomed",
        "random names of files that are being removed",
        "seconds; as long as folder or bucket is away",
        "removing them",
    ),
];

/// Enforces one line on up to a thousand rows; returns how many it touched, 0 when there is nothing left to do.
///
/// # Errors
/// A problem of the store.
pub async fn sweep(tx: &mut Tx<'_>, sweep: &Sweep, older_than: Timestamp) -> Result<u64> {
    tx.exec(sweep.sql, params![older_than, BATCH]).await
}

/// Returns the lines as a Markdown table, for `docs/DATA_MODEL.md`.
pub fn table_markdown() -> String {
    let mut table = String::from("| table | holds of a person | kept | why | how it goes |\n|---|---|---|---|---|\n");
    for Line { table: name, holds, kept, why, sweep } in LINES {
        let how = match sweep.as_ref().map(|sweep| sweep.after) {
            Some(_) => "swept by the `retention` job",
            None => "as said under *kept*",
        };
        // A String takes whatever is written to it.
        let _ = writeln!(table, "| `{name}` | {holds} | {kept} | {why} | {how} |");
    }
    table
}
