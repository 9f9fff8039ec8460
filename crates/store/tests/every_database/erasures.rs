//! Erasure requests: found by id, code and person; frozen; ended once. Declarations: applied once, secrets sealed.

use jiff::Timestamp;
use model::erasure::{ErasureState, SystemState, TableResult};
use model::plan::{Frozen, Plan};
use model::{Identity, codes, world};
use store::erasures::{self, KeptRow, New, Request, SystemRow};
use store::world::{App, Change, Kind, System};
use store::{Store, world as declared};
use zeroize::Zeroizing;

use crate::bed::{Bed, on_every_database, write};

on_every_database!(a_request_is_found_frozen_and_ended_once, a_declaration_comes_back_as_it_was);

fn identity(text: &str) -> Identity {
    text.parse().unwrap()
}

async fn insert(store: &Store, id: &str, at: Timestamp, people: Vec<Identity>) {
    let request = Request {
        id: id.to_owned(),
        app: "shop".to_owned(),
        door: "cli".to_owned(),
        code: format!("code-{id}"),
        state: ErasureState::Received,
        reason: None,
        received_at: at,
        issued_at: None,
        due_at: at,
        finished_at: None,
        frozen: false,
        intent: None,
        receipt: None,
        kept_erased_at: None,
        kept_receipt: None,
        not_before: None,
        prove_by: None,
    };
    let new = std::sync::Arc::new(New { request, identities: people });
    write!(store, |tx| erasures::insert(tx, &new)).unwrap();
}

async fn a_request_is_found_frozen_and_ended_once(bed: Bed) {
    let store = bed.open().await;
    let now = bed.ambient.now();
    let (anna, mail) = (identity("asid:1"), identity("email:a@example.org"));
    insert(&store, "both", now, vec![anna.clone(), mail.clone()]).await;
    insert(&store, "one", now, vec![anna.clone()]).await;

    let person = vec![mail.clone(), anna.clone()];
    let found = write!(store, |tx| erasures::of_person(tx, "shop", &person)).unwrap();
    assert_eq!(found.iter().map(|request| request.id.as_str()).collect::<Vec<_>>(), ["both"]);
    let person = vec![anna];
    assert_eq!(write!(store, |tx| erasures::of_person(tx, "shop", &person)).unwrap().len(), 2);
    write!(store, |tx| erasures::add_code(tx, "another", "one", now)).unwrap();
    assert_eq!(write!(store, |tx| erasures::by_code(tx, "another")).unwrap().unwrap().id, "one");

    let row = SystemRow {
        name: "db".to_owned(),
        position: 0,
        label: "Database".to_owned(),
        state: SystemState::Pending,
        reason: None,
        plan: Some(Plan::default()),
        tables: vec![TableResult { name: "users".to_owned(), found: 1, ..TableResult::default() }],
        kept: Vec::new(),
    };
    let stored = row.clone();
    write!(store, |tx| erasures::put_system(tx, "one", &stored)).unwrap();
    let keys = [("users.id".to_owned(), ["7".to_owned()].into())].into();
    let frozen = Frozen { identities: vec![mail.clone()], keys };
    let frozen_keys = frozen.keys.clone();
    let (closed, per_system) = (vec![mail.clone()], vec![("db".to_owned(), frozen.clone())]);
    write!(store, |tx| erasures::freeze(tx, "one", &closed, &per_system)).unwrap();
    let learned = vec![mail.clone()];
    assert_eq!(write!(store, |tx| erasures::of_person(tx, "shop", &learned)).unwrap().len(), 1, "only who named it");
    assert_eq!(write!(store, |tx| erasures::identities(tx, "one")).unwrap(), [mail]);
    assert_eq!(write!(store, |tx| erasures::system_frozen(tx, "one", "db")).unwrap(), Some(frozen));
    let systems = write!(store, |tx| erasures::systems(tx, "one")).unwrap();
    assert_eq!((&systems[0].tables, &systems[0].plan), (&row.tables, &row.plan));

    write!(store, |tx| erasures::set_state(tx, "one", ErasureState::Complete, None)).unwrap();
    let twice = write!(store, |tx| erasures::set_state(tx, "one", ErasureState::Running, None)).unwrap_err();
    assert!(twice.is(&codes::erasure::STATE_CONFLICT), "{twice}");
    let complete = write!(store, |tx| erasures::list(tx, Some(ErasureState::Complete), 10)).unwrap();
    assert_eq!(complete.iter().map(|request| request.finished_at).collect::<Vec<_>>(), [Some(now)]);
    assert_eq!(write!(store, |tx| erasures::list(tx, None, 10)).unwrap().len(), 2);

    let left = KeptRow {
        erasure: "one".to_owned(),
        system: "db".to_owned(),
        keys: frozen_keys,
        next_at: Some(now - jiff::SignedDuration::from_secs(1)),
        intent: None,
    };
    let (stored, other_spelling) = (left.clone(), vec![identity("email:A@Example.org")]);
    write!(store, |tx| erasures::put_kept(tx, &stored)).unwrap();
    assert_eq!(write!(store, |tx| erasures::keeping(tx, "shop", &other_spelling)).unwrap(), ["one"]);
    assert_eq!(write!(store, |tx| erasures::kept_due(tx, now, 10)).unwrap(), ["one"]);
    assert!(write!(store, |tx| erasures::kept(tx, "one")).unwrap()[0].keys == left.keys);
    let nothing = KeptRow { keys: [].into(), ..left };
    write!(store, |tx| erasures::put_kept(tx, &nothing)).unwrap();
    assert!(write!(store, |tx| erasures::kept_due(tx, now, 10)).unwrap().is_empty());
}

async fn a_declaration_comes_back_as_it_was(bed: Bed) {
    let store = bed.open().await;
    let parsed: world::World = serde_json::from_str(
        r#"{"app": [{"name": "shop", "secrets": ["env:S"]}],
            "system": [{"name": "db", "adapter": "sqlite", "url": "env:U", "table": [{"name": "users", "identity": {"fb": "asid"}}]}],
            "client": [{"id": "meta", "redirect_uris": ["https://a.example/"], "scopes": ["media:write"]}]}"#,
    )
    .unwrap();
    let app = App::new(parsed.apps[0].clone(), vec![Zeroizing::new("secret".to_owned())]);
    let system = System::new(
        parsed.systems[0].clone(),
        Zeroizing::new("sqlite:/shop.db".to_owned()),
        store::world::Secrets::new(),
    );
    for expected in [Change::Created, Change::Unchanged] {
        let (app, system, client) = (app.clone(), system.clone(), parsed.clients[0].clone());
        assert_eq!(write!(store, |tx| declared::put_app(tx, &app)).unwrap(), expected);
        assert_eq!(write!(store, |tx| declared::put_system(tx, 0, &system)).unwrap(), expected);
        assert_eq!(write!(store, |tx| declared::put_client(tx, &client, Some("s"))).unwrap(), expected);
    }
    assert!(write!(store, |tx| declared::apps(tx)).unwrap() == [app]);
    assert!(write!(store, |tx| declared::systems(tx)).unwrap() == [system]);
    assert_eq!(write!(store, |tx| declared::remove_others(tx, Kind::Client, &[])).unwrap(), ["meta"]);
}
