//! Whoever may, can hold a request up: the person while it cools off, an operator at any step, everybody's with one command.

use crate::databases::on_every_database;
use engine::erasure::{self, Step};
use engine::jobs;
use jiff::SignedDuration;
use model::codes;
use model::erasure::{ErasureState, RequestView};

use crate::requests::claim;
use crate::shop::Shop;

fn reason(view: &RequestView) -> String {
    view.reason.as_ref().map(|reason| reason.code.clone()).unwrap_or_default()
}

on_every_database!(
    an_emergency_stop_holds_everything_before_its_next_destructive_step,
    a_paused_request_goes_no_further_until_it_is_resumed,
    while_a_request_cools_off_the_person_can_take_it_back,
);

async fn an_emergency_stop_holds_everything_before_its_next_destructive_step() {
    let mut shop = Shop::open().await;
    let begun = erasure::request(&shop.engine, "shop", vec!["asid:1001".parse().unwrap()], "cli").await.unwrap().id;
    let job = claim(&shop).await;
    for _ in 0..2 {
        assert_eq!(erasure::step(&shop.engine, &job).await.unwrap(), Step::More, "resolved, and intended");
    }
    // Another process says stop.
    let stop = erasure::stop(&shop.engine, "wrong map").await.unwrap();
    assert_eq!(erasure::stop(&shop.engine, "again").await.unwrap(), stop);
    assert_eq!(erasure::step(&shop.engine, &job).await.unwrap(), Step::Rest);
    let view = shop.ask("asid:1002").await;
    for view in [view, erasure::show(&shop.engine, &begun).await.unwrap()] {
        assert_eq!((view.state, reason(&view)), (ErasureState::Waiting, codes::erasure::STOPPED.to_string()));
    }
    assert_eq!(shop.rows(), [3, 3, 3, 1]);
    shop.restart().await;
    shop.wait(SignedDuration::from_hours(1));
    jobs::drain(&shop.engine).await.unwrap();
    assert_eq!(shop.rows(), [3, 3, 3, 1], "a restart does not start anything");

    assert_eq!(erasure::start(&shop.engine).await.unwrap(), 2);
    assert_eq!(shop.drained(&begun).await.state, ErasureState::PartlyRefused);
    assert_eq!(shop.rows(), [2, 0, 0, 1]);

    erasure::stop(&shop.engine, "").await.unwrap();
    shop.wait(SignedDuration::from_hours(24 * 365 * 9));
    jobs::drain(&shop.engine).await.unwrap();
    assert_eq!(shop.rows(), [2, 0, 0, 1], "what is due stays too");
    erasure::start(&shop.engine).await.unwrap();
    shop.wait(SignedDuration::from_hours(1));
    assert_eq!(shop.drained(&begun).await.state, ErasureState::Complete);
    assert_eq!(shop.rows(), [1, 0, 0, 0]);
}

async fn a_paused_request_goes_no_further_until_it_is_resumed() {
    let mut shop = Shop::open().await;
    let id = erasure::request(&shop.engine, "shop", vec!["asid:1002".parse().unwrap()], "cli").await.unwrap().id;
    let job = claim(&shop).await;
    assert_eq!(erasure::step(&shop.engine, &job).await.unwrap(), Step::More);
    let view = erasure::pause(&shop.engine, &id).await.unwrap();
    assert_eq!((view.state, reason(&view)), (ErasureState::Paused, codes::erasure::PAUSED.to_string()));
    assert_eq!(erasure::step(&shop.engine, &job).await.unwrap(), Step::Rest);
    assert!(erasure::pause(&shop.engine, &id).await.unwrap_err().is(&codes::erasure::STATE_CONFLICT));
    shop.restart().await;
    shop.wait(SignedDuration::from_hours(1));
    assert_eq!(shop.drained(&id).await.state, ErasureState::Paused);
    assert_eq!(shop.rows(), [3, 3, 3, 1]);

    erasure::resume(&shop.engine, &id).await.unwrap();
    assert_eq!(shop.drained(&id).await.state, ErasureState::Complete);
    assert_eq!(shop.rows(), [2, 2, 1, 1]);
}

async fn while_a_request_cools_off_the_person_can_take_it_back() {
    let shop = Shop::open().await;
    shop.declare(&shop.declaration(&[]), |world| world.apps[0].cool_off = Some("3d".to_owned())).await;
    let taken_back = shop.callback("1001").await.confirmation_code;
    let kept = shop.callback("1002").await.confirmation_code;
    let view = erasure::show(&shop.engine, &kept).await.unwrap();
    assert_eq!((view.state, reason(&view)), (ErasureState::Waiting, codes::erasure::COOLING_OFF.to_string()));
    let page = erasure::public_view(&shop.engine, &kept).await.unwrap();
    assert_eq!(page.cancel_until, Some("2026-11-25T12:00:00Z".parse().unwrap()));

    // A pause does not cut it short.
    erasure::pause(&shop.engine, &kept).await.unwrap();
    erasure::resume(&shop.engine, &kept).await.unwrap();
    shop.wait(SignedDuration::from_hours(71));
    jobs::drain(&shop.engine).await.unwrap();
    assert_eq!(shop.rows(), [3, 3, 3, 1]);
    erasure::cancel_by_person(&shop.engine, &taken_back).await.unwrap();
    for (code, why) in [(&taken_back, &codes::erasure::STATE_CONFLICT), (&view.id, &codes::door::CODE_UNKNOWN)] {
        assert!(erasure::cancel_by_person(&shop.engine, code).await.unwrap_err().is(why));
    }

    shop.wait(SignedDuration::from_hours(1));
    assert_eq!(shop.drained(&kept).await.state, ErasureState::Complete);
    let view = shop.drained(&taken_back).await;
    assert_eq!((view.state, reason(&view)), (ErasureState::Cancelled, codes::erasure::CANCELLED_BY_PERSON.to_string()));
    assert_eq!(shop.rows(), [2, 2, 1, 1], "Anna stays");
    let late = erasure::cancel_by_person(&shop.engine, &kept).await.unwrap_err();
    assert!(late.is(&codes::erasure::STATE_CONFLICT), "{late}");
}
