//! Erasure requests: who asked, how far it has come, and every code that leads to it.

mod kept;
mod lists;
mod proofs;
mod replays;
mod systems;
pub mod tasks;

use jiff::Timestamp;
use model::erasure::ErasureState;
use model::problem::Reason;
use model::{Code, Identity, Problem, Result, codes};
use zeroize::Zeroizing;

pub use kept::{KeptRow, end_kept, keeping, kept, kept_due, kept_next, put_kept, set_kept_reason};
pub use lists::{List, count_unknown, first_on_list, forget_list_ids, open_list, put_list, set_list};
pub use proofs::{forget_proofs, proven_by, put_proof};
pub use replays::{Ended, Replay, ended_since, put_replay, replay, replayed};
use systems::sealed_row;
pub use systems::{SystemRow, freeze, freeze_keys, put_system, remove_system, system_frozen, systems};

use crate::outbox;
use crate::params;
use crate::tx::Tx;
use crate::value::{Row, json};
use crate::vault::columns::{Column, ERASURE_IDENTITIES, ERASURE_SALT};

/// The length of the salt that makes a person's hash in the ledger unlinkable once it is shredded.
pub const SALT: usize = 32;

/// A request as it is stored, without the person.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its id.
    pub id: String,
    /// The app it came for.
    pub app: String,
    /// The door it came through: `callback`, `deauthorize`, `cli`, `api`, `list`.
    pub door: String,
    /// Its first confirmation code.
    pub code: String,
    /// Its state.
    pub state: ErasureState,
    /// Why it is in this state.
    pub reason: Option<Reason>,
    /// When it arrived.
    pub received_at: Timestamp,
    /// When the platform signed it.
    pub issued_at: Option<Timestamp>,
    /// By when an answer is due.
    pub due_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Whether the identities are closed over all systems; from then on they are never resolved again from data that may be half erased.
    pub frozen: bool,
    /// Where its intent stands in the ledger; destruction begins only behind it.
    pub intent: Option<u64>,
    /// The signed receipt.
    pub receipt: Option<serde_json::Value>,
    /// When the last of what a ground kept was erased.
    pub kept_erased_at: Option<Timestamp>,
    /// The signed receipt of that.
    pub kept_receipt: Option<serde_json::Value>,
    /// Before this instant nothing is carried out, so that the person can still take it back.
    pub not_before: Option<Timestamp>,
    /// Until when the person must show that it is they who ask.
    pub prove_by: Option<Timestamp>,
}

/// A request to be stored.
pub struct New {
    /// The request, not yet frozen.
    pub request: Request,
    /// Whom it is about.
    pub identities: Vec<Identity>,
}

/// Stores a request with its person, and its code.
pub async fn insert(tx: &mut Tx<'_>, new: &New) -> Result<()> {
    let New { request, identities } = new;
    let id = &request.id;
    let sealed = seal_identities(tx, id, identities)?;
    let salt = tx.vault().seal(&ERASURE_SALT, id, &tx.ambient.random::<SALT>());
    let now = tx.ambient.now();
    tx.exec(
        "INSERT INTO erasure (id, app, door, code, state, reason, received_at, issued_at, due_at, finished_at, updated_at, identities, salt, frozen, not_before, prove_by) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, $14, $15)",
        params![
            id,
            &request.app,
            &request.door,
            &request.code,
            request.state.name(),
            request.reason.as_ref().map(json).transpose()?,
            request.received_at,
            request.issued_at,
            request.due_at,
            request.finished_at,
            now,
            sealed,
            salt,
            request.not_before,
            request.prove_by
        ],
    )
    .await?;
    announce(tx, 1, request).await?;
    add_code(tx, &request.code, id, request.received_at).await?;
    for digest in person_digests(tx, &request.app, identities) {
        tx.exec("INSERT INTO erasure_person (digest, erasure) VALUES ($1, $2)", params![digest, id]).await?;
    }
    Ok(())
}

