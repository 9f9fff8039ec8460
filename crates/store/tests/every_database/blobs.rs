//! Blobs: whole or not there at all, once per account, and nothing left behind, in a folder and in a bucket.

use std::path::PathBuf;
use std::time::Duration;

use futures_util::TryStreamExt;
use futures_util::future::join_all;
use jiff::SignedDuration;
use model::codes;
use store::Store;
use store::blobs::{self, IN_ROW, Received};

use crate::bed::{BUCKET, Bed, write};

/// Runs each test on every database and in every kind of place.
macro_rules! in_every_place {
    ($($test:ident),+ $(,)?) => {
        in_every_place!(@ sqlite_folder, Bed::sqlite(), $($test),+);
        in_every_place!(@ sqlite_s3, Bed::sqlite().with_bucket(), $($test),+);
        in_every_place!(@ postgres_folder, Bed::postgres().await, $($test),+);
        in_every_place!(@ postgres_s3, Bed::postgres().await.with_bucket(), $($test),+);
    };
    (@ $place:ident, $bed:expr, $($test:ident),+) => {
        mod $place {
            use crate::bed::Bed;
            $(#[tokio::test]
            async fn $test() {
                super::$test($bed).await;
            })+
        }
    };
}

in_every_place!(
    a_body_is_an_accounts_own_once_until_its_last_use_is_gone,
    a_body_that_breaks_off_leaves_nothing,
    a_last_use_that_goes_while_a_new_one_comes_loses_nothing,
    what_a_killed_process_left_is_swept_after_a_day,
);

/// Several parts of an upload.
const LARGE: usize = 11 << 20;
const MIDDLING: usize = IN_ROW * 3 + 1;

async fn receive(store: &Store, fill: u8, size: usize) -> Received {
    let mut receiving = store.blobs().receive();
    for chunk in vec![fill; size].chunks(100_000) {
        receiving.write(chunk).await.unwrap();
    }
    receiving.finish().await.unwrap()
}

async fn keep(store: &Store, account: &'static str, received: Received) -> String {
    write!(store, |tx| blobs::keep(tx, account, &received)).unwrap()
}

async fn release(store: &Store, id: &str) {
    let id = id.to_owned();
    write!(store, |tx| blobs::release(tx, &id)).unwrap();
}

async fn read(store: &Store, id: &str) -> Option<Vec<u8>> {
    let id = id.to_owned();
    let found = write!(store, |tx| blobs::find(tx, &id)).unwrap()?;
    let chunks: Vec<_> = store.blobs().open(found).await.unwrap().try_collect().await.unwrap();
    Some(chunks.concat())
}

impl Bed {
    /// Returns the files or objects that are there, whole or not, without the mark of the place.
    fn bodies(&self) -> Vec<PathBuf> {
        let root = self.bodies_root();
        let Ok(folders) = std::fs::read_dir(&root) else { return vec![] };
        let folders = folders.map(|folder| folder.unwrap().path()).filter(|path| path.is_dir());
        let files = folders.flat_map(|folder| std::fs::read_dir(folder).unwrap()).map(|file| file.unwrap().path());
        files.collect()
    }

    fn bodies_root(&self) -> PathBuf {
        match &self.bucket {
            Some(s3) => s3.bucket(BUCKET).unwrap().join("moveout/blobs"),
            None => self.folder.path().join("blobs"),
        }
    }

    /// Makes everything look as if it had been written at the test's time.
    fn written_now(&self) {
        for path in self.bodies() {
            let file = std::fs::File::options().write(true).open(path).unwrap();
            file.set_modified(self.ambient.now().into()).unwrap();
        }
    }

