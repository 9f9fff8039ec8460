//! The master keys at work: the newest seals, all open, and a key file that changes is read again while the process runs.

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use model::Ambient;

use super::derive;
use super::keys::{KEY_ID, KeyId, Keys};

/// How often a process looks at most whether its key file has changed, in microseconds.
pub(super) const LOOK_EVERY: i64 = 1_000_000;

/// The keys of one process.
pub(super) struct Ring {
    keys: RwLock<Arc<[SealingKey]>>,
    file: Option<Watched>,
    ambient: Ambient,
}

/// A key file, and what it looked like when it was last read.
struct Watched {
    path: PathBuf,
    looked_at: AtomicI64,
    seen: Mutex<Option<Look>>,
}

/// What tells one version of a file from another: it is replaced by renaming a new one over it.
type Look = (SystemTime, u64, u64);

struct SealingKey {
    id: KeyId,
    key: LessSafeKey,
}

impl Ring {
    pub(super) fn new(keys: &Keys, ambient: Ambient) -> Self {
        let file = keys.file.clone().map(|path| Watched {
            // What was given may be older than what lies there by now, so the first look always reads.
            seen: Mutex::new(None),
            looked_at: AtomicI64::new(i64::MIN),
            path,
        });
        Self { keys: RwLock::new(sealing(keys)), file, ambient }
    }

    /// Returns the ids of all keys, the newest first.
    pub(super) fn ids(&self) -> Vec<KeyId> {
        self.keys().iter().map(|key| key.id).collect()
    }

    /// Seals a value with the newest key.
    pub(super) fn seal(&self, place: &[u8], value: &[u8]) -> Vec<u8> {
        let now = self.ambient.now().as_microsecond();
        if self
            .file
            .as_ref()
            .is_some_and(|file| now.saturating_sub(file.looked_at.load(Ordering::Relaxed)) >= LOOK_EVERY)
        {
            self.look_again();
        }
        let keys = self.keys();
        let newest = &keys[0];
        let nonce: [u8; NONCE_LEN] = self.ambient.random();
        let mut sealed = value.to_vec();
        let tag = newest
            .key
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place), &mut sealed)
            .expect("a value in memory is below the limit of AES-GCM");
        [&newest.id.0[..], &nonce, &sealed, tag.as_ref()].concat()
    }

    /// Opens a value with the key that its first bytes name.
    pub(super) fn open(&self, place: &[u8], sealed: &[u8]) -> Result<Vec<u8>, NotOpened> {
        let (id, rest) = sealed.split_at_checked(KEY_ID).ok_or(NotOpened::Broken)?;
        let (nonce, ciphertext) = rest.split_at_checked(NONCE_LEN).ok_or(NotOpened::Broken)?;
        let id = KeyId(id.try_into().map_err(|_| NotOpened::Broken)?);
        if !self.has(id) {
            self.look_again();
        }
        if !self.has(id) {
            return Err(NotOpened::KeyNotGiven(id));
        }
        let opened = self.keys().iter().filter(|key| key.id == id).find_map(|key| {
            let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
            let mut value = ciphertext.to_vec();
            let length = key.key.open_in_place(nonce, Aad::from(place), &mut value).ok()?.len();
            value.truncate(length);
            Some(value)
        });
        opened.ok_or(NotOpened::Broken)
    }

    fn has(&self, id: KeyId) -> bool {
        self.keys().iter().any(|key| key.id == id)
    }

    fn keys(&self) -> Arc<[SealingKey]> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the key file again if it is another one than before; one that cannot be read changes nothing.
    pub(super) fn look_again(&self) {
        let Some(file) = &self.file else { return };
        file.looked_at.store(self.ambient.now().as_microsecond(), Ordering::Relaxed);
        let Ok(metadata) = std::fs::metadata(&file.path) else { return };
        let look = metadata.modified().ok().map(|time| (time, metadata.len(), inode(&metadata)));
        let mut seen = file.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if look.is_some() && *seen == look {
            return;
        }
        match Keys::from_file(&file.path) {
            Ok(keys) => {
                *self.keys.write().unwrap_or_else(PoisonError::into_inner) = sealing(&keys);
                *seen = look;
            }
            Err(problem) => tracing::warn!(%problem, "the key file cannot be read again; the keys stay as they were"),
        }
    }
}

/// Why a value did not open.
pub(super) enum NotOpened {
    /// Its key is none of ours.
    KeyNotGiven(KeyId),
    /// It is not what was sealed for this place.
    Broken,
}

fn sealing(keys: &Keys) -> Arc<[SealingKey]> {
    let key = |bytes: &[u8; 32]| SealingKey {
        id: KeyId::of(bytes),
        key: LessSafeKey::new(
            UnboundKey::new(&AES_256_GCM, &derive(bytes, "seal")[..]).expect("32 bytes are an AES-256 key"),
        ),
    };
    keys.all.iter().map(|bytes| key(bytes)).collect()
}

#[cfg(unix)]
fn inode(metadata: &std::fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_: &std::fs::Metadata) -> u64 {
    0
}
