//! Bulk lists: every id once, whatever breaks off, and the same list twice does nothing twice.

use crate::databases::on_every_database;
use engine::erasure::{self, Import};
use model::IdentityKind;
use model::erasure::{ErasureState, ListView};

use crate::shop::Shop;

const LIST: &str = "user_id\n1001\n1002\n\n1001\n1.02E+16\n4711\nzoe\n";

impl Shop {
    async fn import(&self, list: &str, work: bool) -> ListView {
        let file = self.folder.path().join("list.csv");
        std::fs::write(&file, list).unwrap();
        let kind = IdentityKind::asid();
        erasure::import(&self.engine, Import { app: "shop", kind: &kind, file: &file }, work).await.unwrap()
    }

    async fn import_dry(&self) -> ListView {
        let (file, kind) = (self.folder.path().join("list.csv"), IdentityKind::asid());
        erasure::import_dry(&self.engine, Import { app: "shop", kind: &kind, file: &file }).await.unwrap()
    }
}

/// Lines, valid, malformed, blank, duplicates, already handled, unknown, queued.
fn counts(view: &ListView) -> [u64; 8] {
    let is = &view.counts;
    [is.lines, is.valid, is.malformed, is.blank, is.duplicates, is.already_handled, is.unknown, is.queued]
}

on_every_database!(a_list_is_worked_off_once, an_import_that_broke_off_goes_on_where_it_was,);

async fn a_list_is_worked_off_once() {
    let shop = Shop::open().await;
    let view = shop.import(LIST, true).await;
    assert_eq!(counts(&view), [8, 4, 2, 2, 1, 0, 1, 3], "{view:?}");
    assert_eq!(view.faults.iter().map(|fault| fault.line).collect::<Vec<_>>(), [6, 8]);
    assert!(!serde_json::to_string(&view).unwrap().contains("zoe"), "what a line holds is not repeated");
    assert_eq!(shop.count("shop.db", "users WHERE facebook_id IS NOT NULL"), 1, "Cem stays");
    let mut states: Vec<_> =
        erasure::list(&shop.engine, None).await.unwrap().iter().map(|view| view.state.name()).collect();
    states.sort_unstable();
    assert_eq!(states, ["complete", "no_data", "partly_refused"]);

    assert_eq!(counts(&shop.import_dry().await), [8, 4, 2, 2, 1, 3, 1, 0]);
    assert_eq!(counts(&shop.import(LIST, true).await), [8, 4, 2, 2, 1, 3, 1, 0], "again: nothing is done twice");
    assert_eq!(
        counts(&shop.import("1003\n1001", false).await),
        [2, 2, 0, 0, 0, 1, 0, 1],
        "the next list, still queued"
    );
    assert_eq!(erasure::list(&shop.engine, Some(ErasureState::Received)).await.unwrap().len(), 1);
}

async fn an_import_that_broke_off_goes_on_where_it_was() {
    let shop = Shop::open().await;
    let list: String = (1..=1200).map(|id| format!("{id}\n")).collect();
    let file = shop.folder.path().join("list.csv");
    std::fs::write(&file, &list).unwrap();
    let kind = IdentityKind::asid();
    // Somebody presses Ctrl-C when the first lines are settled.
    let whole = erasure::import(&shop.engine, Import { app: "shop", kind: &kind, file: &file }, false);
    let some_settled = async {
        while erasure::list(&shop.engine, None).await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        () = some_settled => {}
        done = whole => panic!("it ended before it could be broken off: {done:?}"),
    }
    let settled = erasure::list(&shop.engine, None).await.unwrap().len() as u64;
    assert!((1..1200).contains(&settled), "{settled}");
    let view = shop.import(&list, false).await;
    assert_eq!(counts(&view), [1200, 1200, 0, 0, 0, 0, 0, 1200]);
    assert_eq!(counts(&shop.import_dry().await), [1200, 1200, 0, 0, 0, 1200, 0, 0]);
}
