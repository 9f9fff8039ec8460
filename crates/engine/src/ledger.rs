//! The ledger as the engine uses it: its key, signed checkpoints, and the mirror outside the store.
//!
//! The mirror is two files that only grow: what was intended, and the checkpoints. After a restore of the store from a backup
//! they tell what the store has forgotten.

use std::io::Write;
use std::path::Path;

use model::{Problem, Result, codes};
use store::Tx;
use wire::canonical::Object;
use wire::checkpoint::{Checkpoint, PublicKey, SigningKey};
use wire::receipt::Receipt;

use crate::Engine;

/// The folder of the mirror, within the data folder.
const MIRROR: &str = "ledger-mirror";
/// One intent a line, as canonical JSON.
const INTENTS: &str = "intents.jsonl";
/// Signed notes, one behind the other.
const CHECKPOINTS: &str = "checkpoints.txt";

/// Returns the public key that checks this ledger's receipts and checkpoints.
///
/// # Errors
/// What the store says.
pub async fn public_key(engine: &Engine) -> Result<PublicKey> {
    let key = engine.store.write("ledger.key", |tx| Box::pin(async move { key(tx).await })).await?;
    Ok(key.public().clone())
}

/// Signs what the ledger is now and mirrors it.
///
/// # Errors
/// What the store says, or `MO-7005` if the mirror cannot be written.
pub async fn checkpoint(engine: &Engine) -> Result<String> {
    let note = engine
        .store
        .write("ledger.checkpoint", |tx| {
            Box::pin(async move {
                let key = key(tx).await?;
                sign(tx, &key).await
            })
        })
        .await?;
    mirror_checkpoint(engine, note.clone()).await?;
    Ok(note)
}

/// Appends a statement and returns where it stands.
pub(crate) async fn append(tx: &mut Tx<'_>, leaf: &Object) -> Result<u64> {
    store::ledger::append(tx, &leaf.to_bytes()).await
}

/// Appends a statement and proves it: the receipt, and the checkpoint in it.
pub(crate) async fn prove(tx: &mut Tx<'_>, leaf: Object) -> Result<Receipt> {
    let index = append(tx, &leaf).await?;
    let key = key(tx).await?;
    let note = sign(tx, &key).await?;
    let size = store::ledger::size(tx).await?;
    let proof = store::ledger::inclusion_proof(tx, index, size).await?;
    Ok(Receipt::new(leaf, index, &proof, note, key.public()))
}

async fn sign(tx: &mut Tx<'_>, key: &SigningKey) -> Result<String> {
    let size = store::ledger::size(tx).await?;
    let root = store::ledger::root(tx, size).await?;
    Checkpoint { origin: key.public().name().to_owned(), size, root }.sign(key)
}

async fn key(tx: &mut Tx<'_>) -> Result<SigningKey> {
    let origin = store::ledger::origin(tx).await?;
    SigningKey::from_seed(&origin, &tx.vault().key("ledger-signing"))
}

/// Writes an intent outside the store, durably, before anything is destroyed. Writing it twice does no harm.
pub(crate) async fn mirror_intent(engine: &Engine, leaf: &Object) -> Result<()> {
    // The newline in front ends a line that a crash tore.
    let line = [b"\n", &leaf.to_bytes()[..], b"\n"].concat();
    mirror(engine, INTENTS, line).await
}

/// Writes a checkpoint outside the store.
pub(crate) async fn mirror_checkpoint(engine: &Engine, note: String) -> Result<()> {
    mirror(engine, CHECKPOINTS, format!("\n{note}").into_bytes()).await
}

async fn mirror(engine: &Engine, file: &'static str, record: Vec<u8>) -> Result<()> {
    let folder = engine.settings.data.join(MIRROR);
    let written = tokio::task::spawn_blocking(move || append_durably(&folder, file, &record)).await;
    let failed = |cause: std::io::Error| {
        Problem::new(&codes::config::FILE_UNWRITABLE, format!("{MIRROR}/{file} in the data folder")).caused_by(cause)
    };
    written.map_err(|cause| failed(std::io::Error::other(cause)))?.map_err(failed)
}

fn append_durably(folder: &Path, file: &str, record: &[u8]) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(folder.join(file))?;
    file.write_all(record)?;
    file.sync_all()?;
    // A new file's name is durable only with its folder.
    std::fs::File::open(folder)?.sync_all()
}
