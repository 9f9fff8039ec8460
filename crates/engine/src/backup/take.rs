//! Takes a backup while everything goes on.

use std::path::Path;

use data_encoding::BASE64;
use futures_util::TryStreamExt;
use jiff::Timestamp;
use model::{Problem, Result, codes};
use serde::Serialize;
use store::backup::{self, Counts, Header, Writer};
use store::{Tx, blobs, ledger};

use crate::Engine;
use crate::ledger::{key_of, public_key, sign};

/// How often it is begun anew when a blob goes between the tables and the blobs.
const TRIES: usize = 3;

/// A backup that lies on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Taken {
    /// The moment that it is of.
    pub taken_at: Timestamp,
    /// The schema of the tables in it.
    pub schema: i64,
    /// The name of the ledger.
    pub origin: String,
    /// How many leaves the ledger has.
    pub size: u64,
    /// The ledger's root over them, in base64.
    pub root: String,
    /// What is in it.
    #[serde(flatten)]
    pub counts: Counts,
}

/// Writes a backup of one moment to `path`, beside whoever works on the store.
///
/// # Errors
/// `MO-7005` if the file exists or cannot be written, `MO-5010` if a blob is missing, or what the store says.
pub async fn take(engine: &Engine, path: &Path) -> Result<Taken> {
    // The log gets its name, if it has none yet.
    public_key(engine).await?;
    for _ in 1..TRIES {
        match once(engine, path).await {
            Err(problem) if problem.is(&codes::store::BACKUP_BROKEN) => {
                tracing::info!(%problem, "the backup is begun anew");
            }
            taken => return taken,
        }
    }
    once(engine, path).await
}

async fn once(engine: &Engine, path: &Path) -> Result<Taken> {
    let owned = path.to_owned();
    let (header, mut out, mut counts) = engine
        .store
        .read("backup.tables", move |tx| {
            Box::pin(async move {
                let header = header(tx).await?;
                let mut out = Writer::create(&owned, &header)?;
                let tables = backup::tables(tx, &mut out).await?;
                Ok((header, out, Counts { tables, ..Counts::default() }))
            })
        })
        .await?;
    let mut tables = out.so_far()?;
    while let Some(files) = backup::blob_files(&mut tables)? {
        for (id, size) in files {
            copy_blob(engine, &id, size, &mut out).await?;
            counts.blobs += 1;
            counts.blob_bytes += size;
        }
    }
    out.finish(&counts, engine.store.vault())?;
    let Header { taken_at, schema, origin, size, root, .. } = header;
    Ok(Taken { taken_at, schema, origin, size, root, counts })
}

async fn header(tx: &mut Tx<'_>) -> Result<Header> {
    let origin = ledger::named(tx).await?.unwrap_or_default();
    let checkpoint = sign(tx, &key_of(tx.vault(), &origin)?).await?;
    let size = ledger::size(tx).await?;
    let root = BASE64.encode(&ledger::root(tx, size).await?);
    Header::new(tx, origin, size, root, checkpoint).await
}

async fn copy_blob(engine: &Engine, id: &str, size: u64, out: &mut Writer) -> Result<()> {
    let mut bytes = match engine.store.blobs().open(blobs::Blob::in_file(id, size)).await {
        Err(problem) if problem.is(&codes::store::BLOB_MISSING) => return Err(gone(engine, id, problem).await?),
        opened => opened?,
    };
    out.begin(&format!("blobs/{id}"), size)?;
    let unreadable = |cause: std::io::Error| {
        Problem::new(&codes::store::BLOB_FAILED, format!("blob {id} cannot be read")).caused_by(cause)
    };
    while let Some(chunk) = bytes.try_next().await.map_err(unreadable)? {
        out.write(&chunk)?;
    }
    out.end()
}

/// Tells a blob that was removed since the tables were read, which a new beginning settles, from one that is lost.
async fn gone(engine: &Engine, id: &str, missing: Problem) -> Result<Problem> {
    let wanted = id.to_owned();
    let find = engine.store.read("backup.blob", move |tx| Box::pin(async move { blobs::find(tx, &wanted).await }));
    Ok(match find.await? {
        Some(_) => missing,
        None => Problem::new(&codes::store::BACKUP_BROKEN, format!("blob {id} was removed meanwhile")),
    })
}