/// Remembers the identities that were learned while a request was closed.
async fn remember_learned(tx: &mut Tx<'_>, id: &str, identities: &[Identity]) -> Result<()> {
    let Some(request) = by_id(tx, id).await? else { return Ok(()) };
    for digest in person_digests(tx, &request.app, identities) {
        let sql = "INSERT INTO erasure_person (digest, erasure, learned) VALUES ($1, $2, 1) ON CONFLICT (digest, erasure) DO NOTHING";
        tx.exec(sql, params![digest, id]).await?;
    }
    Ok(())
}

/// Lets one more code lead to a request.
pub async fn add_code(tx: &mut Tx<'_>, code: &str, id: &str, received_at: Timestamp) -> Result<()> {
    tx.exec(
        "INSERT INTO erasure_code (code, erasure, received_at) VALUES ($1, $2, $3) ON CONFLICT (code) DO NOTHING",
        params![code, id, received_at],
    )
    .await?;
    Ok(())
}

/// Returns the request of this id.
pub async fn by_id(tx: &mut Tx<'_>, id: &str) -> Result<Option<Request>> {
    let row = tx.query_opt("SELECT * FROM erasure WHERE id = $1", params![id]).await?;
    row.as_ref().map(request).transpose()
}

/// Returns the request that a code leads to.
pub async fn by_code(tx: &mut Tx<'_>, code: &str) -> Result<Option<Request>> {
    let row = tx
        .query_opt("SELECT e.* FROM erasure e JOIN erasure_code c ON c.erasure = e.id WHERE c.code = $1", params![code])
        .await?;
    row.as_ref().map(request).transpose()
}

/// Returns the newest requests first, those of one state if it is given.
pub async fn list(tx: &mut Tx<'_>, state: Option<ErasureState>, limit: u64) -> Result<Vec<Request>> {
    let rows = tx
        .query(
            "SELECT * FROM erasure WHERE (CAST($1 AS TEXT) IS NULL OR state = $1) ORDER BY received_at DESC, id DESC LIMIT $2",
            params![state.map(ErasureState::name), limit],
        )
        .await?;
    rows.iter().map(request).collect()
}

/// Says before when nothing of a request is carried out.
pub async fn set_not_before(tx: &mut Tx<'_>, id: &str, not_before: Option<Timestamp>) -> Result<()> {
    tx.exec("UPDATE erasure SET not_before = $2 WHERE id = $1", params![id, not_before]).await?;
    Ok(())
}

/// Returns requests that wait for one reason.
pub async fn waiting_for(tx: &mut Tx<'_>, code: &Code, limit: usize) -> Result<Vec<Request>> {
    let reason = format!("%\"{code}\"%");
    let sql = "SELECT * FROM erasure WHERE finished_at IS NULL AND state = $1 AND reason LIKE $2 ORDER BY id LIMIT $3";
    let rows = tx.query(sql, params![ErasureState::Waiting.name(), reason, limit]).await?;
    rows.iter().map(request).collect()
}

/// Tells whether somebody paused a request.
pub async fn is_paused(tx: &mut Tx<'_>, id: &str) -> Result<bool> {
    let sql = "SELECT 1 AS paused FROM erasure WHERE id = $1 AND state = $2";
    Ok(tx.query_opt(sql, params![id, ErasureState::Paused.name()]).await?.is_some())
}

/// Returns the erasure requests of an app that name every one of these identities, the newest first. What a request learned
/// of its person does not count: whoever asks by something else may be somebody else.
///
/// Withdrawals of access are no requests to be erased and are left out.
pub async fn of_person(tx: &mut Tx<'_>, app: &str, identities: &[Identity]) -> Result<Vec<Request>> {
    let mut common: Option<Vec<String>> = None;
    for digest in person_digests(tx, app, identities) {
        let rows =
            tx.query("SELECT erasure FROM erasure_person WHERE digest = $1 AND learned = 0", params![digest]).await?;
        let ids = rows.iter().map(|row| row.get("erasure")).collect::<Result<Vec<String>>>()?;
        common = Some(match common {
            None => ids,
            Some(before) => before.into_iter().filter(|id| ids.contains(id)).collect(),
        });
    }
    let mut found = Vec::new();
    for id in common.unwrap_or_default() {
        found.extend(by_id(tx, &id).await?.filter(|request| request.door != "deauthorize"));
    }
    found.sort_by(|a, b| (b.received_at, &b.id).cmp(&(a.received_at, &a.id)));
    Ok(found)
}

