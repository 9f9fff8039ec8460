//! Removing what nothing refers to: doomed names at once, and what an interrupted process left after a day.

use std::time::SystemTime;

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::SignedDuration;
use model::Result;

use super::{Blobs, Home};
use crate::{Store, Tx, params};

/// What no row names is left alone for so long: its operation may still be under way.
const ORPHANED_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// How many doomed names are taken at once.
const BATCH: usize = 100;
/// How many removals are under way at once.
const AT_ONCE: usize = 8;

impl Blobs {
    /// Removes what lies under a name, if it is there: for what must be gone before the rows that lead to it are.
    ///
    /// # Errors
    /// `MO-5011` or `MO-5021` if it cannot be removed.
    pub async fn remove(&self, id: &str) -> Result<()> {
        self.home.remove(id).await
    }

    /// Removes what lies under the names of blobs whose last use was taken back; returns how many there were.
    ///
    /// # Errors
    /// `MO-5011` or `MO-5021` if something cannot be removed, and problems of the store. What is left stays doomed.
    pub async fn remove_doomed(&self, store: &Store) -> Result<u64> {
        let mut removed = 0;
        loop {
            let doomed = store.read("blobs.doomed", |tx| Box::pin(async move { doomed(tx).await })).await?;
            if doomed.is_empty() {
                return Ok(removed);
            }
            stream::iter(doomed.clone())
                .map(|id| async move { self.home.remove(&id).await })
                .buffer_unordered(AT_ONCE)
                .try_collect::<()>()
                .await?;
            removed += doomed.len() as u64;
            store.write("blobs.removed", move |tx| Box::pin(async move { undoom(tx, &doomed).await })).await?;
        }
    }

    /// Removes what no row names and what never arrived whole, if it is older than a day; returns how many files or objects.
    ///
    /// # Errors
    /// `MO-5011` or `MO-5021` if folder or bucket cannot be read, `MO-5022` if the bucket belongs to another store, and problems
    /// of the store.
    pub async fn sweep(&self, store: &Store) -> Result<u64> {
        // What another store's rows name would look like orphans to us.
        store.claim_blobs().await?;
        let then = self.ambient.now().saturating_sub(ORPHANED_AFTER).map(SystemTime::from);
        let then = then.unwrap_or(SystemTime::UNIX_EPOCH);
        let (mut removed, mut groups) = match &self.home {
            Home::Folder(folder) => (folder.remove_unfinished(then).await?, folder.older_than(then)),
            Home::Bucket(bucket) => (bucket.abort_unfinished(then).await?, bucket.older_than(then)),
        };
        while let Some(old) = groups.try_next().await? {
            let ids = old.clone();
            let kept = store.read("blobs.sweep", move |tx| Box::pin(async move { named(tx, &ids).await })).await?;
            for id in old.iter().filter(|id| !kept.contains(id)) {
                self.home.remove(id).await?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

async fn doomed(tx: &mut Tx<'_>) -> Result<Vec<String>> {
    let rows = tx.query("SELECT id FROM blob_doomed ORDER BY id LIMIT $1", params![BATCH]).await?;
    rows.iter().map(|row| row.get("id")).collect()
}

async fn undoom(tx: &mut Tx<'_>, ids: &[String]) -> Result<()> {
    for id in ids {
        tx.exec("DELETE FROM blob_doomed WHERE id = $1", params![id]).await?;
    }
    Ok(())
}

/// Tells which of these ids are blobs whose bytes do not lie in the row.
async fn named(tx: &mut Tx<'_>, ids: &[String]) -> Result<Vec<String>> {
    let mut known = Vec::new();
    for id in ids {
        if tx.query_opt("SELECT id FROM blob WHERE id = $1 AND bytes IS NULL", params![id]).await?.is_some() {
            known.push(id.clone());
        }
    }
    Ok(known)
}
