//! Rotating the master keys: every sealed value is sealed again with the newest key, a few rows at a time.
//!
//! What was done stays done: a run that is cut off is simply started again. Other processes may work on the store meanwhile;
//! a value that they change between our look and our write is left to the next pass.

use std::collections::BTreeMap;

use data_encoding::{BASE64, HEXLOWER};
use model::{Result, codes};

use super::columns::{self, Column};
use super::keys::{KEY_ID, KeyId};
use super::{ROOT, Vault};
use crate::value::Value;
use crate::{Row, Store, Tx, params, settings};

/// How many values are sealed again in one transaction.
const BATCH: usize = 100;
/// How often everything is gone through: a process that still seals with an older key would keep us busy for ever.
const PASSES: usize = 5;

/// How far one master key is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// What sealed values call it.
    pub id: KeyId,
    /// Whether this process was given it.
    pub given: bool,
    /// Whether it is the one that seals.
    pub seals: bool,
    /// How many values of the store are sealed with it.
    pub values: u64,
}

/// What sealing again did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resealed {
    /// How many values have the newest key now that had another.
    pub values: u64,
    /// Values that do not open, and so stay as they are: `table.column` and how many.
    pub broken: BTreeMap<String, u64>,
}

impl Store {
    /// Tells how far each master key is in use: those given, newest first, then those that are missing.
    ///
    /// # Errors
    /// A problem of the store.
    pub async fn key_usage(&self) -> Result<Vec<KeyUse>> {
        self.vault.ring.look_again();
        let mut values = BTreeMap::from([(self.read("vault.usage", |tx| Box::pin(root_key(tx))).await?, 1)]);
        for column in columns::ALL {
            for (id, count) in self.read("vault.usage", move |tx| Box::pin(usage(tx, column))).await? {
                *values.entry(id).or_insert(0) += count;
            }
        }
        let given = self.vault.ring.ids();
        let mut uses: Vec<_> = given
            .iter()
            .enumerate()
            .map(|(place, id)| KeyUse {
                id: *id,
                given: true,
                seals: place == 0,
                values: values.remove(id).unwrap_or_default(),
            })
            .collect();
        uses.extend(values.into_iter().map(|(id, values)| KeyUse { id, given: false, seals: false, values }));
        Ok(uses)
    }

    /// Seals every value again that another key than the newest has sealed.
    ///
    /// # Errors
    /// A problem of the store; what was done until then stays done.
    pub async fn reseal(&self) -> Result<Resealed> {
        self.vault.ring.look_again();
        let mut total = Resealed::default();
        for _ in 0..PASSES {
            let mut pass = Resealed::default();
            pass.values += u64::from(self.write("vault.reseal", |tx| Box::pin(reseal_root(tx))).await?);
            for column in columns::ALL {
                self.reseal_column(column, &mut pass).await?;
            }
            total.values += pass.values;
            total.broken = pass.broken;
            if pass.values == 0 {
                break;
            }
        }
        Ok(total)
    }

    async fn reseal_column(&self, column: &'static Column, done: &mut Resealed) -> Result<()> {
        let mut after = None;
        loop {
            let from = after.take();
            let rows = self.read("vault.reseal", move |tx| Box::pin(older(tx, column, from))).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = Some(key_of(column, last)?);
            let (values, broken) = self.write("vault.reseal", move |tx| Box::pin(reseal(tx, column, rows))).await?;
            done.values += values;
            if broken > 0 {
                *done.broken.entry(format!("{}.{}", column.table, column.name)).or_default() += broken;
            }
        }
    }
}

/// Counts the values of a column by their key.
async fn usage(tx: &mut Tx<'_>, column: &Column) -> Result<Vec<(KeyId, u64)>> {
    let Column { table, name, .. } = column;
    let id = format!("substr({name}, 1, {KEY_ID})");
    let sql = format!("SELECT {id} AS key_id, COUNT(*) AS sealed FROM {table} WHERE {name} IS NOT NULL GROUP BY {id}");
    let rows = tx.query(&sql, params![]).await?;
    // What is too short to name a key is broken, and found when it is opened.
    let named = rows.iter().filter_map(|row| {
        let id = row.get::<Vec<u8>>("key_id").map(|id| <[u8; KEY_ID]>::try_from(id).ok());
        Some(id.transpose()?.and_then(|id| Ok((KeyId(id), row.get("sealed")?))))
    });
    named.collect()
}