/// Moves a request to a state; the time it ended is set where the state is final.
///
/// # Errors
/// `MO-2018` if it has ended: a request ends once, whoever else is still at work on it.
pub async fn set_state(tx: &mut Tx<'_>, id: &str, state: ErasureState, reason: Option<&Reason>) -> Result<()> {
    let now = tx.ambient.now();
    let finished = state.is_final().then_some(now);
    let changed = tx
        .query(
            "UPDATE erasure SET state_before = state, state = $2, reason = $3, finished_at = $4, updated_at = $5,
                 changes = changes + CASE WHEN state = $2 THEN 0 ELSE 1 END
             WHERE id = $1 AND finished_at IS NULL
             RETURNING *",
            params![id, state.name(), reason.map(json).transpose()?, finished, now],
        )
        .await?;
    one(changed.len() as u64)?;
    announce_changes(tx, &changed).await
}

/// Tells whoever wants to hear of it of the requests whose state is another one than before.
async fn announce_changes(tx: &mut Tx<'_>, changed: &[Row]) -> Result<()> {
    for row in changed {
        if row.get::<Option<String>>("state_before")? != row.get::<Option<String>>("state")? {
            announce(tx, row.get("changes")?, &request(row)?).await?;
        }
    }
    Ok(())
}

/// Tells whoever wants to hear of it in which state a request is now, but not whom it is about.
async fn announce(tx: &mut Tx<'_>, sequence: u64, request: &Request) -> Result<()> {
    let data = serde_json::json!({
        "id": request.id,
        "sequence": sequence,
        "app": request.app,
        "confirmation_code": request.code,
        "state": request.state.name(),
        "reason": request.reason,
        "received_at": request.received_at,
        "due_at": request.due_at,
        "finished_at": request.finished_at,
    });
    outbox::announce(tx, &outbox::Event { topic: format!("erasure.{}", request.state.name()), data }).await
}

/// Records where the intent stands in the ledger: from here on the request can no longer be taken back.
///
/// # Errors
/// `MO-2018` if it has ended.
pub async fn set_intent(tx: &mut Tx<'_>, id: &str, index: u64) -> Result<()> {
    let touched = tx
        .exec("UPDATE erasure SET intent_index = $2 WHERE id = $1 AND finished_at IS NULL", params![id, index])
        .await?;
    one(touched)
}

/// Forgets that the erasure of kept rows has begun, so that its intent is said again: where it was said, a restore has closed the log.
pub async fn forget_kept_intents(tx: &mut Tx<'_>) -> Result<()> {
    tx.exec("UPDATE erasure_kept SET intent_index = NULL WHERE intent_index IS NOT NULL", params![]).await?;
    Ok(())
}

/// Returns every request that has an intent and has not ended: its id, its app, and where the intent stands.
pub async fn intended(tx: &mut Tx<'_>) -> Result<Vec<(String, String, u64)>> {
    let sql =
        "SELECT id, app, intent_index FROM erasure WHERE finished_at IS NULL AND intent_index IS NOT NULL ORDER BY id";
    let rows = tx.query(sql, params![]).await?;
    rows.iter().map(|row| Ok((row.get("id")?, row.get("app")?, row.get("intent_index")?))).collect()
}

fn one(touched: u64) -> Result<()> {
    match touched {
        1 => Ok(()),
        _ => Err(Problem::new(&codes::erasure::STATE_CONFLICT, "it has ended")),
    }
}

/// Counts one more round in which finished systems held rows again, and returns how many there were.
///
/// # Errors
/// `MO-2018` if it has ended.
pub async fn add_round(tx: &mut Tx<'_>, id: &str) -> Result<u64> {
    let sql = "UPDATE erasure SET rounds = rounds + 1 WHERE id = $1 AND finished_at IS NULL";
    one(tx.exec(sql, params![id]).await?)?;
    let row = tx.query_opt("SELECT rounds FROM erasure WHERE id = $1", params![id]).await?;
    row.map_or(Ok(0), |row| row.get("rounds"))
}

