use std::sync::Mutex;

use serde_json::json;

use super::*;

/// Remembers what it holds as texts.
#[derive(Default)]
struct Shelf(Mutex<BTreeSet<String>>);

impl Shelf {
    fn key(place: &Place, person: &Person<'_>) -> String {
        place.templates().iter().map(|(_, template)| person.fill(template)).collect::<Vec<_>>().join("|")
    }
}

#[async_trait]
impl Locations for Shelf {
    async fn reach(&self) -> Result<()> {
        Ok(())
    }

    async fn count(&self, place: &Place, person: &Person<'_>) -> Result<u64> {
        Ok(u64::from(self.0.lock().unwrap().contains(&Self::key(place, person))))
    }

    async fn erase(&self, place: &Place, person: &Person<'_>) -> Result<Removed> {
        Ok(u64::from(self.0.lock().unwrap().remove(&Self::key(place, person))).into())
    }
}

fn plan(locations: serde_json::Value) -> Plan {
    Plan { locations: serde_json::from_value(locations).unwrap(), ..Plan::default() }
}

fn identities(all: &[&str]) -> Vec<Identity> {
    all.iter().map(|one| one.parse().unwrap()).collect()
}

#[tokio::test]
async fn every_identity_of_the_person_leads_somewhere_and_what_leads_nowhere_is_said() {
    let things = ["s:1", "s:2", "s:3", "h|a@example.org"].map(str::to_owned);
    let shelf = ByLocation(Shelf(Mutex::new(things.into_iter().collect())));
    let plan = plan(json!([
        {"name": "sessions", "key": "s:{user}"},
        {"name": "letters", "key": "h", "field": "{email}"},
        {"name": "pages", "key": "p:{phone}"}
    ]));
    let survey =
        shelf.survey(&plan, &identities(&["user:1", "user:2", "email:a@example.org", "asid:9"])).await.unwrap();
    let found: Vec<_> = survey.tables.iter().map(|table| (table.found, table.note.is_some())).collect();
    assert_eq!(found, [(2, false), (1, false), (0, true)]);
    assert_eq!(survey.frozen.identities.len(), 3, "only what the places ask for is kept");

    let erased = shelf.erase(&plan, &survey.frozen).await.unwrap();
    assert_eq!(erased.tables.iter().map(|table| table.erased).collect::<Vec<_>>(), [2, 1, 0]);
    assert!(erased.tables[2].note.as_deref().unwrap().contains("no phone is known"));
    assert_eq!(shelf.erase(&plan, &survey.frozen).await.unwrap().tables[0].erased, 0, "asked again, it is gone");
    assert!(shelf.reread(&plan, &erased.frozen).await.unwrap().iter().all(|table| table.remaining == 0));
    assert_eq!(*shelf.0.0.lock().unwrap(), BTreeSet::from(["s:3".to_owned()]), "somebody else's");
}

#[tokio::test]
async fn a_value_that_would_reach_further_blocks_and_is_not_repeated() {
    let places = [
        json!({"key": "s:{user}"}),
        json!({"pattern": "s:{user}:*"}),
        json!({"prefix": "a/{user}/"}),
        json!({"path": "a/{user}"}),
    ];
    let table = [
        (" ", [true; 4]),
        ("*", [true; 4]),
        ("..", [true; 4]),
        ("?*", [true; 4]),
        ("a*", [false, true, false, false]),
        ("[1]", [false, true, false, false]),
        ("^x", [false, true, false, false]),
        ("a\\b", [false, true, true, true]),
        ("a/b", [false, false, true, true]),
        ("../1", [false, false, true, true]),
        ("a.b", [false; 4]),
    ];
    for (value, blocked) in table {
        for (place, blocked) in places.iter().zip(blocked) {
            let mut place = place.clone();
            place["name"] = json!("here");
            let plan = plan(json!([place]));
            let shelf = ByLocation(Shelf::default());
            let person = Identity { kind: "user".parse().unwrap(), value: value.to_owned() };
            let survey = shelf.survey(&plan, std::slice::from_ref(&person)).await.unwrap();
            assert_eq!(!survey.blockers.is_empty(), blocked, "{value:?} at {place}");
            let frozen = Frozen { identities: vec![person], ..Frozen::default() };
            let erased = shelf.erase(&plan, &frozen).await;
            if let Err(problem) = &erased {
                assert!(problem.is(&codes::erasure::LOCATION_VALUE_UNSAFE), "{problem}");
                assert!(value.len() < 3 || !problem.detail.contains(value), "{problem}");
            }
            assert_eq!(erased.is_err(), blocked, "{value:?} at {place}");
        }
    }
}

#[tokio::test]
async fn identities_that_may_be_two_peoples_are_not_combined() {
    let shelf = ByLocation(Shelf::default());
    let plan = plan(json!([{"name": "here", "key": "{shop}:{user}:x"}]));
    let one_shop = shelf.survey(&plan, &identities(&["shop:a", "user:1", "user:2"])).await.unwrap();
    assert!(one_shop.blockers.is_empty());
    let two = shelf.survey(&plan, &identities(&["shop:a", "shop:b", "user:1", "user:2"])).await.unwrap();
    assert_eq!(two.blockers[0].code, codes::erasure::AMBIGUOUS.to_string());
}
