//! Group commit: lines that wait together reach the disk together, and are confirmed only then.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};

use model::{DataType, Result};
use tokio::sync::oneshot;
use wire::bag;

use super::errors;

/// How many lines are committed together at most.
const BATCH: usize = 4096;

/// A line on its way to the disk.
struct Pending {
    data_type: DataType,
    line: Vec<u8>,
    /// The folder of the item's file, whose entry must be on disk before the line that names it.
    folder: Option<PathBuf>,
    done: oneshot::Sender<Result<(), io::ErrorKind>>,
}

/// Hands lines to the one thread that writes them. The thread ends when this is dropped.
pub struct Committer(Sender<Pending>);

impl Committer {
    /// Starts the thread for the bag in `root`.
    ///
    /// # Errors
    /// `MO-3008` if there can be no more threads.
    pub fn start(root: PathBuf) -> Result<Self> {
        let (sender, receiver) = channel();
        std::thread::Builder::new()
            .name("bag-commit".to_owned())
            .spawn(move || run(&root, &receiver))
            .map_err(|error| errors::unwritable(error.kind()))?;
        Ok(Self(sender))
    }

    /// Appends a line and returns when it is on disk.
    ///
    /// # Errors
    /// What writing it gave; then the line is not there.
    pub async fn append(&self, data_type: DataType, line: Vec<u8>, folder: Option<PathBuf>) -> Result<()> {
        let (done, answer) = oneshot::channel();
        let ended = |_| errors::unwritable(io::ErrorKind::BrokenPipe);
        self.0
            .send(Pending { data_type, line, folder, done })
            .map_err(|_| errors::unwritable(io::ErrorKind::BrokenPipe))?;
        answer.await.map_err(ended)?.map_err(errors::unwritable)
    }
}

fn run(root: &Path, receiver: &Receiver<Pending>) {
    let mut files = BTreeMap::new();
    while let Ok(first) = receiver.recv() {
        let mut batch = vec![first];
        batch.extend(receiver.try_iter().take(BATCH - 1));
        let outcome = commit(root, &mut files, &batch).map_err(|error| error.kind());
        for pending in batch {
            // Somebody who no longer waits will ask again with the same key.
            pending.done.send(outcome).ok();
        }
    }
}

fn commit(root: &Path, files: &mut BTreeMap<DataType, File>, batch: &[Pending]) -> io::Result<()> {
    let folders: BTreeSet<&PathBuf> = batch.iter().filter_map(|pending| pending.folder.as_ref()).collect();
    for folder in folders {
        sync_folder(folder)?;
    }
    let mut lines: BTreeMap<DataType, Vec<u8>> = BTreeMap::new();
    for pending in batch {
        lines.entry(pending.data_type).or_default().extend_from_slice(&pending.line);
    }
    let mut undo = Vec::new();
    let written = lines.iter().try_for_each(|(data_type, lines)| {
        if !files.contains_key(data_type) {
            files.insert(*data_type, create(root, *data_type)?);
        }
        let Some(file) = files.get_mut(data_type) else { return Ok(()) };
        undo.push((*data_type, file.metadata()?.len()));
        file.write_all(lines)?;
        file.sync_data()
    });
    if written.is_err() {
        // Nothing of a failed batch stays: its items are written again.
        for (data_type, length) in undo {
            if let Some(file) = files.remove(&data_type) {
                file.set_len(length)?;
            }
        }
    }
    written
}

fn create(root: &Path, data_type: DataType) -> io::Result<File> {
    let path = root.join(bag::lines_file(data_type));
    let file = OpenOptions::new().append(true).create(true).open(&path)?;
    sync_folder(&root.join(bag::PAYLOAD))?;
    Ok(file)
}

/// Makes the names in a folder durable.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
