//! The ledger as the engine uses it: its key, signed checkpoints, proofs, and the mirror outside the store.
//!
//! After a restore of the store a new log begins, under a new name and with the same key bytes. Its first leaf says which
//! checkpoint of the old log was restored, and how much was forgotten.

mod audit;
mod forgotten;
mod mirror;
mod origin;

use model::{Problem, Result, codes};
use store::{Tx, Vault};
use wire::canonical::Object;
use wire::checkpoint::{Checkpoint, PublicKey, SigningKey};
use wire::consistency::Consistency;
use wire::receipt::Receipt;

pub use audit::{Audited, AuditedLog, audit};
pub(crate) use forgotten::forgotten_in;
pub use forgotten::{Forgotten, forgotten};
pub use mirror::Intent;
pub(crate) use mirror::{FOLDER as MIRROR, Mirror, mirror_checkpoint, mirror_intent};
pub(crate) use origin::{Beginning, begin_anew};

use crate::Engine;

/// Returns the public key that checks this ledger's receipts and checkpoints.
///
/// # Errors
/// What the store says.
pub async fn public_key(engine: &Engine) -> Result<PublicKey> {
    let key = engine.store.write("ledger.key", |tx| Box::pin(async move { key(tx).await })).await?;
    Ok(key.public().clone())
}

/// Returns the public keys of the logs that restores have closed, the oldest first: they check what was signed before.
///
/// # Errors
/// What the store says.
pub async fn past_keys(engine: &Engine) -> Result<Vec<PublicKey>> {
    let read = engine.store.read("ledger.past-keys", |tx| {
        Box::pin(async move {
            let past = store::ledger::past(tx).await?;
            past.iter().map(|past| Ok(key_of(tx.vault(), &past.origin)?.public().clone())).collect()
        })
    });
    read.await
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

/// Signs what the ledger is now, and proves that it begins with what a checkpoint says that somebody held (RFC 9162 §2.1.4).
///
/// # Errors
/// `MO-5012` if `held` is not signed by this log, or the log does not begin with it; `MO-5033` if it is of a log that a
/// restore has closed.
pub async fn checkpoint_since(engine: &Engine, held: String) -> Result<Consistency> {
    let proved = engine
        .store
        .write("ledger.consistency", move |tx| {
            Box::pin(async move {
                let key = key(tx).await?;
                let origin = held.lines().next().unwrap_or_default();
                if store::ledger::past(tx).await?.iter().any(|past| past.origin == origin) {
                    return Err(Problem::new(&codes::store::LOG_CLOSED, format!("the checkpoint is of {origin}")));
                }
                let old = Checkpoint::verify(&held, key.public())?;
                let size = store::ledger::size(tx).await?;
                audit::agrees(tx, size, &old).await?;
                let proof = match old.size {
                    0 => Vec::new(),
                    old => store::ledger::consistency_proof(tx, old, size).await?,
                };
                let note = sign(tx, &key).await?;
                Ok(Consistency::new(held, note, &proof, key.public()))
            })
        })
        .await?;
    mirror_checkpoint(engine, proved.new.clone()).await?;
    Ok(proved)
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

/// Signs what the log is within this transaction.
pub(crate) async fn sign(tx: &mut Tx<'_>, key: &SigningKey) -> Result<String> {
    let size = store::ledger::size(tx).await?;
    let root = store::ledger::root(tx, size).await?;
    Checkpoint { origin: key.public().name().to_owned(), size, root }.sign(key)
}

/// Returns the key of the present log, which begins with this if there is none.
pub(crate) async fn key(tx: &mut Tx<'_>) -> Result<SigningKey> {
    let origin = store::ledger::origin(tx).await?;
    key_of(tx.vault(), &origin)
}

/// Returns the key of a log by its name: every log of a store signs with the same secret, so that all can be checked for ever.
pub(crate) fn key_of(vault: &Vault, origin: &str) -> Result<SigningKey> {
    SigningKey::from_seed(origin, &vault.key("ledger-signing"))
}
