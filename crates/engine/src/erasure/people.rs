//! The identity map: which identities are one person's, as the app tells us when somebody signs up or connects an account.
//! It joins what no database of the app's holds side by side, and is forgotten when the person is erased.

use std::collections::BTreeSet;

use model::{Identity, Problem, Result, codes};
use serde::{Deserialize, Serialize};
use store::oauth::{self, RevokedBy};
use store::{Tx, accounts, persons};

use crate::{Engine, world};

/// The kind of identity that names an account of the landing: what a withdrawal of access revokes.
pub const ACCOUNT: &str = "account";
/// How many identities one person may have.
const MOST_IDENTITIES: usize = 100;
/// How many people are linked at once.
pub const MOST_PEOPLE: usize = 1000;

/// A person and identities of theirs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// What the app calls the person: any text that stays the same and means nobody else.
    pub person: String,
    /// Their identities.
    pub identities: Vec<Identity>,
}

/// Says which identities are whose. What was said before stays; saying it again does no harm.
///
/// # Errors
/// `MO-1006` for an unknown app, `MO-2014` for a person without a name, without or with too many identities, or too many people.
pub async fn link(engine: &Engine, app: &str, links: Vec<Link>) -> Result<u64> {
    let app = world::app(engine, app).await?.declared.name;
    let malformed = |detail: String| Problem::new(&codes::erasure::IDENTITY_MALFORMED, detail);
    if links.len() > MOST_PEOPLE {
        return Err(malformed(format!("at most {MOST_PEOPLE} people at once")));
    }
    for (place, link) in links.iter().enumerate() {
        let named = !link.person.is_empty() && link.person.len() <= model::identity::MAX_VALUE;
        if !named || link.identities.is_empty() || link.identities.len() > MOST_IDENTITIES {
            let detail = format!("person {place}: a name and 1 to {MOST_IDENTITIES} identities are needed");
            return Err(malformed(detail));
        }
    }
    engine
        .store
        .write("people.link", move |tx| {
            Box::pin(async move {
                let mut linked = 0;
                for link in &links {
                    let person = persons::person(tx, &app, &link.person);
                    persons::link(tx, &app, &person, &link.identities).await?;
                    linked += link.identities.len() as u64;
                }
                Ok(linked)
            })
        })
        .await
}

/// Forgets what was said of a person; returns how many identities were known.
///
/// # Errors
/// `MO-1006` for an unknown app.
pub async fn unlink(engine: &Engine, app: &str, person: &str) -> Result<u64> {
    let (app, name) = (world::app(engine, app).await?.declared.name, person.to_owned());
    engine
        .store
        .write("people.unlink", move |tx| {
            Box::pin(async move {
                let person = persons::person(tx, &app, &name);
                persons::forget(tx, &person).await
            })
        })
        .await
}

/// Adds what the map knows of the person to what is known of them.
///
/// # Errors
/// `MO-2005` if the identities are those of several people.
pub(super) async fn widen(engine: &Engine, app: &str, known: &mut BTreeSet<Identity>) -> Result<()> {
    let (app, asked) = (app.to_owned(), known.iter().cloned().collect::<Vec<_>>());
    let found = engine
        .store
        .read("people.widen", move |tx| {
            Box::pin(async move {
                match persons::having(tx, &app, &asked).await?.as_slice() {
                    [] => Ok(Vec::new()),
                    [(person, _)] => persons::identities(tx, person).await,
                    several => Err(Problem::new(
                        &codes::erasure::AMBIGUOUS,
                        format!("the identity map knows {} people by them", several.len()),
                    )),
                }
            })
        })
        .await?;
    known.extend(found);
    Ok(())
}

/// Forgets the person of an ended request.
pub(super) async fn forget(tx: &mut Tx<'_>, app: &str, identities: &[Identity]) -> Result<()> {
    for (person, _) in persons::having(tx, app, identities).await? {
        persons::forget(tx, &person).await?;
    }
    Ok(())
}

/// Takes back everything that accounts of the landing granted which the map links to these identities; returns how many
/// grants there were. Identities of several people revoke nothing.
pub(super) async fn revoke(tx: &mut Tx<'_>, app: &str, identities: &[Identity]) -> Result<u64> {
    let persons = persons::having(tx, app, identities).await?;
    let [(person, _)] = persons.as_slice() else { return Ok(0) };
    let mut revoked = 0;
    for identity in persons::identities(tx, person).await? {
        if identity.kind.as_str() != ACCOUNT {
            continue;
        }
        let Some(account) = accounts::find(tx, &identity.value).await? else { continue };
        for connection in oauth::connections(tx, &account.id).await? {
            oauth::revoke_grant(tx, &connection.id, RevokedBy::Person).await?;
            revoked += 1;
        }
    }
    Ok(revoked)
}