/// Returns the key of the root.
async fn root_key(tx: &mut Tx<'_>) -> Result<KeyId> {
    let sealed = settings::get(tx, ROOT).await?.and_then(|text| BASE64.decode(text.as_bytes()).ok());
    Ok(sealed.and_then(|sealed| Some(KeyId(*sealed.first_chunk()?))).unwrap_or(KeyId([0; KEY_ID])))
}

/// Seals the root again; tells whether it had another key.
async fn reseal_root(tx: &mut Tx<'_>) -> Result<bool> {
    let before = root_key(tx).await?;
    let _ = Vault::unlock(tx).await?;
    Ok(before != tx.vault().ring.ids()[0])
}

/// Returns the next rows of a column that another key than the newest has sealed, in the order of the primary key.
async fn older(tx: &mut Tx<'_>, column: &Column, after: Option<Vec<Value>>) -> Result<Vec<Row>> {
    let Column { table, name, key, row } = column;
    let mut wanted = key.to_vec();
    wanted.extend(row.iter().filter(|part| !key.contains(part)));
    let (wanted, key) = (wanted.join(", "), key.join(", "));
    let mut values = params![&tx.vault().ring.ids()[0].0[..]].to_vec();
    let from = after.map(|after| {
        let places: Vec<_> = (0..after.len()).map(|place| format!("${}", place + 2)).collect();
        values.extend(after);
        format!("AND ({key}) > ({})", places.join(", "))
    });
    let sql = format!(
        "SELECT {wanted}, {name} AS sealed FROM {table}
         WHERE {name} IS NOT NULL AND substr({name}, 1, {KEY_ID}) <> $1 {} ORDER BY {key} LIMIT {BATCH}",
        from.unwrap_or_default()
    );
    tx.query(&sql, &values).await
}

/// Seals these values again, where they are still what was read; returns how many, and how many do not open.
async fn reseal(tx: &mut Tx<'_>, column: &Column, rows: Vec<Row>) -> Result<(u64, u64)> {
    let Column { table, name, key, .. } = column;
    let places: Vec<_> = key.iter().enumerate().map(|(place, part)| format!("{part} = ${}", place + 3)).collect();
    let sql = format!("UPDATE {table} SET {name} = $1 WHERE {name} = $2 AND {}", places.join(" AND "));
    let (mut done, mut broken) = (0, 0);
    for row in rows {
        let sealed: Vec<u8> = row.get("sealed")?;
        let named = column.row.iter().map(|part| row.get(part).map(name_of)).collect::<Result<Vec<_>>>()?.join("/");
        match tx.vault().open(column, &named, &sealed).map(zeroize::Zeroizing::new) {
            Ok(value) => {
                let mut values = params![tx.vault().seal(column, &named, &value), sealed].to_vec();
                values.extend(key_of(column, &row)?);
                done += tx.exec(&sql, &values).await?;
            }
            Err(problem)
                if problem.is(&codes::store::SEALED_VALUE_BROKEN) || problem.is(&codes::store::KEY_NOT_GIVEN) =>
            {
                broken += 1;
            }
            Err(problem) => return Err(problem),
        }
    }
    Ok((done, broken))
}

fn key_of(column: &Column, row: &Row) -> Result<Vec<Value>> {
    column.key.iter().map(|part| row.get(part)).collect()
}

/// Returns how a value stands in the name of a row.
fn name_of(value: Value) -> String {
    match value {
        Value::Text(text) => text,
        Value::Blob(bytes) => HEXLOWER.encode(&bytes),
        Value::Int(number) => number.to_string(),
        Value::Null => String::new(),
    }
}
