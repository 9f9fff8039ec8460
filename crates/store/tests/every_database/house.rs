//! An account goes with all its rows, whatever table is added: and what others own stays.

use std::collections::BTreeSet;

use store::accounts::{self, Role};
use store::{house, oauth};

use crate::bed::{Bed, on_every_database, write};

on_every_database!(every_table_of_accounts_is_cleared, an_account_goes_and_the_others_stay);

async fn every_table_of_accounts_is_cleared(bed: Bed) {
    let store = bed.open().await;
    let cleared: BTreeSet<&str> = house::tables().collect();
    for table in bed.tables(&store).await {
        let sql = format!("SELECT account FROM \"{table}\" LIMIT 1");
        let asked = store.read("test.column", move |tx| Box::pin(async move { tx.query(&sql, &[]).await })).await;
        assert!(asked.is_err() || cleared.contains(table.as_str()), "house::erase leaves {table} as it is");
    }
}

async fn an_account_goes_and_the_others_stay(bed: Bed) {
    let store = bed.open().await;
    let mut ids = Vec::new();
    for name in ["ada", "bob"] {
        let id = write!(store, |tx| accounts::create(tx, name, Role::Person, None)).unwrap().id;
        let account = id.clone();
        write!(store, |tx| oauth::create_grant(tx, &account, None, "media:write")).unwrap();
        ids.push(id);
    }
    let (ada, bob) = (ids[0].clone(), ids[1].clone());
    let counts = |ada: String, bob: String| {
        store.read("test.count", move |tx| {
            Box::pin(async move { Ok((house::count(tx, &ada).await?, house::count(tx, &bob).await?)) })
        })
    };
    assert_eq!(counts(ada.clone(), bob.clone()).await.unwrap(), (2, 2));
    let gone = ada.clone();
    assert_eq!(write!(store, |tx| house::erase(tx, &gone)).unwrap(), 2);
    assert_eq!(counts(ada, bob).await.unwrap(), (0, 2));
}