/// Begins to count rounds afresh.
pub async fn reset_rounds(tx: &mut Tx<'_>, id: &str) -> Result<()> {
    tx.exec("UPDATE erasure SET rounds = 0 WHERE id = $1", params![id]).await?;
    Ok(())
}

/// Counts the codes that lead to a request: each arrival that joined it brought one.
pub async fn count_codes(tx: &mut Tx<'_>, id: &str) -> Result<u64> {
    let sql = "SELECT count(*) AS codes FROM erasure_code WHERE erasure = $1";
    let row = tx.query_opt(sql, params![id]).await?;
    row.map_or(Ok(0), |row| row.get("codes"))
}

/// Keeps the receipt of a request.
pub async fn set_receipt(tx: &mut Tx<'_>, id: &str, receipt: &serde_json::Value) -> Result<()> {
    tx.exec("UPDATE erasure SET receipt = $2 WHERE id = $1", params![id, json(receipt)?]).await?;
    Ok(())
}

/// Returns whom a request is about: what was asked for or, once frozen, the closed set. Empty after shredding.
pub async fn identities(tx: &mut Tx<'_>, id: &str) -> Result<Vec<Identity>> {
    match sealed(tx, "SELECT identities AS sealed FROM erasure WHERE id = $1", id, &ERASURE_IDENTITIES).await? {
        None => Ok(Vec::new()),
        Some(text) => serde_json::from_slice(&text).map_err(|cause| broken("erasure.identities").caused_by(cause)),
    }
}

/// Returns the salt of a request's hash in the ledger; `None` after shredding.
pub async fn salt(tx: &mut Tx<'_>, id: &str) -> Result<Option<Zeroizing<Vec<u8>>>> {
    sealed(tx, "SELECT salt AS sealed FROM erasure WHERE id = $1", id, &ERASURE_SALT).await
}

async fn sealed(tx: &mut Tx<'_>, select: &str, id: &str, column: &Column) -> Result<Option<Zeroizing<Vec<u8>>>> {
    let Some(row) = tx.query_opt(select, params![id]).await? else { return Ok(None) };
    let sealed: Option<Vec<u8>> = row.get("sealed")?;
    sealed.map(|sealed| tx.vault().open(column, id, &sealed).map(Zeroizing::new)).transpose()
}

fn seal_identities(tx: &Tx<'_>, id: &str, identities: &[Identity]) -> Result<Vec<u8>> {
    let text = Zeroizing::new(json(&identities)?);
    Ok(tx.vault().seal(&ERASURE_IDENTITIES, id, text.as_bytes()))
}

/// Returns the keyed digest of each identity within an app, the same for all its spellings.
pub(crate) fn person_digests(tx: &Tx<'_>, app: &str, identities: &[Identity]) -> Vec<Vec<u8>> {
    let digest = |identity: &Identity| {
        let identity = identity.folded();
        // No part can hold a NUL: names and kinds are plain, values have no control characters.
        let text = Zeroizing::new(format!("{app}\0{}\0{}", identity.kind, identity.value));
        tx.vault().digest("erasure-person", text.as_bytes()).to_vec()
    };
    let mut digests: Vec<_> = identities.iter().map(digest).collect();
    digests.sort();
    digests.dedup();
    digests
}

fn request(row: &Row) -> Result<Request> {
    Ok(Request {
        id: row.get("id")?,
        app: row.get("app")?,
        door: row.get("door")?,
        code: row.get("code")?,
        state: row.parse("state")?,
        reason: row.json_opt("reason")?,
        received_at: row.get("received_at")?,
        issued_at: row.get("issued_at")?,
        due_at: row.get("due_at")?,
        finished_at: row.get("finished_at")?,
        frozen: row.get("frozen")?,
        intent: row.get("intent_index")?,
        receipt: row.json_opt("receipt")?,
        kept_erased_at: row.get("kept_erased_at")?,
        kept_receipt: row.json_opt("kept_receipt")?,
        not_before: row.get("not_before")?,
        prove_by: row.get("prove_by")?,
    })
}

fn broken(column: &str) -> Problem {
    Problem::new(&codes::store::SEALED_VALUE_BROKEN, format!("{column} holds something else than expected"))
}
