//! The master keys rotate: every sealed value of every table gets the newest key, beside processes that go on working.

use std::collections::BTreeSet;

use data_encoding::HEXLOWER;
use jiff::SignedDuration;
use model::codes;
use store::vault::columns;
use store::{Keys, Store, Value, params};

use crate::bed::{Bed, on_every_database, write};

on_every_database!(
    every_sealed_value_gets_the_newest_key,
    a_value_that_does_not_open_stops_nothing,
    a_running_process_follows_its_key_file,
    a_key_that_is_not_given_is_named_and_waited_for,
);

/// More than one batch in each table.
const ROWS: usize = 130;

fn both(new: &Keys, old: &Keys) -> Keys {
    Keys::from_text(&format!("{}{}", &*new.to_text(), &*old.to_text())).unwrap()
}

/// Puts rows into every table that has sealed columns, whatever its other columns are.
async fn fill(bed: &Bed, store: &Store) {
    let tables: BTreeSet<_> = columns::ALL.iter().map(|column| column.table).collect();
    for table in tables {
        let described = describe(bed, store, table).await;
        let names: Vec<_> = described.iter().map(|(name, _)| name.clone()).collect();
        let places: Vec<_> = (1..=names.len()).map(|place| format!("${place}")).collect();
        let sql = format!("INSERT INTO {table} ({}) VALUES ({})", names.join(", "), places.join(", "));
        let rows: Vec<Vec<Value>> = (0..ROWS).map(|number| row_of(store, table, &described, number)).collect();
        let insert = store.write("test.fill", move |tx| {
            Box::pin(async move {
                for row in &rows {
                    tx.exec(&sql, row).await?;
                }
                Ok(())
            })
        });
        insert.await.unwrap();
    }
}

/// Returns the columns of a table that must be filled, with their types.
async fn describe(bed: &Bed, store: &Store, table: &'static str) -> Vec<(String, String)> {
    let sql = match &bed.postgres {
        Some(_) => {
            "SELECT CAST(column_name AS TEXT) AS name, CAST(data_type AS TEXT) AS kind,
                 CAST(CASE WHEN is_nullable = 'NO' THEN 1 ELSE 0 END AS BIGINT) AS needed
             FROM information_schema.columns WHERE table_name = CAST($1 AS TEXT)"
        }
        None => "SELECT name, type AS kind, \"notnull\" + pk AS needed FROM pragma_table_info($1)",
    };
    let rows = write!(store, |tx| tx.query(sql, params![table])).unwrap();
    let sealed = |name: &str| columns::ALL.iter().any(|column| column.table == table && column.name == name);
    let described = rows.iter().map(|row| {
        let (name, kind): (String, String) = (row.get("name").unwrap(), row.get("kind").unwrap());
        let needed = sealed(&name) || row.get::<i64>("needed").unwrap_or(1) > 0;
        needed.then(|| (name, kind.to_lowercase()))
    });
    described.flatten().collect()
}

fn row_of(store: &Store, table: &str, described: &[(String, String)], number: usize) -> Vec<Value> {
    let text = |name: &str| format!("{name}-{number}");
    let value = |(name, kind): &(String, String)| {
        if let Some(column) = columns::ALL.iter().find(|column| column.table == table && column.name == name) {
            let is_text = |part: &str| described.iter().any(|(name, kind)| name == part && kind == "text");
            let part = |part: &&str| if is_text(part) { text(part) } else { HEXLOWER.encode(text(part).as_bytes()) };
            let row = column.row.iter().map(part).collect::<Vec<_>>().join("/");
            return Value::Blob(store.vault().seal(column, &row, secret(table, name, number).as_bytes()));
        }
        match kind.as_str() {
            "text" => Value::Text(text(name)),
            "bigint" => Value::Int(i64::try_from(number).unwrap()),
            _ => Value::Blob(text(name).into_bytes()),
        }
    };
    described.iter().map(value).collect()
}

fn secret(table: &str, name: &str, number: usize) -> String {
    format!("the secret {number} of {table}.{name}")
}

fn as_text(value: Value) -> String {
    match value {
        Value::Text(text) => text,
        Value::Blob(bytes) => HEXLOWER.encode(&bytes),
        value => panic!("{value:?} names no row"),
    }
}

/// Opens every sealed value and returns how many there are.
async fn open_all(store: &Store) -> usize {
    let mut opened = 0;
    for column in columns::ALL {
        let wanted = column.row.join(", ");
        let sql = format!("SELECT {wanted}, {} AS sealed FROM {}", column.name, column.table);
        for row in write!(store, |tx| tx.query(&sql, params![])).unwrap() {
            let first = match row.get(column.row[0]).unwrap() {
                Value::Blob(bytes) => String::from_utf8(bytes).unwrap(),
                value => as_text(value),
            };
            let number: usize = first.rsplit('-').next().unwrap().parse().unwrap();
            let parts: Vec<String> = column.row.iter().map(|part| as_text(row.get(part).unwrap())).collect();
            let value = store.vault().open(column, &parts.join("/"), &row.get::<Vec<u8>>("sealed").unwrap()).unwrap();
            assert_eq!(value, secret(column.table, column.name, number).as_bytes());
            opened += 1;
        }
    }
    opened
}

