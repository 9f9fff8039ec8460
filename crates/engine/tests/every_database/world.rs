//! Declarations: what the file says is what there is, applied once however often, and never with an empty secret.

use engine::world::{self, Changed};
use engine::{Engine, Settings};
use model::world::{SecretRef, World};
use model::{Problem, Result, codes};
use store::Keys;
use store::world::Change;

use crate::contents;
use crate::databases::{self, on_every_database};

async fn engine(folder: &std::path::Path) -> Engine {
    let (ambient, _) = testkit::ambient::ambient();
    let store = databases::open(folder, Keys::generate(&ambient), ambient.clone()).await;
    let settings = Settings { public_url: "https://moveout.example".to_owned(), data: folder.to_owned() };
    Engine::new(store, ambient, net::Client::new(net::Policy::operator()), settings)
}

fn declaration(apps: &[&str], secret: &str) -> World {
    let app = |name: &&str| serde_json::json!({"name": name, "secrets": [secret], "contact": "privacy@shop.example"});
    let client = serde_json::json!({"id": "meta", "secret": "env:CLIENT", "redirect_uris": ["https://a.example/cb"], "scopes": ["media:write"]});
    let apps: Vec<_> = apps.iter().map(app).collect();
    serde_json::from_value(serde_json::json!({"app": apps, "client": [client]})).unwrap()
}

fn resolve(secret: &SecretRef) -> Result<String> {
    match secret.0.as_str() {
        "env:APP" => Ok("app-secret-in-clear\n".to_owned()),
        "env:NEW" => Ok("another-secret".to_owned()),
        "env:CLIENT" => Ok("client-secret-in-clear".to_owned()),
        "env:EMPTY" => Ok(" \n".to_owned()),
        _ => Err(Problem::new(&codes::config::SECRET_UNREADABLE, "no such variable")),
    }
}

fn changes(changes: &[Changed]) -> Vec<(&str, Change)> {
    changes.iter().map(|changed| (changed.name.as_str(), changed.change)).collect()
}

on_every_database!(
    a_declaration_is_applied_once_however_often,
    an_empty_secret_is_refused_and_nothing_is_applied,
    secrets_do_not_lie_in_the_store_in_clear,
);

async fn a_declaration_is_applied_once_however_often() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path()).await;

    let first = world::apply(&engine, declaration(&["shop", "game"], "env:APP"), &resolve).await.unwrap();
    let created = [("shop", Change::Created), ("game", Change::Created), ("meta", Change::Created)];
    assert_eq!(changes(&first.changes), created);
    assert_eq!(first.urls[0].callback, "https://moveout.example/callbacks/shop/deletion");

    let again = world::apply(&engine, declaration(&["shop", "game"], "env:APP"), &resolve).await.unwrap();
    assert!(again.changes.iter().all(|changed| changed.change == Change::Unchanged), "{:?}", again.changes);

    let rotated = world::apply(&engine, declaration(&["shop"], "env:NEW"), &resolve).await.unwrap();
    let expected = [("shop", Change::Updated), ("meta", Change::Unchanged), ("game", Change::Removed)];
    assert_eq!(changes(&rotated.changes), expected);
    assert_eq!(world::app(&engine, "shop").await.ok().unwrap().secrets[0].as_str(), "another-secret");
    assert!(world::app(&engine, "game").await.err().unwrap().is(&codes::door::APP_UNKNOWN));
}

async fn an_empty_secret_is_refused_and_nothing_is_applied() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path()).await;
    let problem = world::apply(&engine, declaration(&["shop"], "env:EMPTY"), &resolve).await.unwrap_err();
    assert!(problem.is(&codes::door::NO_SECRET), "{problem}");
    assert!(world::apps(&engine).await.unwrap().is_empty());
}

async fn secrets_do_not_lie_in_the_store_in_clear() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path()).await;
    world::apply(&engine, declaration(&["shop"], "env:APP"), &resolve).await.unwrap();
    // The engine stays open meanwhile: its last handle takes the write-ahead log away.
    assert!(contents::hold(folder.path(), "privacy@shop.example").await, "they are looked for where they would be");
    for secret in ["app-secret-in-clear", "client-secret-in-clear"] {
        assert!(!contents::hold(folder.path(), secret).await, "{secret}");
    }
    drop(engine);
}
