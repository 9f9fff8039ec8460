//! Writes every table as it is within one transaction.

use std::collections::BTreeMap;

use model::Result;

use super::tables::{self, Table};
use super::{Entry, Reader, Writer, broken, row};
use crate::{Tx, Value};

/// How many rows are asked for at once.
const PAGE: usize = 200;
/// From this many bytes on a chunk is written.
const CHUNK: usize = 1 << 20;

/// Writes every table; returns how many rows each has.
///
/// # Errors
/// A problem of the store, or `MO-7005` if the file cannot be written.
pub async fn tables(tx: &mut Tx<'_>, out: &mut Writer) -> Result<BTreeMap<String, u64>> {
    let mut counts = BTreeMap::new();
    for name in tables::backed_up() {
        // A binary also runs on the schema before its own, which may lack the newest table.
        if let Some(table) = tables::table(tx, name).await? {
            let rows = write(tx, &table, out).await?;
            if rows > 0 {
                counts.insert(name.to_owned(), rows);
            }
        }
    }
    Ok(counts)
}

/// Writes one table in the order of its primary key, page by page, so that memory does not grow with it.
async fn write(tx: &mut Tx<'_>, table: &Table, out: &mut Writer) -> Result<u64> {
    let columns = serde_json::to_vec(&table.columns).map_err(|cause| broken("column names").caused_by(cause))?;
    let first = [&columns[..], b"\n"].concat();
    let mut chunk = first.clone();
    let (mut rows, mut chunks) = (0, 0_u64);
    let mut after: Option<Vec<Value>> = None;
    loop {
        let page = tx.query(&select(table, after.is_some()), after.as_deref().unwrap_or_default()).await?;
        for row in &page {
            row::write(&row.values, &mut chunk);
        }
        rows += page.len() as u64;
        let last = page.len() < PAGE;
        if chunk.len() > if last { first.len() } else { CHUNK } {
            chunks += 1;
            out.entry(&format!("tables/{}/{chunks:06}.jsonl", table.name), &chunk)?;
            chunk.clone_from(&first);
        }
        match page.last() {
            Some(row) if !last => {
                let place = |column: &String| table.columns.iter().position(|name| name == column);
                let values = table.key.iter().filter_map(place).map(|place| row.values[place].clone());
                after = Some(values.collect());
            }
            _ => return Ok(rows),
        }
    }
}

/// Asks for the next page behind a primary key.
fn select(table: &Table, goes_on: bool) -> String {
    let (columns, key) = (table.columns.join(", "), table.key.join(", "));
    let behind = match goes_on {
        false => String::new(),
        true => {
            let values: Vec<String> = (1..=table.key.len()).map(|place| format!("${place}")).collect();
            format!("WHERE ({key}) > ({})", values.join(", "))
        }
    };
    format!("SELECT {columns} FROM {} {behind} ORDER BY {key} LIMIT {PAGE}", table.name)
}

/// Reads on in a backup to the next blobs that lie in files or objects; returns their ids and sizes, `None` at the end.
///
/// The backup itself is asked, not the store, which goes on: what it names and what it holds must agree.
///
/// # Errors
/// `MO-5030` if it cannot be read.
pub fn blob_files(backup: &mut Reader) -> Result<Option<Vec<(String, u64)>>> {
    while let Some(entry) = backup.next_entry()? {
        let Entry::Table { name, chunk } = entry else { continue };
        if name != "blob" {
            continue;
        }
        let mut lines = chunk.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let columns: Vec<String> = lines
            .next()
            .and_then(|line| serde_json::from_slice(line).ok())
            .ok_or_else(|| broken("a chunk of a table has no columns"))?;
        let place = |wanted: &str| columns.iter().position(|column| column == wanted);
        let places = place("id").zip(place("size")).zip(place("bytes"));
        let ((id, size), bytes) = places.ok_or_else(|| broken("the table of blobs lacks a column"))?;
        let mut files = Vec::new();
        for line in lines {
            let row = row::read(line)?;
            if let (Some(Value::Text(id)), Some(Value::Int(size)), Some(Value::Null)) =
                (row.get(id), row.get(size), row.get(bytes))
            {
                files.push((id.clone(), size.cast_unsigned()));
            }
        }
        return Ok(Some(files));
    }
    Ok(None)
}
