//! The mirror: two files outside the store that only grow, of what was intended and of checkpoints.
//!
//! After a restore of the store from a backup they tell what the store has forgotten. The folder is the data folder's
//! `ledger-mirror` unless the settings name one on another disk or machine, which is where it is of most use.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use model::{Problem, Result, codes};
use serde::{Deserialize, Serialize};
use wire::canonical::Object;
use wire::checkpoint::MAX_NOTE;

use crate::Engine;

/// The folder of the mirror within the data folder, unless the settings name another.
pub(crate) const FOLDER: &str = "ledger-mirror";
/// One intent a line, as canonical JSON.
const INTENTS: &str = "intents.jsonl";
/// Signed notes, one behind the other.
const CHECKPOINTS: &str = "checkpoints.txt";

/// An intent as the mirror remembers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The request.
    pub request: String,
    /// The app it came for.
    pub app: String,
    /// When its erasure was about to begin.
    pub at: Timestamp,
}

/// What is read of the mirror.
pub(crate) struct Mirror {
    folders: Vec<PathBuf>,
}

impl Mirror {
    /// Returns the mirror of an engine: the folder that is written, and the data folder's own if that was written before.
    pub(crate) fn of(engine: &Engine) -> Self {
        let mut folders = vec![engine.mirror.to_path_buf()];
        let usual = engine.settings.data.join(FOLDER);
        if !folders.contains(&usual) {
            folders.push(usual);
        }
        Self { folders }
    }

    /// Returns the intents by request, the newest of each. A line that a crash tore is passed over.
    pub(crate) fn intents(&self) -> Result<BTreeMap<String, Intent>> {
        let mut intents = BTreeMap::new();
        self.lines(INTENTS, |line| {
            if let Ok(intent) = serde_json::from_str::<Intent>(line) {
                intents.insert(intent.request.clone(), intent);
            }
        })?;
        Ok(intents)
    }

    /// Returns the signed notes. One that a crash tore is passed over: it was never handed out.
    pub(crate) fn notes(&self) -> Result<Vec<String>> {
        let mut notes = Vec::new();
        let mut note = String::new();
        self.lines(CHECKPOINTS, |line| {
            // A name at the beginning of a line begins a note: roots and signatures hold no such text.
            if line.starts_with("moveout/") {
                note.clear();
            }
            if note.len() < MAX_NOTE {
                note.push_str(line);
                note.push('\n');
            }
            if line.starts_with("\u{2014} ") {
                notes.push(std::mem::take(&mut note));
            }
        })?;
        Ok(notes)
    }

    fn lines(&self, file: &str, mut each: impl FnMut(&str)) -> Result<()> {
        for folder in &self.folders {
            let path = folder.join(file);
            let unreadable = |cause: std::io::Error| {
                Problem::new(&codes::config::FILE_UNREADABLE, path.display().to_string()).caused_by(cause)
            };
            let file = match File::open(&path) {
                Ok(file) => file,
                Err(cause) if cause.kind() == ErrorKind::NotFound => continue,
                Err(cause) => return Err(unreadable(cause)),
            };
            for line in BufReader::new(file).split(b'\n') {
                each(&String::from_utf8_lossy(&line.map_err(unreadable)?));
            }
        }
        Ok(())
    }
}

/// Writes an intent outside the store, durably, before anything is destroyed. Writing it twice does no harm.
pub(crate) async fn mirror_intent(engine: &Engine, leaf: &Object) -> Result<()> {
    // The newline in front ends a line that a crash tore.
    let line = [b"\n", &leaf.to_bytes()[..], b"\n"].concat();
    write(engine, INTENTS, line).await
}

/// Writes a checkpoint outside the store.
pub(crate) async fn mirror_checkpoint(engine: &Engine, note: String) -> Result<()> {
    write(engine, CHECKPOINTS, format!("\n{note}").into_bytes()).await
}

async fn write(engine: &Engine, file: &'static str, record: Vec<u8>) -> Result<()> {
    let folder = engine.mirror.clone();
    let shown = folder.join(file).display().to_string();
    let written = tokio::task::spawn_blocking(move || append_durably(&folder, file, &record)).await;
    let failed = |cause: std::io::Error| Problem::new(&codes::config::FILE_UNWRITABLE, shown.clone()).caused_by(cause);
    written.map_err(|cause| failed(std::io::Error::other(cause)))?.map_err(failed)
}

fn append_durably(folder: &Path, file: &str, record: &[u8]) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut file = File::options().create(true).append(true).open(folder.join(file))?;
    file.write_all(record)?;
    file.sync_all()?;
    // A new file's name is durable only with its folder.
    File::open(folder)?.sync_all()
}
