//! The sums of a transfer: what was read against what became of it.

use std::collections::BTreeMap;

use model::transfer::{ItemProblems, ItemState, Tally};
use model::{DataType, Result};
use serde::{Deserialize, Serialize};

use crate::value::{Row, json};
use crate::{Tx, params};

/// How many items of one type are in one state, and their bytes.
#[derive(Debug, Serialize, Deserialize)]
struct StateCount {
    data_type: DataType,
    state: ItemState,
    items: u64,
    bytes: u64,
}

impl StateCount {
    fn read(row: &Row) -> Result<Self> {
        Ok(Self {
            data_type: row.parse("data_type")?,
            state: row.parse("state")?,
            items: row.get("items")?,
            bytes: row.get("bytes")?,
        })
    }

    fn add_to(&self, tally: &mut Tally) {
        match self.state {
            ItemState::Pending | ItemState::Sent => tally.pending += self.items,
            ItemState::Confirmed => tally.written += self.items,
            ItemState::AlreadyThere => tally.already_there += self.items,
            ItemState::Refused => tally.refused += self.items,
            ItemState::Failed => tally.failed += self.items,
            ItemState::Uncertain => tally.uncertain += self.items,
        }
        if matches!(self.state, ItemState::Confirmed | ItemState::AlreadyThere) {
            tally.bytes += self.bytes;
        }
    }
}

/// Counts a page's items by state and keeps the result, now that all of them are decided.
pub(super) async fn close_page(tx: &mut Tx<'_>, transfer: &str, page: u64) -> Result<()> {
    let rows = tx
        .query(
            "SELECT data_type, state, COUNT(*) AS items, CAST(SUM(bytes) AS BIGINT) AS bytes FROM transfer_item
             WHERE transfer = $1 AND page = $2 GROUP BY data_type, state",
            params![transfer, page],
        )
        .await?;
    let counts = rows.iter().map(StateCount::read).collect::<Result<Vec<_>>>()?;
    let open = |count: &StateCount| matches!(count.state, ItemState::Pending | ItemState::Sent);
    if !counts.iter().any(open) {
        tx.exec(
            "UPDATE transfer_page SET tally = $3 WHERE transfer = $1 AND seq = $2",
            params![transfer, page, json(&counts)?],
        )
        .await?;
    }
    Ok(())
}

/// Returns the counts per data type. `read` is what the reader counted; the others come from the item rows.
pub async fn tallies(tx: &mut Tx<'_>, transfer: &str) -> Result<BTreeMap<DataType, Tally>> {
    let mut tallies: BTreeMap<DataType, Tally> = BTreeMap::new();
    for row in tx.query("SELECT data_type, items FROM transfer_read WHERE transfer = $1", params![transfer]).await? {
        tallies.entry(row.parse("data_type")?).or_default().read = row.get("items")?;
    }
    let closed = "SELECT tally FROM transfer_page WHERE transfer = $1 AND tally IS NOT NULL";
    for row in tx.query(closed, params![transfer]).await? {
        for count in row.json::<Vec<StateCount>>("tally")? {
            count.add_to(tallies.entry(count.data_type).or_default());
        }
    }
    let open = tx
        .query(
            "SELECT i.data_type, i.state, COUNT(*) AS items, CAST(SUM(i.bytes) AS BIGINT) AS bytes
             FROM transfer_page p JOIN transfer_item i ON i.transfer = p.transfer AND i.page = p.seq
             WHERE p.transfer = $1 AND p.tally IS NULL GROUP BY i.data_type, i.state",
            params![transfer],
        )
        .await?;
    for row in &open {
        let count = StateCount::read(row)?;
        count.add_to(tallies.entry(count.data_type).or_default());
    }
    Ok(tallies)
}

/// Returns why items were not written, grouped by state, type and code, each with an example.
pub async fn problems(tx: &mut Tx<'_>, transfer: &str) -> Result<Vec<ItemProblems>> {
    let rows = tx
        .query(
            "SELECT state, data_type, MIN(reason) AS reason, COUNT(*) AS items, MIN(source_id) AS example
             FROM transfer_item WHERE transfer = $1 AND code IS NOT NULL GROUP BY state, data_type, code
             ORDER BY items DESC",
            params![transfer],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(ItemProblems {
                state: row.parse("state")?,
                data_type: row.parse("data_type")?,
                reason: row.json("reason")?,
                count: row.get("items")?,
                example: row.get("example")?,
            })
        })
        .collect()
}
