//! Lists with a filter that may be absent: PostgreSQL must be told the type of what is null.

use model::erasure::ErasureState;
use store::{erasures, landing};

use crate::bed::{Bed, on_every_database, write};

on_every_database!(a_list_may_be_filtered_or_not);

async fn a_list_may_be_filtered_or_not(bed: Bed) {
    let store = bed.open().await;
    for state in [None, Some(ErasureState::Running)] {
        assert!(write!(store, |tx| erasures::list(tx, state, 10)).unwrap().is_empty());
    }
    for account in [None, Some("ada")] {
        assert!(write!(store, |tx| landing::transfers(tx, account, 10)).unwrap().is_empty());
    }
}
