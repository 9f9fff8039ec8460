//! Erasing objects of a bucket.

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt, stream};
use model::Result;
use model::location::Place;

use super::S3;
use super::listing::{Entry, Listing};
use crate::files::{Which, steps, unreadable};
use crate::locations::{Locations, Person, Removed};

/// How many removals are under way at once.
const AT_ONCE: usize = 8;

/// Whose objects are meant.
struct Target {
    prefix: String,
    which: Which,
}

#[async_trait]
impl Locations for S3 {
    async fn reach(&self) -> Result<()> {
        // A listing of one's own prefix shows whether bucket, key and rights are there; what it holds does not matter.
        if self.page(Listing::Versions, &self.prefix, &one()).await?.is_none() {
            self.page(Listing::Objects, &self.prefix, &one()).await?;
        }
        Ok(())
    }

    async fn count(&self, place: &Place, person: &Person<'_>) -> Result<u64> {
        let target = self.target(place, person)?;
        self.each(&target, false).await
    }

    async fn erase(&self, place: &Place, person: &Person<'_>) -> Result<Removed> {
        let target = self.target(place, person)?;
        self.each(&target, true).await.map(Removed::from)
    }
}

fn one() -> [(String, String); 1] {
    [("max-keys".to_owned(), "1".to_owned())]
}

impl S3 {
    fn target(&self, place: &Place, person: &Person<'_>) -> Result<Target> {
        let (steps, which) = steps(place, person)?;
        let end = if which == Which::Below { "/" } else { "" };
        Ok(Target { prefix: format!("{}{}{end}", self.prefix, steps.join("/")), which })
    }

    /// Goes through everything of a target, and removes it if it is to; returns how many there were.
    async fn each(&self, target: &Target, remove: bool) -> Result<u64> {
        let objects = match self.each_of(Listing::Versions, target, remove).await? {
            Some(count) => count,
            None => self.each_of(Listing::Objects, target, remove).await?.unwrap_or_default(),
        };
        let uploads = self.each_of(Listing::Uploads, target, remove).await?.unwrap_or_default();
        Ok(objects + uploads)
    }

    /// The same for one kind of listing; `None` if the server does not know it.
    async fn each_of(&self, listing: Listing, target: &Target, remove: bool) -> Result<Option<u64>> {
        let (mut count, mut after) = (0, Vec::new());
        loop {
            let Some(page) = self.page(listing, &target.prefix, &after).await? else { return Ok(None) };
            // A server that ignores the prefix would have us erase everything.
            if page.entries.iter().any(|entry| !entry.key.starts_with(&target.prefix)) {
                return Err(unreadable("the server lists keys that do not begin as we asked"));
            }
            let found: Vec<Entry> = page.entries.into_iter().filter(|entry| target.has(entry)).collect();
            count += found.len() as u64;
            if remove {
                stream::iter(found)
                    .map(|entry| async move { self.remove(&entry.key, &entry.query()).await })
                    .buffer_unordered(AT_ONCE)
                    .try_collect::<()>()
                    .await?;
            }
            match page.next {
                Some(next) if next == after => return Err(unreadable("the server's listing does not go on")),
                Some(next) => after = next,
                None => return Ok(Some(count)),
            }
        }
    }
}

impl Target {
    fn has(&self, entry: &Entry) -> bool {
        match self.which {
            Which::One => entry.key == self.prefix,
            Which::Below => true,
        }
    }
}
