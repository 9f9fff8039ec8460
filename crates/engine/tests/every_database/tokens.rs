//! Access tokens and passwords: what opens the landing, for whom, and for how long.

use engine::connections::{Role, add_account, authorize_bearer, find_account, issue_token, sign_in};
use engine::{Engine, Settings};
use jiff::SignedDuration;
use model::codes::landing;
use store::Keys;

use crate::contents;
use crate::databases::{self, on_every_database};

async fn engine() -> (tempfile::TempDir, Engine, std::sync::Arc<testkit::ambient::ManualClock>) {
    let folder = tempfile::tempdir().unwrap();
    let (ambient, clock) = testkit::ambient::ambient();
    let store = databases::open(folder.path(), Keys::generate(&ambient), ambient.clone()).await;
    let settings = Settings { public_url: "http://localhost".to_owned(), data: folder.path().to_owned() };
    let engine = Engine::new(store, ambient, net::Client::new(net::Policy::operator()), settings);
    (folder, engine, clock)
}

on_every_database!(
    a_minted_token_opens_its_scope_for_its_account_until_its_time_is_over,
    guesses_made_at_once_are_no_way_around_the_limit_and_who_knows_the_password_waits_for_nobody,
);

async fn a_minted_token_opens_its_scope_for_its_account_until_its_time_is_over() {
    let (folder, engine, clock) = engine().await;

    let scopes = "media:write".parse().unwrap();
    let issued = issue_token(&engine, "ada", &scopes, SignedDuration::from_mins(10)).await.unwrap();
    assert!(issued.account_created, "the account was unknown");
    let grant = authorize_bearer(&engine, &issued.access_token, "media:write").await.unwrap();
    assert_eq!(grant.account, find_account(&engine, "ada").await.unwrap().id);

    let narrow = authorize_bearer(&engine, &issued.access_token, "social-posts:write").await.unwrap_err();
    assert!(narrow.is(&landing::SCOPE_INSUFFICIENT));
    let mut forged = issued.access_token.clone();
    forged.replace_range(0..1, if forged.starts_with('A') { "B" } else { "A" });
    for unknown in ["", "x", &forged, &"A".repeat(100_000)] {
        assert!(authorize_bearer(&engine, unknown, "media:write").await.unwrap_err().is(&landing::TOKEN_INVALID));
    }

    assert!(contents::hold(folder.path(), "media:write").await, "it is looked for where it would be");
    assert!(!contents::hold(folder.path(), &issued.access_token).await, "the store holds digests only");

    clock.advance(SignedDuration::from_mins(10));
    assert!(
        authorize_bearer(&engine, &issued.access_token, "media:write").await.unwrap_err().is(&landing::TOKEN_INVALID)
    );
}

async fn guesses_made_at_once_are_no_way_around_the_limit_and_who_knows_the_password_waits_for_nobody() {
    let (_folder, engine, clock) = engine().await;
    add_account(&engine, "zoe", Role::Person, "correct horse battery").await.unwrap();
    let place = Some("192.0.2.7".parse().unwrap());
    for _ in 0..20 {
        sign_in(&engine, "zoe", "correct horse battery", place).await.unwrap();
    }
    let guesses = (0..30).map(|n| sign_in(&engine, "zoe", if n % 2 == 0 { "guess" } else { "another guess" }, place));
    let refused = futures_util::future::join_all(guesses).await.into_iter().map(|guess| guess.err().unwrap());
    let looked_at = refused.filter(|problem| problem.is(&landing::LOGIN_FAILED)).count();
    assert_eq!(looked_at, 5, "the rest is turned away before any password is looked at");

    let elsewhere = Some("192.0.2.8".parse().unwrap());
    sign_in(&engine, "zoe", "correct horse battery", elsewhere).await.unwrap();
    clock.advance(SignedDuration::from_mins(15));
    sign_in(&engine, "zoe", "correct horse battery", place).await.unwrap();
}
