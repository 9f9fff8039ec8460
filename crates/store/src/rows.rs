//! Several rows in one INSERT.

use model::Result;

use crate::{Tx, Value};

/// The most rows of one statement.
const MOST: usize = 64;

/// Returns the placeholders of so many rows, `($1, $2), ($3, $4)`: first `shared` ones that are the same in every row, then
/// `columns` of the row's own.
pub(crate) fn placeholders(shared: usize, columns: usize, rows: usize) -> String {
    let tuple = |row: usize| {
        let own = (1..=columns).map(|column| shared + row * columns + column);
        let numbers = (1..=shared).chain(own).map(|number| format!("${number}"));
        format!("({})", numbers.collect::<Vec<_>>().join(", "))
    };
    (0..rows).map(tuple).collect::<Vec<_>>().join(", ")
}

/// Inserts rows, in one round trip. Each statement has a power of two of them, so that few different ones are prepared.
///
/// # Errors
/// A problem of the store.
pub(crate) async fn insert(tx: &mut Tx<'_>, head: &str, rows: Vec<Vec<Value>>) -> Result<()> {
    let columns = rows.first().map_or(0, Vec::len);
    let mut rest = rows;
    let mut statements = vec![];
    while !rest.is_empty() {
        let count = MOST.min(1 << rest.len().ilog2());
        let values: Vec<Value> = rest.drain(..count).flatten().collect();
        statements.push((format!("{head} VALUES {}", placeholders(0, columns, count)), values));
    }
    tx.exec_all(&statements).await.map(drop)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_row_has_placeholders_of_its_own_behind_the_shared_ones() {
        assert_eq!(super::placeholders(0, 2, 3), "($1, $2), ($3, $4), ($5, $6)");
        assert_eq!(super::placeholders(2, 1, 2), "($1, $2, $3), ($1, $2, $4)");
    }
}
