//! Erasing files on a WebDAV server. Empty folders count, because their names may be a person's.

use async_trait::async_trait;
use model::location::Place;
use model::{Problem, Result, codes};
use url::Url;

use super::WebDav;
use crate::files::{Which, answered, away, refused, steps, unreadable};
use crate::locations::{Locations, Person, Removed};

/// How many folders of one person are gone through.
const MAX_FOLDERS: usize = 100_000;

#[async_trait]
impl Locations for WebDav {
    async fn reach(&self) -> Result<()> {
        match self.look(&self.root, false).await? {
            Some(found) if found.iter().any(|entry| entry.is_asked && entry.is_folder) => Ok(()),
            Some(_) => Err(unreadable("the address is no folder")),
            None => Err(unreadable("there is nothing at the address")),
        }
    }

    async fn count(&self, place: &Place, person: &Person<'_>) -> Result<u64> {
        let (steps, which) = steps(place, person)?;
        match which {
            Which::One => self.count_one(&self.url(&steps, false)?).await,
            Which::Below => self.count_below(self.url(&steps, true)?).await,
        }
    }

    async fn erase(&self, place: &Place, person: &Person<'_>) -> Result<Removed> {
        let (steps, which) = steps(place, person)?;
        let (url, counted) = match which {
            Which::One => {
                let url = self.url(&steps, false)?;
                let counted = self.count_one(&url).await?;
                (url, counted)
            }
            Which::Below => {
                let url = self.url(&steps, true)?;
                let counted = self.count_below(url.clone()).await?;
                (url, counted)
            }
        };
        // DELETE of a folder is of all that lies in it (RFC 4918 §9.6.1).
        let removed = counted > 0 && self.delete(&url).await?;
        Ok(Removed::from(if removed { counted } else { 0 }))
    }
}

impl WebDav {
    async fn count_one(&self, url: &Url) -> Result<u64> {
        let Some(found) = self.look(url, false).await? else { return Ok(0) };
        if found.iter().any(|entry| entry.is_folder) {
            return Err(unreadable("a folder lies where one file is declared; declare a prefix"));
        }
        Ok(1)
    }

    /// Goes through a folder and those in it, one listing at a time: servers may refuse to list all at once.
    async fn count_below(&self, folder: Url) -> Result<u64> {
        let (mut counted, mut looked_at, mut waiting) = (0, 0, vec![folder]);
        while let Some(folder) = waiting.pop() {
            looked_at += 1;
            if looked_at > MAX_FOLDERS {
                let detail = format!("the person has more than {MAX_FOLDERS} folders");
                return Err(Problem::new(&codes::erasure::TOO_MANY_ROWS, detail));
            }
            let Some(found) = self.look(&folder, true).await? else { continue };
            let mut is_empty = true;
            for entry in found.into_iter().filter(|entry| !entry.is_asked) {
                is_empty = false;
                if entry.is_folder {
                    waiting.push(entry.url);
                } else {
                    counted += 1;
                }
            }
            counted += u64::from(is_empty);
        }
        Ok(counted)
    }

    /// Deletes what lies at an address; tells whether there was anything.
    async fn delete(&self, url: &Url) -> Result<bool> {
        let response = net::send(self.request("DELETE", url)?).await.map_err(|problem| away(&problem))?;
        match response.status().as_u16() {
            200 | 202 | 204 => Ok(true),
            404 | 410 => Ok(false),
            // Something in the folder stays; which, the next reading tells.
            207 => Err(refused("the server could not delete everything in a folder")),
            status => Err(answered(status, "DELETE")),
        }
    }
}
