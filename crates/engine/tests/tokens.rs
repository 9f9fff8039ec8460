//! Access tokens: what opens the landing, for whom, and for how long.

use engine::connections::{authorize_bearer, find_account, issue_token};
use engine::{Engine, Settings};
use jiff::SignedDuration;
use model::codes::landing;
use store::{Keys, Store};

#[tokio::test]
async fn a_minted_token_opens_its_scope_for_its_account_until_its_time_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let (ambient, clock) = testkit::ambient::ambient();
    let store = Store::open_sqlite(folder.path(), Keys::generate(&ambient), ambient.clone()).await.unwrap();
    let settings = Settings { public_url: "http://localhost".to_owned(), data: folder.path().to_owned() };
    let engine = Engine::new(store.clone(), ambient, net::Client::new(net::Policy::operator()), settings);

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

    let kept = std::fs::read(folder.path().join("moveout.db-wal")).unwrap();
    let token = issued.access_token.as_bytes();
    assert!(!kept.windows(token.len()).any(|window| window == token), "the store holds digests only");

    clock.advance(SignedDuration::from_mins(10));
    assert!(
        authorize_bearer(&engine, &issued.access_token, "media:write").await.unwrap_err().is(&landing::TOKEN_INVALID)
    );
}