async fn every_sealed_value_gets_the_newest_key(bed: Bed) {
    let store = bed.open().await;
    fill(&bed, &store).await;
    let kept = |store: &Store| (store.vault().digest("person", b"asid:1"), store.vault().key("ledger-signing"));
    let before = kept(&store);
    drop(store);

    let new = Keys::generate(&bed.ambient);
    let store = bed.try_open(&both(&new, &bed.keys)).await.unwrap();
    let all = (columns::ALL.len() * ROWS) as u64;
    let values = |usage: &[store::KeyUse]| usage.iter().map(|key| (key.seals, key.values)).collect::<Vec<_>>();
    // The root was sealed again when the store was opened.
    assert_eq!(values(&store.key_usage().await.unwrap()), [(true, 1), (false, all)]);
    let resealed = store.reseal().await.unwrap();
    assert_eq!((resealed.values, resealed.broken.len()), (all, 0));
    assert_eq!(values(&store.key_usage().await.unwrap()), [(true, all + 1), (false, 0)]);
    assert_eq!(store.reseal().await.unwrap().values, 0, "what is done stays done");
    drop(store);

    let store = bed.try_open(&new).await.unwrap();
    assert_eq!(open_all(&store).await as u64, all);
    assert_eq!(kept(&store), before, "digests and derived keys outlive the rotation");
    assert!(bed.try_open(&bed.keys).await.err().unwrap().is(&codes::store::KEY_WRONG));
}

async fn a_value_that_does_not_open_stops_nothing(bed: Bed) {
    let store = bed.open().await;
    fill(&bed, &store).await;
    let sql = "UPDATE app SET secrets = (SELECT url FROM system WHERE name = 'name-3') WHERE name = 'name-3'";
    write!(store, |tx| tx.exec(sql, params![])).unwrap();
    let store = bed.try_open(&both(&Keys::generate(&bed.ambient), &bed.keys)).await.unwrap();
    let resealed = store.reseal().await.unwrap();
    assert_eq!(resealed.values, (columns::ALL.len() * ROWS - 1) as u64);
    assert_eq!(resealed.broken.into_iter().collect::<Vec<_>>(), [("app.secrets".to_owned(), 1)]);
    assert_eq!(store.key_usage().await.unwrap()[1].values, 1, "the old key is still said to be in use");
}

async fn a_running_process_follows_its_key_file(bed: Bed) {
    let path = bed.folder.path().join("keys");
    std::fs::write(&path, &*bed.keys.to_text()).unwrap();
    let server = bed.try_open(&Keys::from_file(&path).unwrap()).await.unwrap();
    let seal = |store: &Store| store.vault().seal(&columns::APP_SECRETS, "shop", b"secret");
    let older = seal(&server);

    let new = Keys::generate(&bed.ambient);
    std::fs::write(bed.folder.path().join("keys.new"), &*both(&new, &bed.keys).to_text()).unwrap();
    std::fs::rename(bed.folder.path().join("keys.new"), &path).unwrap();
    let rotating = bed.try_open(&Keys::from_file(&path).unwrap()).await.unwrap();
    let open = |sealed: &[u8]| server.vault().open(&columns::APP_SECRETS, "shop", sealed);
    assert_eq!(open(&seal(&rotating)).unwrap(), b"secret", "a key that is new to the process is looked for");
    bed.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(seal(&server)[..4], seal(&rotating)[..4], "what it seals from now on needs no older key");
    assert_eq!(open(&older).unwrap(), b"secret");

    // A file that is being mended changes nothing.
    std::fs::write(&path, "not a key").unwrap();
    bed.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(seal(&server)[..4], seal(&rotating)[..4]);
}

async fn a_key_that_is_not_given_is_named_and_waited_for(bed: Bed) {
    let older = bed.open().await;
    let new = Keys::generate(&bed.ambient);
    let newer = bed.try_open(&both(&new, &bed.keys)).await.unwrap();
    let sealed = newer.vault().seal(&columns::APP_SECRETS, "shop", b"secret");
    let problem = older.vault().open(&columns::APP_SECRETS, "shop", &sealed).unwrap_err();
    assert!(problem.is(&codes::store::KEY_NOT_GIVEN) && problem.verdict() == model::Verdict::Retry);
    assert!(problem.detail.contains(&new.ids()[0].to_string()), "{problem}");
}
