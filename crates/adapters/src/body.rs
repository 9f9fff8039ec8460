//! Bytes of files as bodies: small ones read whole, large ones by a thread of their own, a few chunks ahead at most.

use std::io::{self, Read};

use bytes::Bytes;
use futures_util::StreamExt;
use model::{Problem, Result, codes};
use tokio::sync::mpsc;

use crate::verbs::Body;

/// Files up to this size are read whole when they are opened, larger ones as they are consumed.
pub const SMALL: u64 = 1024 * 1024;

const CHUNK: usize = 128 * 1024;

/// Runs a blocking piece of work on a thread of its own.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| {
        Err(Problem::new(&codes::transfer::DESTINATION_FAILED, "a thread that read or wrote files ended")
            .caused_by(error))
    })
}

/// Returns the body of a file of a known size.
///
/// # Errors
/// What reading a small file gave; what reading a large one gives is in the body.
pub fn body<R: Read + Send + 'static>(size: u64, mut reader: R) -> io::Result<Body> {
    if size > SMALL { Ok(streamed(size, reader)) } else { read_whole(size, &mut reader).map(whole) }
}

/// Returns a body of bytes that are in memory.
pub fn whole(bytes: Bytes) -> Body {
    Body { size: Some(bytes.len() as u64), stream: futures_util::stream::iter([Ok(bytes)]).boxed() }
}

/// Returns a body that a thread of its own reads, a few chunks ahead at most. `keep` is dropped when it is done.
fn streamed<R: Read + Send + 'static>(size: u64, mut reader: R) -> Body {
    let (sender, receiver) = mpsc::channel(4);
    // The thread ends by itself: at the end of the bytes, at an error, or when the body is dropped.
    tokio::task::spawn_blocking(move || {
        let mut left = size;
        while left > 0 {
            let mut chunk = vec![0; CHUNK.min(usize::try_from(left).unwrap_or(CHUNK))];
            let read = reader.read_exact(&mut chunk);
            left -= chunk.len() as u64;
            let failed = read.is_err();
            if sender.blocking_send(read.map(|()| Bytes::from(chunk))).is_err() || failed {
                return;
            }
        }
        // What follows the last byte is where a checksum is compared.
        if let Err(error) = expect_end(&mut reader) {
            // A receiver that is gone has no use for it.
            drop(sender.blocking_send(Err(error)));
        }
    });
    let stream = futures_util::stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|chunk| (chunk, receiver))
    });
    Body { size: Some(size), stream: stream.boxed() }
}

/// Reads a file of a known size whole.
///
/// # Errors
/// `UnexpectedEof` if it is shorter, `InvalidData` if it is longer or its checksum is wrong.
pub fn read_whole(size: u64, reader: &mut dyn Read) -> io::Result<Bytes> {
    let mut bytes = vec![0; usize::try_from(size).map_err(io::Error::other)?];
    reader.read_exact(&mut bytes)?;
    expect_end(reader)?;
    Ok(bytes.into())
}

fn expect_end(reader: &mut dyn Read) -> io::Result<()> {
    match reader.read(&mut [0])? {
        0 => Ok(()),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, "the file is longer than the archive says")),
    }
}

/// The source's bytes are more or fewer than it said.
pub fn length_changed(size: u64) -> Problem {
    Problem::new(&codes::transfer::CONTENT_CHANGED, format!("{size} bytes were announced, and it was another number"))
}

/// The source's bytes could not be read: its own problem if it gave one.
pub fn unreadable(cause: io::Error) -> Problem {
    match cause.downcast::<Problem>() {
        Ok(problem) => problem,
        Err(cause) => {
            let detail = format!("its file could not be read to the end: {}", cause.kind());
            Problem::new(&codes::transfer::RECORD_BROKEN, detail).caused_by(cause)
        }
    }
}
