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

/// What a look at the whole ledger found.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Audited {
    /// How many leaves there are.
    pub size: u64,
    /// The root over them, in base64 as checkpoints write it.
    pub root: String,
    /// How many earlier checkpoints the ledger agrees with.
    pub checkpoints: usize,
}

/// Computes every hash anew, and holds the ledger against earlier checkpoints: those of the mirror, and `held` that somebody
/// else kept. The mirror lies beside the store: only a checkpoint kept elsewhere finds who rewrote both.
///
/// # Errors
/// `MO-5012` naming what does not hold, `MO-7004` if the mirror cannot be read.
pub async fn audit(engine: &Engine, held: Vec<String>) -> Result<Audited> {
    let key = public_key(engine).await?;
    let path = engine.settings.data.join(MIRROR).join(CHECKPOINTS);
    let mirrored = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(cause) => {
            return Err(
                Problem::new(&codes::config::FILE_UNREADABLE, format!("{MIRROR}/{CHECKPOINTS}")).caused_by(cause)
            );
        }
    };
    let notes = notes(&mirrored).into_iter().map(str::to_owned).chain(held);
    let earlier = notes.map(|note| Checkpoint::verify(&note, &key)).collect::<Result<Vec<_>>>()?;
    let checkpoints = earlier.len();
    let (size, root) = engine
        .store
        .read("ledger.audit", move |tx| {
            Box::pin(async move {
                let (size, root) = store::ledger::verify(tx).await?;
                for checkpoint in &earlier {
                    agrees(tx, size, checkpoint).await?;
                }
                Ok((size, root))
            })
        })
        .await?;
    Ok(Audited { size, root: data_encoding::BASE64.encode(&root), checkpoints })
}

/// Checks that the ledger begins with what an earlier checkpoint says.
async fn agrees(tx: &mut Tx<'_>, size: u64, earlier: &Checkpoint) -> Result<()> {
    let broken = |detail: String| Problem::new(&codes::store::LEDGER_BROKEN, detail);
    if earlier.size > size {
        return Err(broken(format!(
            "a checkpoint has {} leaves, the ledger only {size}: it forgot some",
            earlier.size
        )));
    }
    if store::ledger::root(tx, earlier.size).await? != earlier.root {
        return Err(broken(format!("the first {} leaves are not those of an earlier checkpoint", earlier.size)));
    }
    Ok(())
}

/// Splits the mirror into its notes. A note that a crash tore is passed over: it was never handed out.
fn notes(mirror: &str) -> Vec<&str> {
    let whole = |note: &str| note.contains("\n\n\u{2014} ") && note.ends_with('\n');
    let mut starts: Vec<usize> = mirror.match_indices("\nmoveout/").map(|(place, _)| place + 1).collect();
    starts.push(mirror.len() + 1);
    let notes = starts.windows(2).map(|pair| &mirror[pair[0]..pair[1] - 1]);
    notes.filter(|note| whole(note)).collect()
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
