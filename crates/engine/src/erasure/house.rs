//! moveout itself as a system: what was landed for a person's account, its tokens and grants, its files, the account.
//!
//! Which identity names an account is declared (`account = "{email}"`) and never guessed: an account's name is what its owner
//! chose, and a coincidence must not erase somebody else's things.

use adapters::locations::{Locations, Person, Removed};
use async_trait::async_trait;
use model::location::Place;
use model::{Problem, Result, codes};
use store::accounts::{self, Account, Role};
use store::house;

use crate::Engine;

/// Our own store.
pub(super) struct House(pub(super) Engine);

#[async_trait]
impl Locations for House {
    async fn reach(&self) -> Result<()> {
        Ok(())
    }

    async fn count(&self, place: &Place, person: &Person<'_>) -> Result<u64> {
        let Some(account) = self.account(place, person).await? else { return Ok(0) };
        self.0
            .store
            .read("house.count", move |tx| {
                let account = account.clone();
                Box::pin(async move { house::count(tx, &account.id).await })
            })
            .await
    }

    async fn erase(&self, place: &Place, person: &Person<'_>) -> Result<Removed> {
        let Some(account) = self.account(place, person).await? else { return Ok(Removed::default()) };
        // Files first: rows that are still there lead to them when this is cut off.
        let id = account.id.clone();
        let files = self
            .0
            .store
            .read("house.files", move |tx| {
                let id = id.clone();
                Box::pin(async move { house::files(tx, &id).await })
            })
            .await?;
        for file in &files {
            self.0.store.blobs().remove(file).await?;
        }
        let erase = self.0.store.write("house.erase", move |tx| {
            let id = account.id.clone();
            Box::pin(async move { house::erase(tx, &id).await })
        });
        Ok(erase.await?.into())
    }
}

impl House {
    /// Finds the person's account.
    ///
    /// # Errors
    /// `MO-2062` for an operator's: without it, nobody might see the console.
    async fn account(&self, place: &Place, person: &Person<'_>) -> Result<Option<Account>> {
        let Place::Account(name) = place else {
            return Err(Problem::new(&codes::erasure::LOCATION_UNREADABLE, "moveout itself has accounts"));
        };
        let name = person.fill(name);
        let found = self
            .0
            .store
            .read("house.account", move |tx| {
                let name = name.clone();
                Box::pin(async move { accounts::find(tx, &name).await })
            })
            .await?;
        match found {
            Some(account) if account.role == Role::Operator => {
                let detail = "the account is an operator's; take it out by hand first, or make it a person's";
                Err(Problem::new(&codes::erasure::LOCATION_REFUSED, detail))
            }
            found => Ok(found),
        }
    }
}
