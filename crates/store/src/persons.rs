//! The identity map: which identities are one person's, as the app knows. Personal data, sealed; looked up by keyed digests.

use jiff::Timestamp;
use model::{Identity, Problem, Result, codes};
use zeroize::Zeroizing;

use crate::erasures::person_digests;
use crate::params;
use crate::tx::Tx;
use crate::value::json;
use crate::vault::columns::PERSON_IDENTITY;

/// A person of an app, by a keyed digest of the app's own name for them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Person(Vec<u8>);

/// Returns the person that an app calls so.
pub fn person(tx: &Tx<'_>, app: &str, name: &str) -> Person {
    let text = Zeroizing::new(format!("{app}\0{name}"));
    Person(tx.vault().digest("identity-map-person", text.as_bytes()).to_vec())
}

/// Says that these identities are this person's, seen now. What was known of the person stays.
pub async fn link(tx: &mut Tx<'_>, app: &str, person: &Person, identities: &[Identity]) -> Result<()> {
    let now = tx.ambient.now();
    for identity in identities {
        for digest in person_digests(tx, app, std::slice::from_ref(identity)) {
            let text = Zeroizing::new(json(identity)?);
            let sealed = tx.vault().seal(&PERSON_IDENTITY, &place(&digest, person), text.as_bytes());
            tx.exec(
                "INSERT INTO person_identity (app, digest, person, identity, seen_at) VALUES ($1, $2, $3, $4, $5) \
                 ON CONFLICT (digest, person) DO UPDATE SET identity = excluded.identity, seen_at = excluded.seen_at",
                params![app, digest, &person.0[..], sealed, now],
            )
            .await?;
        }
    }
    Ok(())
}

/// Returns the persons of an app who have any of these identities, and when each was last seen by them.
pub async fn having(tx: &mut Tx<'_>, app: &str, identities: &[Identity]) -> Result<Vec<(Person, Timestamp)>> {
    let mut persons: Vec<(Person, Timestamp)> = Vec::new();
    for digest in person_digests(tx, app, identities) {
        let sql = "SELECT person, seen_at FROM person_identity WHERE digest = $1";
        for row in tx.query(sql, params![digest]).await? {
            let (person, seen_at): (_, Timestamp) = (Person(row.get("person")?), row.get("seen_at")?);
            match persons.iter_mut().find(|(known, _)| *known == person) {
                Some((_, seen)) => *seen = seen_at.max(*seen),
                None => persons.push((person, seen_at)),
            }
        }
    }
    Ok(persons)
}

/// Returns every identity of a person.
pub async fn identities(tx: &mut Tx<'_>, person: &Person) -> Result<Vec<Identity>> {
    let sql = "SELECT digest, identity FROM person_identity WHERE person = $1 ORDER BY digest";
    let rows = tx.query(sql, params![&person.0[..]]).await?;
    let mut identities = Vec::new();
    for row in rows {
        let (digest, sealed): (Vec<u8>, Vec<u8>) = (row.get("digest")?, row.get("identity")?);
        let text = Zeroizing::new(tx.vault().open(&PERSON_IDENTITY, &place(&digest, person), &sealed)?);
        identities.push(serde_json::from_slice(&text).map_err(|cause| {
            Problem::new(&codes::store::SEALED_VALUE_BROKEN, "person_identity.identity holds something else")
                .caused_by(cause)
        })?);
    }
    Ok(identities)
}

/// Forgets a person; returns how many identities were known.
pub async fn forget(tx: &mut Tx<'_>, person: &Person) -> Result<u64> {
    tx.exec("DELETE FROM person_identity WHERE person = $1", params![&person.0[..]]).await
}

fn place(digest: &[u8], person: &Person) -> String {
    format!("{}/{}", data_encoding::HEXLOWER.encode(digest), data_encoding::HEXLOWER.encode(&person.0))
}
