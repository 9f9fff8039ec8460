//! Puts a backup in the place of everything that the store holds, within one transaction.

use jiff::Timestamp;
use model::Result;

use super::tables::{self, Table};
use super::{Entry, Header, Reader, broken, row};
use crate::{Tx, Value, migrations, params};

/// How many rows go into one statement at most.
const ROWS: usize = 100;
/// How many values go into one statement at most: every database takes as many.
const VALUES: usize = 10_000;
/// What a row's column of times may be called that tells when somebody changed something. Other times lie ahead.
const CHANGED: [&str; 9] = [
    "created_at",
    "updated_at",
    "received_at",
    "finished_at",
    "appended_at",
    "last_at",
    "revoked_at",
    "seen_at",
    "started_at",
];

/// Replaces all tables by those of a backup, with the schema of this binary. Leases of before are gone.
///
/// # Errors
/// `MO-5003` if a newer binary took the backup, `MO-5030` if it does not fit together, or a problem of the store; then nothing
/// is changed.
pub async fn load(tx: &mut Tx<'_>, header: &Header, backup: &mut Reader) -> Result<()> {
    for name in tables::all() {
        tx.batch(&format!("DROP TABLE IF EXISTS {name}")).await?;
    }
    migrations::build(tx, header.schema).await?;
    while let Some(entry) = backup.next_entry()? {
        match entry {
            Entry::Table { name, chunk } => {
                let table = tables::table(tx, &name).await?;
                let table = table.ok_or_else(|| broken(format!("schema {} has no table {name}", header.schema)))?;
                insert(tx, &table, &chunk).await?;
            }
            Entry::Blob { .. } | Entry::End(_) => break,
        }
    }
    migrations::complete(tx, header.schema).await?;
    // What was due is due, whatever the clock of the database shows that the backup came from.
    tx.exec(
        "UPDATE job SET lease_until = NULL, lease_token = NULL, lease_owner = NULL, times_leased = 0,
             run_at = CASE WHEN run_at <= $1 THEN CAST($2 AS BIGINT) ELSE run_at END",
        params![header.taken_at, tx.now()],
    )
    .await?;
    Ok(())
}

/// Inserts the rows of a chunk, many in one statement.
async fn insert(tx: &mut Tx<'_>, table: &Table, chunk: &[u8]) -> Result<()> {
    let mut lines = chunk.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let columns: Vec<String> = lines
        .next()
        .and_then(|line| serde_json::from_slice(line).ok())
        .ok_or_else(|| broken("a chunk of a table has no columns"))?;
    if columns.is_empty() || columns.iter().any(|column| !table.columns.contains(column)) {
        return Err(broken(format!("the table {} has other columns", table.name)));
    }
    let most = ROWS.min(VALUES / columns.len()).max(1);
    let mut values: Vec<Value> = Vec::new();
    let mut rows = 0;
    for line in lines {
        let row = row::read(line)?;
        if row.len() != columns.len() {
            return Err(broken(format!("a row of {} has other columns", table.name)));
        }
        values.extend(row);
        rows += 1;
        if rows == most {
            tx.exec(&statement(table, &columns, rows), &values).await?;
            (rows, values) = (0, Vec::new());
        }
    }
    if rows > 0 {
        tx.exec(&statement(table, &columns, rows), &values).await?;
    }
    Ok(())
}

fn statement(table: &Table, columns: &[String], rows: usize) -> String {
    let width = columns.len();
    let row = |row: usize| {
        let places: Vec<String> = (1..=width).map(|place| format!("${}", row * width + place)).collect();
        format!("({})", places.join(", "))
    };
    let rows: Vec<String> = (0..rows).map(row).collect();
    format!("INSERT INTO {} ({}) VALUES {}", table.name, columns.join(", "), rows.join(", "))
}

/// Returns when somebody last changed anything in the store, but for its own regular work; `None` for one without content.
///
/// # Errors
/// A problem of the store.
pub async fn newest(tx: &mut Tx<'_>) -> Result<Option<Timestamp>> {
    let mut newest = None;
    for name in tables::backed_up().filter(|name| *name != "job") {
        let Some(table) = tables::table(tx, name).await? else { continue };
        for column in table.columns.iter().filter(|column| CHANGED.contains(&column.as_str())) {
            let row = tx.query_one(&format!("SELECT MAX({column}) AS newest FROM {name}"), params![]).await?;
            newest = newest.max(row.get::<Option<Timestamp>>("newest")?);
        }
    }
    Ok(newest)
}