    /// Waits until the parts that were sent last have arrived.
    async fn until_parts_arrived(&self) {
        let Some(s3) = &self.bucket else { return };
        for _ in 0..500 {
            if s3.unfinished_parts().unwrap() == 2 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the parts do not arrive");
    }

    /// Waits for what is aborted in the background.
    async fn until_nothing_is_under_way(&self) {
        for _ in 0..500 {
            let parts = self.bucket.as_ref().map_or(0, |s3| s3.unfinished_parts().unwrap());
            if self.bodies().is_empty() && parts == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("left behind: {:?}", self.bodies());
    }
}

async fn a_body_is_an_accounts_own_once_until_its_last_use_is_gone(bed: Bed) {
    let store = bed.open().await;
    for size in [0, IN_ROW, MIDDLING, LARGE] {
        let in_row = size <= IN_ROW;
        let first = receive(&store, 7, size).await;
        assert_eq!(first.blake3, blake3::hash(&vec![7; size]).to_hex().to_string());
        let first = keep(&store, "ada", first).await;
        let again = receive(&store, 7, size).await;
        let own = again.id.clone();
        assert_eq!(keep(&store, "ada", again.clone()).await, first);
        let bobs = keep(&store, "bob", receive(&store, 7, size).await).await;
        assert_ne!(bobs, first);
        store.blobs().discard(again).await;

        assert_eq!(read(&store, &first).await.unwrap(), vec![7; size]);
        assert!(read(&store, &own).await.is_none());
        release(&store, &first).await;
        assert!(read(&store, &first).await.is_some());
        release(&store, &first).await;
        assert!(read(&store, &first).await.is_none());
        assert_eq!(store.blobs().remove_doomed(&store).await.unwrap(), u64::from(!in_row));
        assert_eq!(bed.bodies().len(), usize::from(!in_row), "bob's is still there");
        assert_eq!(read(&store, &bobs).await.unwrap(), vec![7; size]);
        release(&store, &bobs).await;
        store.blobs().remove_doomed(&store).await.unwrap();
        bed.until_nothing_is_under_way().await;
    }
}

async fn a_body_that_breaks_off_leaves_nothing(bed: Bed) {
    let store = bed.open().await;
    let mut receiving = store.blobs().receive();
    for chunk in vec![1; LARGE].chunks(1 << 20) {
        receiving.write(chunk).await.unwrap();
    }
    assert_eq!(bed.bodies().len(), 1, "the file that grows, or the note of the upload");
    drop(receiving);
    bed.until_nothing_is_under_way().await;
}

async fn a_last_use_that_goes_while_a_new_one_comes_loses_nothing(bed: Bed) {
    let store = bed.open().await;
    for _ in 0..5 {
        let first = keep(&store, "ada", receive(&store, 3, MIDDLING).await).await;
        let again = receive(&store, 3, MIDDLING).await;
        let own = again.clone();
        let (kept, (), _) = tokio::join!(
            async {
                let kept = keep(&store, "ada", again).await;
                if kept != own.id {
                    store.blobs().discard(own).await;
                }
                kept
            },
            release(&store, &first),
            store.blobs().remove_doomed(&store),
        );
        store.blobs().remove_doomed(&store).await.unwrap();
        assert_eq!(read(&store, &kept).await.unwrap(), vec![3; MIDDLING], "the new use has its bytes");
        assert_eq!(bed.bodies().len(), 1);
        release(&store, &kept).await;
        store.blobs().remove_doomed(&store).await.unwrap();
        assert!(bed.bodies().is_empty());
    }
}

async fn what_a_killed_process_left_is_swept_after_a_day(bed: Bed) {
    let store = bed.open().await;
    let kept = keep(&store, "ada", receive(&store, 1, MIDDLING).await).await;
    receive(&store, 2, MIDDLING).await;
    // Nothing is dropped in a process that is killed.
    let mut unfinished = store.blobs().receive();
    for chunk in vec![3; LARGE].chunks(1 << 20) {
        unfinished.write(chunk).await.unwrap();
    }
    std::mem::forget(unfinished);
    bed.until_parts_arrived().await;
    bed.written_now();
    assert_eq!(bed.bodies().len(), 3);
    assert_eq!(store.blobs().sweep(&store).await.unwrap(), 0, "it may still be under way");
    bed.clock.advance(SignedDuration::from_hours(25));
    assert_eq!(store.blobs().sweep(&store).await.unwrap(), 2);
    assert_eq!(bed.bodies().len(), 1);
    assert_eq!(bed.bucket.as_ref().map_or(0, |s3| s3.unfinished_parts().unwrap()), 0);
    assert_eq!(read(&store, &kept).await.unwrap(), vec![1; MIDDLING]);
}

/// Many at once, so that some keep and some release the same body in the same instant.
#[tokio::test]
async fn uses_are_counted_when_many_come_and_go() {
    let bed = Bed::postgres().await;
    let store = bed.open().await;
    let come_and_go = || async {
        let received = receive(&store, 9, MIDDLING).await;
        let own = received.clone();
        let id = keep(&store, "ada", received).await;
        if id != own.id {
            store.blobs().discard(own).await;
        }
        assert!(read(&store, &id).await.is_some());
        release(&store, &id).await;
    };
    join_all((0..8).map(|_| come_and_go())).await;
    store.blobs().remove_doomed(&store).await.unwrap();
    assert!(bed.bodies().is_empty());
}

#[tokio::test]
async fn a_bucket_or_folder_of_somebody_else_is_refused() {
    let bed = Bed::sqlite().with_bucket();
    bed.open().await.claim_blobs().await.unwrap();
    bed.open().await.claim_blobs().await.unwrap();
    let mut other = Bed::sqlite();
    other.bucket = bed.bucket;
    // Every test has the same seed, and these two are to have different marks.
    other.ambient.random::<1>();
    let store = other.open().await;
    assert!(store.claim_blobs().await.unwrap_err().is(&codes::store::BLOBS_ELSEWHERE));
    assert!(store.blobs().sweep(&store).await.unwrap_err().is(&codes::store::BLOBS_ELSEWHERE));

    // Two machines on one database, each with a folder of its own.
    let mut bed = Bed::postgres().await;
    bed.open().await.claim_blobs().await.unwrap();
    let here = std::mem::replace(&mut bed.folder, tempfile::tempdir().unwrap());
    assert!(bed.open().await.claim_blobs().await.unwrap_err().is(&codes::store::BLOBS_ELSEWHERE));
    // The one folder, mounted there too.
    bed.folder = here;
    bed.open().await.claim_blobs().await.unwrap();
    // SQLite is on one machine, and its folder may be moved.
    Bed::sqlite().open().await.claim_blobs().await.unwrap();
}

#[tokio::test]
async fn a_bucket_that_does_not_let_us_in_is_named_without_its_keys() {
    let bed = Bed::sqlite().with_bucket();
    let mut config = bed.bucket_config().unwrap();
    config.credentials.as_mut().unwrap().secret = "wrong".to_owned().into();
    let store = Bed::sqlite().open().await.with_bucket(&config).unwrap();
    let mut receiving = store.blobs().receive();
    receiving.write(&[1; MIDDLING]).await.unwrap();
    let problem = receiving.finish().await.unwrap_err();
    assert!(problem.is(&codes::store::BUCKET_REFUSED), "{problem}");
    assert!(!format!("{problem} {problem:?}").contains(testkit::s3::ACCESS_KEY));
    assert!(bed.bodies().is_empty());
}
