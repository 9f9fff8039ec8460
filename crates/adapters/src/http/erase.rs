//! Erasing by somebody's API.

use async_trait::async_trait;
use model::call::{Call, Check, Method, Remote};
use model::erasure::Evidence;
use model::location::Place;
use model::{Problem, Result, codes};

use super::answer::{self, Answer};
use super::{Http, request};
use crate::locations::{Locations, Person, Removed};

#[async_trait]
impl Locations for Http {
    /// An API has no address that is safe to ask for nobody: the first look at a person tells whether it answers.
    async fn reach(&self) -> Result<()> {
        Ok(())
    }

    async fn count(&self, place: &Place, person: &Person<'_>) -> Result<u64> {
        match &remote(place)?.check {
            Check::Reread(call) => self.ask(call, Method::Get, person).await?.count(call),
            Check::Attested(_) => Err(Problem::new(&codes::erasure::LOCATION_UNREADABLE, "it is attested, not read")),
        }
    }

    async fn erase(&self, place: &Place, person: &Person<'_>) -> Result<Removed> {
        let remote = remote(place)?;
        let answer = self.ask(&remote.erase, Method::Delete, person).await?;
        let evidence = match &remote.check {
            Check::Reread(_) => None,
            Check::Attested(why) => Some(Evidence {
                at: None,
                words: match answer.nothing {
                    false => format!("it answered {} to the request to erase; {why}", answer.status),
                    true => format!("it answered {}: nothing was there; {why}", answer.status),
                },
                status: Some(answer.status),
                digest: Some(answer.digest()),
            }),
        };
        Ok(Removed { count: u64::from(!answer.nothing), evidence })
    }
}

impl Http {
    async fn ask(&self, call: &Call, otherwise: Method, person: &Person<'_>) -> Result<Answer> {
        let response = net::send(request::build(self, call, otherwise, person)?).await?;
        answer::read(call, response).await
    }
}

fn remote(place: &Place) -> Result<&Remote> {
    match place {
        Place::Call(remote) => Ok(remote),
        _ => Err(Problem::new(&codes::erasure::LOCATION_UNREADABLE, "an API is asked by calls")),
    }
}
