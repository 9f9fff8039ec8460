//! All that we hold of one account: what it received, what it granted, where it is signed in, and the account itself.

use model::Result;

use crate::params;
use crate::tx::Tx;

/// Every table with rows of an account (`$1` is its id), children before what they hang on. A table that is added for accounts
/// belongs here: a test compares this list with the columns of the schema.
const ROWS: &[(&str, &str)] = &[
    ("landed_tally", "transfer IN (SELECT id FROM landed_transfer WHERE account = $1)"),
    ("landed_item", "account = $1"),
    ("landed_transfer", "account = $1"),
    ("blob", "account = $1"),
    ("session", "account = $1"),
    ("oauth_code", "account = $1"),
    ("oauth_token", "account = $1"),
    ("oauth_grant", "account = $1"),
    ("account", "id = $1"),
];

/// Counts the rows of an account.
pub async fn count(tx: &mut Tx<'_>, account: &str) -> Result<u64> {
    let mut rows = 0;
    for (table, condition) in ROWS {
        let sql = format!("SELECT count(*) AS found FROM {table} WHERE {condition}");
        rows += tx.query_one(&sql, params![account]).await?.get::<u64>("found")?;
    }
    Ok(rows)
}

/// Removes every row of an account and returns how many there were. Files of blobs are to be removed before.
pub async fn erase(tx: &mut Tx<'_>, account: &str) -> Result<u64> {
    let mut rows = 0;
    for (table, condition) in ROWS {
        rows += tx.exec(&format!("DELETE FROM {table} WHERE {condition}"), params![account]).await?;
    }
    Ok(rows)
}

/// Returns the blobs of an account that lie in files.
pub async fn files(tx: &mut Tx<'_>, account: &str) -> Result<Vec<String>> {
    let rows = tx.query("SELECT id FROM blob WHERE account = $1 AND bytes IS NULL", params![account]).await?;
    rows.iter().map(|row| row.get("id")).collect()
}

/// The tables that [`erase`] clears.
pub fn tables() -> impl Iterator<Item = &'static str> {
    ROWS.iter().map(|(table, _)| *table)
}
