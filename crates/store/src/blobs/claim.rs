//! Whose folder or bucket it is: a mark in it and in the store that must be the same.
//!
//! A bucket that two stores use would lose the one's objects to the other's sweep; processes on several machines that each keep
//! a folder of their own would not find each other's files. Both are noticed by the mark.

use data_encoding::HEXLOWER;
use model::{Problem, Result, codes};

use super::{Blobs, Home};
use crate::{Store, Tx, params, settings};

const FOLDER: &str = "blobs.folder";
const BUCKET: &str = "blobs.bucket";

impl Store {
    /// Makes sure that folder or bucket belong to this store, and marks them when they are new.
    ///
    /// # Errors
    /// `MO-5022` if they belong to another store or another machine, and whatever keeps us from reading the mark.
    pub async fn claim_blobs(&self) -> Result<()> {
        let blobs = self.blobs();
        match &blobs.home {
            // One database file, one machine, one folder: it may be moved as a whole.
            Home::Folder(_) if self.on_one_machine() => Ok(()),
            Home::Folder(folder) => {
                let found = folder.mark().await?;
                let mark = found.clone().unwrap_or_else(|| blobs.fresh_mark());
                let (known, new) = self.remember(FOLDER, mark.clone()).await?;
                if new && found.is_none() {
                    folder.set_mark(&mark).await?;
                }
                let lies = if new { folder.mark().await? } else { found };
                same(
                    lies.as_deref(),
                    &known,
                    "the machine that first used this store keeps them in a folder of its own",
                )
            }
            Home::Bucket(bucket) => {
                // First in the store, so that no process of ours meets a mark in the bucket that it does not know.
                let (known, _) = self.remember(BUCKET, blobs.fresh_mark()).await?;
                let mark = match bucket.mark().await? {
                    Some(mark) => mark,
                    None => bucket.set_mark(&known).await?,
                };
                same(Some(&mark), &known, "the bucket and prefix are used by another store")
            }
        }
    }

    /// Returns the store's mark, which is `mark` if it had none, and whether it had none.
    async fn remember(&self, name: &'static str, mark: String) -> Result<(String, bool)> {
        self.write("blobs.claim", move |tx| Box::pin(async move { remember(tx, name, &mark).await })).await
    }
}

impl Blobs {
    fn fresh_mark(&self) -> String {
        HEXLOWER.encode(&self.ambient.random::<16>())
    }
}

async fn remember(tx: &mut Tx<'_>, name: &str, mark: &str) -> Result<(String, bool)> {
    let sql = "INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
    let new = tx.exec(sql, params![name, mark]).await? == 1;
    let known = settings::get(tx, name).await?;
    Ok((known.unwrap_or_else(|| mark.to_owned()), new))
}

fn same(found: Option<&str>, known: &str, otherwise: &str) -> Result<()> {
    if found == Some(known) { Ok(()) } else { Err(Problem::new(&codes::store::BLOBS_ELSEWHERE, otherwise)) }
}
