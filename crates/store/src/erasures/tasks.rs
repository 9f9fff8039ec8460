//! What others must do for an erasure and report: a processor that was sent a message, a colleague who was given a task.

use jiff::Timestamp;
use model::Result;
use model::erasure::Evidence;
use zeroize::Zeroizing;

use super::broken;
use crate::params;
use crate::tx::Tx;
use crate::value::{Row, json};
use crate::vault::columns::ERASURE_TASK_WHAT;

/// Something that others must do.
#[derive(Clone)]
pub struct Task {
    /// Its id, which is also that of the message: the same for every attempt.
    pub id: String,
    /// The request.
    pub erasure: String,
    /// The system, by its declared name.
    pub system: String,
    /// The location within it.
    pub location: String,
    /// What is to be done, for people. Personal data: sealed, and shredded when it is done.
    pub what: Option<Zeroizing<String>>,
    /// Who is to do it.
    pub assignee: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// By when it must be done.
    pub due_at: Timestamp,
    /// When whoever must do it last took it from us, and whether they can be asked how it stands.
    pub told: Option<Told>,
    /// When it was done.
    pub done_at: Option<Timestamp>,
    /// What was reported.
    pub evidence: Option<Evidence>,
}

/// That a processor has taken a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// When it last did.
    pub at: Timestamp,
    /// Whether its answer said how the work stands, so that asking again is worth while.
    pub answers: bool,
}

/// Makes a task if it is not there yet.
pub async fn ensure(tx: &mut Tx<'_>, task: &Task) -> Result<()> {
    let what = task.what.as_ref().map(|what| tx.vault().seal(&ERASURE_TASK_WHAT, &task.id, what.as_bytes()));
    tx.exec(
        "INSERT INTO erasure_task (id, erasure, system, location, what, assignee, created_at, due_at, answers) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0) ON CONFLICT (id) DO NOTHING",
        params![
            &task.id,
            &task.erasure,
            &task.system,
            &task.location,
            what,
            task.assignee.clone(),
            task.created_at,
            task.due_at
        ],
    )
    .await?;
    Ok(())
}

/// Returns the task of this id.
pub async fn task(tx: &mut Tx<'_>, id: &str) -> Result<Option<Task>> {
    let row = tx.query_opt("SELECT * FROM erasure_task WHERE id = $1", params![id]).await?;
    row.map(|row| read(tx, &row)).transpose()
}

/// Returns the tasks of one system of a request.
pub async fn of_system(tx: &mut Tx<'_>, erasure: &str, system: &str) -> Result<Vec<Task>> {
    let select = "SELECT * FROM erasure_task WHERE erasure = $1 AND system = $2 ORDER BY location";
    let rows = tx.query(select, params![erasure, system]).await?;
    rows.iter().map(|row| read(tx, row)).collect()
}

/// Returns the tasks that are not done, those that are due first first.
pub async fn open(tx: &mut Tx<'_>, limit: u64) -> Result<Vec<Task>> {
    let select = "SELECT * FROM erasure_task WHERE done_at IS NULL ORDER BY due_at, id LIMIT $1";
    let rows = tx.query(select, params![limit]).await?;
    rows.iter().map(|row| read(tx, row)).collect()
}

/// Records that a processor took the message.
pub async fn told(tx: &mut Tx<'_>, id: &str, told: Told) -> Result<()> {
    let update = "UPDATE erasure_task SET told_at = $2, answers = $3 WHERE id = $1";
    tx.exec(update, params![id, told.at, told.answers]).await?;
    Ok(())
}

/// Records that a task was done, and shreds what it said of the person; the first report counts. Tells whether this was it.
pub async fn done(tx: &mut Tx<'_>, id: &str, evidence: &Evidence) -> Result<bool> {
    let now = tx.ambient.now();
    let update = "UPDATE erasure_task SET done_at = $2, evidence = $3, what = NULL WHERE id = $1 AND done_at IS NULL";
    Ok(tx.exec(update, params![id, now, json(evidence)?]).await? == 1)
}

fn read(tx: &Tx<'_>, row: &Row) -> Result<Task> {
    let id: String = row.get("id")?;
    let open = |sealed: Vec<u8>| {
        let text = tx.vault().open(&ERASURE_TASK_WHAT, &id, &sealed)?;
        String::from_utf8(text).map(Zeroizing::new).map_err(|_| broken("erasure_task.what"))
    };
    let told_at: Option<Timestamp> = row.get("told_at")?;
    let answers: bool = row.get("answers")?;
    Ok(Task {
        what: row.get::<Option<Vec<u8>>>("what")?.map(open).transpose()?,
        erasure: row.get("erasure")?,
        system: row.get("system")?,
        location: row.get("location")?,
        assignee: row.get("assignee")?,
        created_at: row.get("created_at")?,
        due_at: row.get("due_at")?,
        told: told_at.map(|at| Told { at, answers }),
        done_at: row.get("done_at")?,
        evidence: row.json_opt("evidence")?,
        id,
    })
}
