//! People whose names lie close together, and what each kind of system must do with their files.

use std::sync::Arc;

use adapters::{Context, Eraser, Spec, Token, open_eraser};
use model::erasure::TableResult;
use model::plan::{Frozen, Plan};
use model::{Identity, Result, codes};
use serde_json::json;

/// What everybody has: user 7's, and what a careless match would take too.
pub const FILES: &[&str] = &[
    "avatars/7/small.jpg",
    "avatars/7/large/one.jpg",
    "avatars/7/large/two & three+é %41.jpg",
    "avatars/77/small.jpg",
    "avatars/7x.jpg",
    "avatars/8/7/small.jpg",
    "letters/7.txt",
    "letters/7.txt.bak",
    "letters/77.txt",
    "readme.txt",
];

/// What is left of them when user 7 has gone.
pub fn left() -> Vec<String> {
    let theirs = |file: &&&str| !file.starts_with("avatars/7/") && **file != "letters/7.txt";
    FILES.iter().filter(theirs).map(|file| (*file).to_owned()).collect()
}

pub async fn open(spec: &str, secrets: &[(&str, &str)]) -> Result<Arc<dyn Eraser>> {
    let secrets = secrets.iter().map(|(name, secret)| ((*name).to_owned(), Token::new(*secret))).collect();
    let context = Context { secrets, ..Context::new(net::Client::new(net::Policy::operator())) };
    open_eraser(&spec.parse::<Spec>()?, &context).await
}

pub fn places() -> Plan {
    let locations = json!([
        {"name": "avatars", "prefix": "avatars/{user}/"},
        {"name": "letters", "path": "letters/{user}.txt"},
        {"name": "calls", "prefix": "calls/{phone}/"}
    ]);
    Plan { locations: serde_json::from_value(locations).unwrap(), ..Plan::default() }
}

pub fn person(user: &str) -> Vec<Identity> {
    vec![Identity { kind: "user".parse().unwrap(), value: user.to_owned() }]
}

pub fn found(tables: &[TableResult]) -> Vec<u64> {
    tables.iter().map(|table| table.found).collect()
}

/// Looks, erases, reads again: counts at each step as they should be for user 7.
pub async fn forget_user_7(eraser: &dyn Eraser, avatars: u64) {
    eraser.catalog().await.unwrap();
    let survey = eraser.survey(&places(), &person("7")).await.unwrap();
    assert!(survey.blockers.is_empty(), "{:?}", survey.blockers);
    assert_eq!(found(&survey.tables), [avatars, 1, 0]);
    assert!(survey.tables[2].note.as_deref().unwrap().contains("phone"));
    let again = eraser.reread(&places(), &survey.frozen).await.unwrap();
    assert_eq!(again[0].remaining, avatars, "a look changes nothing");
    let erased = eraser.erase(&places(), &survey.frozen).await.unwrap();
    assert_eq!(erased.tables.iter().map(|table| table.erased).collect::<Vec<_>>(), [avatars, 1, 0]);
    let left = eraser.reread(&places(), &erased.frozen).await.unwrap();
    assert!(left.iter().all(|table| table.remaining == 0), "{left:?}");
    let repeated = eraser.erase(&places(), &survey.frozen).await.unwrap();
    assert_eq!(found(&repeated.tables), [0, 0, 0], "asked again, it is gone");
}

/// Values that lead elsewhere block, before anything is removed, whatever is asked first.
pub async fn values_that_lead_elsewhere_block(eraser: &dyn Eraser) {
    for value in ["..", ".", " ", "*", "7/..", "7/../8", "..\\8", "7\0", "8/7"] {
        let survey = eraser.survey(&places(), &person(value)).await.unwrap();
        assert!(!survey.blockers.is_empty(), "{value:?}");
        let frozen = Frozen { identities: person(value), ..Frozen::default() };
        let problem = eraser.erase(&places(), &frozen).await.unwrap_err();
        assert!(problem.is(&codes::erasure::LOCATION_VALUE_UNSAFE), "{value:?}: {problem}");
    }
    // What merely looks like a wildcard or an escape is a name like any other, and nobody's here.
    for value in ["7*", "7%2F..", "%2e%2e", "[7]", "7?x", "7#x", "7;x"] {
        let survey = eraser.survey(&places(), &person(value)).await.unwrap();
        assert_eq!((found(&survey.tables), survey.blockers.len()), (vec![0, 0, 0], 0), "{value:?}");
        assert_eq!(found(&eraser.erase(&places(), &survey.frozen).await.unwrap().tables), [0, 0, 0], "{value:?}");
    }
}
