//! The reader's side of the journal: pages, what was observed on them, and how many items of each type.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use model::problem::Reason;
use model::transfer::{ItemState, TransferState};
use model::{DataType, Result};

use super::fence;
use crate::value::{Value, json};
use crate::{Tx, params, rows};

/// How many item rows one statement inserts. Few sizes, so that each statement is prepared once.
const ROWS: [usize; 3] = [64, 8, 1];
/// The columns of an item row that the reader fills, after transfer and page.
const COLUMNS: usize = 8;

static INSERTS: LazyLock<[String; 3]> = LazyLock::new(|| ROWS.map(insert_sql));

/// A page of the source as it is journaled, before anything on it is sent.
#[derive(Clone, Debug)]
pub struct NewPage {
    /// The transfer.
    pub transfer: String,
    /// Its number, counted from 0.
    pub seq: u64,
    /// Where it begins.
    pub cursor: Option<String>,
    /// Where the next begins.
    pub next: Option<String>,
    /// The selected items.
    pub items: Vec<NewItem>,
}

/// One item of a page as it is journaled.
#[derive(Clone, Debug)]
pub struct NewItem {
    /// Its index in the page of the source.
    pub place: u32,
    /// Its type.
    pub data_type: DataType,
    /// Its id at the source.
    pub source_id: String,
    /// The nearest container it lies in.
    pub container: Option<String>,
    /// The size of its content, if the source said it.
    pub size: Option<u64>,
    /// The state it begins in.
    pub state: ItemState,
    /// Why, if it begins as refused or failed.
    pub reason: Option<Reason>,
}

/// A page that was journaled before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRow {
    /// Its number.
    pub seq: u64,
    /// Where it begins.
    pub cursor: Option<String>,
    /// Where the next begins.
    pub next: Option<String>,
}

/// An item that was journaled before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journaled {
    /// Its index in the page.
    pub place: u32,
    /// Its type.
    pub data_type: DataType,
    /// Its id at the source.
    pub source_id: String,
    /// Its state.
    pub state: ItemState,
    /// How often it was sent.
    pub attempts: u32,
}

/// Journals a page with its items and counts what was read, all or nothing. Returns the state of the transfer.
pub async fn append_page(tx: &mut Tx<'_>, run: u64, page: &NewPage) -> Result<TransferState> {
    let state = fence(tx, &page.transfer, run).await?;
    // An empty page has nothing to decide: it is closed from the beginning.
    let tally = page.items.is_empty().then_some("[]");
    tx.exec(
        "INSERT INTO transfer_page (transfer, seq, cursor, next, observed, tally) VALUES ($1, $2, $3, $4, $5, $6)",
        params![&page.transfer, page.seq, page.cursor.clone(), page.next.clone(), page.items.len(), tally],
    )
    .await?;
    let mut rest = page.items.as_slice();
    for (size, sql) in ROWS.into_iter().zip(INSERTS.iter()) {
        while rest.len() >= size {
            let (rows, left) = rest.split_at(size);
            insert_items(tx, sql, page, rows).await?;
            rest = left;
        }
    }
    count_read(tx, page).await?;
    Ok(state)
}

async fn insert_items(tx: &mut Tx<'_>, sql: &str, page: &NewPage, rows: &[NewItem]) -> Result<()> {
    let mut values = Vec::with_capacity(2 + rows.len() * COLUMNS);
    values.push(Value::from(&page.transfer));
    values.push(Value::from(page.seq));
    for item in rows {
        values.push(item.place.into());
        values.push(item.data_type.name().into());
        values.push((&item.source_id).into());
        values.push(item.container.as_deref().into());
        values.push(item.size.into());
        values.push(item.state.name().into());
        values.push(item.reason.as_ref().map(|reason| reason.code.as_str()).into());
        values.push(item.reason.as_ref().map(json).transpose()?.into());
    }
    tx.exec(sql, &values).await?;
    Ok(())
}

fn insert_sql(rows: usize) -> String {
    format!(
        "INSERT INTO transfer_item (transfer, page, place, data_type, source_id, container, size, state, code, reason) VALUES {}",
        rows::placeholders(2, COLUMNS, rows)
    )
}

async fn count_read(tx: &mut Tx<'_>, page: &NewPage) -> Result<()> {
    let mut counts: BTreeMap<DataType, u64> = BTreeMap::new();
    for item in &page.items {
        *counts.entry(item.data_type).or_default() += 1;
    }
    for (data_type, items) in counts {
        tx.exec(
            "INSERT INTO transfer_read (transfer, data_type, items) VALUES ($1, $2, $3)
             ON CONFLICT (transfer, data_type) DO UPDATE SET items = transfer_read.items + excluded.items",
            params![&page.transfer, data_type.name(), items],
        )
        .await?;
    }
    Ok(())
}

/// Returns the page that was journaled last.
pub async fn last_page(tx: &mut Tx<'_>, transfer: &str) -> Result<Option<PageRow>> {
    let sql = "SELECT seq, cursor, next FROM transfer_page WHERE transfer = $1 ORDER BY seq DESC LIMIT 1";
    Ok(pages(tx, sql, transfer).await?.pop())
}

/// Returns the pages on which something is not decided yet, in the order in which they were read.
pub async fn open_pages(tx: &mut Tx<'_>, transfer: &str) -> Result<Vec<PageRow>> {
    let sql = "SELECT seq, cursor, next FROM transfer_page WHERE transfer = $1 AND tally IS NULL ORDER BY seq";
    pages(tx, sql, transfer).await
}

async fn pages(tx: &mut Tx<'_>, sql: &str, transfer: &str) -> Result<Vec<PageRow>> {
    let rows = tx.query(sql, params![transfer]).await?;
    rows.iter()
        .map(|row| Ok(PageRow { seq: row.get("seq")?, cursor: row.get("cursor")?, next: row.get("next")? }))
        .collect()
}

/// Returns the items of a page that are still to be sent (`pending`) or may have to be sent again (`sent`).
pub async fn undecided(tx: &mut Tx<'_>, transfer: &str, page: u64) -> Result<Vec<Journaled>> {
    let rows = tx
        .query(
            "SELECT place, data_type, source_id, state, attempts FROM transfer_item
             WHERE transfer = $1 AND page = $2 AND state IN ('pending', 'sent') ORDER BY place",
            params![transfer, page],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Journaled {
                place: row.get("place")?,
                data_type: row.parse("data_type")?,
                source_id: row.get("source_id")?,
                state: row.parse("state")?,
                attempts: row.get("attempts")?,
            })
        })
        .collect()
}
