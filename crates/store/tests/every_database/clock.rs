//! Time is the database's: it decides what is due, however ours is set.

use std::collections::HashMap;
use std::time::Duration;

use jiff::SignedDuration;
use store::jobs::{self, Claim, Places};

use crate::bed::{Bed, write};

#[tokio::test]
async fn a_clock_of_ours_that_is_set_forward_makes_nothing_due() {
    let mut bed = Bed::postgres().await;
    bed.postgres.as_mut().unwrap().clock_every = Duration::ZERO;
    let store = bed.open().await;
    let hour = SignedDuration::from_hours(1);
    let later = bed.ambient.now() + hour;
    write!(store, |tx| jobs::enqueue(tx, "inbox", "all", Some(later))).unwrap();

    bed.clock.advance(hour * 2);
    let claim =
        Claim { owner: "me".to_owned(), kinds: vec!["inbox"], limit: 1, busy: HashMap::new(), most: |_| Places::ANY };
    assert!(write!(store, |tx| jobs::claim(tx, &claim)).unwrap().is_empty());
}
