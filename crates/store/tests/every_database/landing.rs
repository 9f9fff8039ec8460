//! Landed items: one row for each, whatever a sender repeats, and readers miss none.

use model::item::Fields;
use model::{DataType, Item};
use store::Store;
use store::landing::{self, Album, Arrival, Change, Landed, Recorded, Sending};

use crate::bed::{Bed, on_every_database};

fn item(data_type: DataType, name: &str) -> Item {
    Item {
        data_type,
        id: name.to_owned(),
        containers: vec![],
        created: None,
        modified: None,
        zone: None,
        visibility: None,
        content: None,
        fields: Fields::Opaque { name: name.to_owned() },
        original: None,
    }
}

fn arrival(name: &str, version: u8) -> Arrival {
    let sending = Sending { account: "ada".to_owned(), service: "OLD".to_owned(), job: "j1".to_owned() };
    let mut identity = [0; 32];
    identity[..name.len()].copy_from_slice(name.as_bytes());
    let item = item(DataType::Photos, &format!("{name} {version}"));
    Arrival { sending, identity, version: [version; 32], item, album: None, body: None }
}

async fn record(store: &Store, arrival: Arrival) -> Recorded {
    let record = store.write("test.record", move |tx| Box::pin(async move { landing::record(tx, &arrival).await }));
    record.await.unwrap()
}

async fn items(store: &Store, after: u64) -> Vec<Landed> {
    store
        .read("test.items", move |tx| Box::pin(async move { landing::items(tx, "ada", after, 100).await }))
        .await
        .unwrap()
}

on_every_database!(
    two_workers_that_send_the_same_at_once_make_one_object,
    an_update_keeps_the_id_and_is_seen_by_who_read_before,
    an_album_that_comes_after_its_photos_takes_the_place_that_was_held_for_it,
    an_update_with_the_same_bytes_keeps_them_and_one_with_others_lets_them_go,
);

async fn two_workers_that_send_the_same_at_once_make_one_object(bed: Bed) {
    let store = bed.open().await;
    let sent = (0..40).map(|n| record(&store, arrival(&format!("photo {}", n % 4), 1)));
    let outcomes = futures_util::future::join_all(sent).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.change == Change::New).count(), 4);
    assert_eq!(items(&store, 0).await.len(), 4);
    let received = store
        .read("test.transfers", |tx| Box::pin(async move { landing::transfers(tx, Some("ada"), 10).await }))
        .await
        .unwrap();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].tallies, [(DataType::Photos, 4, 0)]);
}

async fn an_update_keeps_the_id_and_is_seen_by_who_read_before(bed: Bed) {
    let store = bed.open().await;
    let Recorded { id, .. } = record(&store, arrival("a", 1)).await;
    record(&store, arrival("b", 1)).await;
    let read = items(&store, 0).await.last().unwrap().seq;
    assert!(items(&store, read).await.is_empty());

    let repeat = record(&store, arrival("a", 1)).await;
    assert_eq!((repeat.id.as_str(), repeat.change), (id.as_str(), Change::Repeat));
    assert!(items(&store, read).await.is_empty());
    let update = record(&store, arrival("a", 2)).await;
    assert_eq!((update.id.as_str(), update.change), (id.as_str(), Change::Updated));
    let seen = items(&store, read).await;
    assert_eq!((seen.len(), seen[0].id.as_str(), seen[0].item.label()), (1, id.as_str(), "a 2"));
}

async fn an_album_that_comes_after_its_photos_takes_the_place_that_was_held_for_it(bed: Bed) {
    let store = bed.open().await;
    let mut album = arrival("album", 1);
    album.item = item(DataType::Albums, "Norway");
    let held = Album { identity: album.identity, placeholder: item(DataType::Albums, "?") };
    for name in ["x", "y"] {
        record(&store, Arrival { album: Some(held.clone()), ..arrival(name, 1) }).await;
    }
    let before = items(&store, 0).await;
    assert_eq!(before.iter().filter(|item| item.placeholder).count(), 1);

    let Recorded { id, change, .. } = record(&store, album).await;
    assert_eq!(change, Change::Updated);
    let after = items(&store, 0).await;
    assert_eq!(after.len(), 3);
    assert!(after.iter().all(|item| !item.placeholder));
    assert_eq!(after.iter().filter(|item| item.container.as_ref() == Some(&id)).count(), 2);
    assert_eq!(after.iter().find(|item| item.id == id).unwrap().item.label(), "Norway");
}

async fn an_update_with_the_same_bytes_keeps_them_and_one_with_others_lets_them_go(bed: Bed) {
    let store = bed.open().await;
    let with = async |version, bytes: &[u8]| {
        let mut receiving = store.blobs().receive();
        receiving.write(bytes).await.unwrap();
        let body = Some(receiving.finish().await.unwrap());
        record(&store, Arrival { body, ..arrival("a", version) }).await.blob.unwrap()
    };
    let exists = async |id: String| {
        let find = store.read("test.blob", move |tx| Box::pin(async move { store::blobs::find(tx, &id).await }));
        find.await.unwrap().is_some()
    };
    let first = with(1, b"one").await;
    assert_eq!(with(1, b"one").await, first);
    assert_eq!(with(2, b"one").await, first);
    assert!(exists(first.clone()).await);
    let second = with(3, b"two").await;
    assert!(exists(second).await && !exists(first).await);
}
