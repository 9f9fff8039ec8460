//! The bucket of blob objects, in anything that speaks S3: `PREFIX/ab/abcdef…` for what is received, `PREFIX/uploads/` for
//! notes of uploads under way, so that what a killed process left can be aborted.
//!
//! An object appears when its upload is completed, so nobody ever sees a part of one.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt, TryStreamExt};
use model::{Problem, Result, codes};
use object_store::aws::{AmazonS3, AmazonS3Builder, S3ConditionalPut};
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::{
    ClientOptions, MultipartId, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, RetryConfig,
};
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use super::{missing, shard};

/// The smallest part that S3 takes, and what an upload begins with.
const PART: usize = 5 << 20;
/// After so many parts they double: S3 takes 10,000 parts of at most 5 GiB, so there is room for 5 TiB, which is its limit.
const PARTS_OF_ONE_SIZE: usize = 1_000;
/// The most parts of one upload.
const MOST_PARTS: usize = 10_000;
/// How many names are looked up in the store at once.
const GROUP: usize = 500;
/// The objects that are no bodies.
const UPLOADS: &str = "uploads";
const MARK: &str = ".store";
/// A bucket without a region of its own is said to be here.
const REGION: &str = "us-east-1";

/// Where a bucket is, and how we get in.
#[derive(Clone, Debug)]
pub struct BucketConfig {
    /// Its name.
    pub bucket: String,
    /// What all names in it begin with; may be empty.
    pub prefix: String,
    /// The server, unless it is AWS: `https://…`, or `http://…` where that was typed.
    pub endpoint: Option<String>,
    /// Its region.
    pub region: Option<String>,
    /// Whether the bucket's name stands in the path, not in the host name.
    pub path_style: bool,
    /// How we get in; without them, as the environment or the machine's role says (`AWS_*`).
    pub credentials: Option<Credentials>,
}

/// An access key.
#[derive(Clone)]
pub struct Credentials {
    /// Its id.
    pub key: String,
    /// Its secret.
    pub secret: Zeroizing<String>,
    /// The session token of temporary credentials.
    pub token: Option<Zeroizing<String>>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(hidden)")
    }
}

/// The bucket.
#[derive(Clone)]
pub(super) struct Bucket {
    s3: Arc<AmazonS3>,
    prefix: Path,
    shown: Arc<str>,
}

impl std::fmt::Debug for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown)
    }
}

impl Bucket {
    pub(super) fn new(config: &BucketConfig) -> Result<Self> {
        let invalid = |detail: &str| Problem::new(&codes::config::CONFIG_INVALID, detail);
        let prefix = Path::parse(&config.prefix).map_err(|_| invalid("the prefix in blobs.url cannot be used"))?;
        let plain = config.endpoint.as_ref().is_some_and(|endpoint| endpoint.starts_with("http://"));
        // A body may take long; what must not last is silence.
        let options = ClientOptions::new()
            .with_timeout_disabled()
            .with_read_timeout(Duration::from_secs(120))
            .with_allow_http(plain);
        let builder = match &config.credentials {
            None => AmazonS3Builder::from_env(),
            Some(given) => {
                let builder = AmazonS3Builder::new()
                    .with_access_key_id(&given.key)
                    .with_secret_access_key(given.secret.as_str())
                    .with_region(REGION);
                match &given.token {
                    Some(token) => builder.with_token(token.as_str()),
                    None => builder,
                }
            }
        };
        let retry = RetryConfig { max_retries: 3, retry_timeout: Duration::from_secs(30), ..RetryConfig::default() };
        let mut builder = builder
            .with_bucket_name(&config.bucket)
            .with_virtual_hosted_style_request(!config.path_style)
            .with_conditional_put(S3ConditionalPut::ETagMatch)
            .with_client_options(options)
            .with_retry(retry);
        if let Some(endpoint) = &config.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        if let Some(region) = &config.region {
            builder = builder.with_region(region);
        }
        let s3 = builder.build().map_err(|cause| invalid("blobs.url cannot be used").caused_by(cause))?;
        Ok(Self { s3: Arc::new(s3), prefix, shown: format!("s3://{}/{}", config.bucket, config.prefix).into() })
    }

    fn path(&self, id: &str) -> Path {
        self.prefix.clone().join(shard(id)).join(id)
    }

    fn note(&self, id: &str) -> Path {
        self.prefix.clone().join(UPLOADS).join(id)
    }

    /// Begins to upload a body.
    pub(super) fn begin(&self, id: &str) -> Upload {
        Upload { bucket: self.clone(), id: id.to_owned(), next: Vec::new(), parts: None }
    }

    pub(super) async fn read(&self, id: &str) -> Result<BoxStream<'static, std::io::Result<Bytes>>> {
        let got = self.s3.get(&self.path(id)).await.map_err(|cause| match cause {
            object_store::Error::NotFound { .. } => missing(id),
            cause => failed(cause),
        })?;
        Ok(got.into_stream().map_err(std::io::Error::other).boxed())
    }

    pub(super) async fn remove(&self, id: &str) -> Result<()> {
        self.remove_at(&self.path(id)).await
    }

    async fn remove_at(&self, path: &Path) -> Result<()> {
        match self.s3.delete(path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(cause) => Err(failed(cause)),
        }
    }

    /// Aborts what was on its way since before `then` and never arrived; returns how many uploads.
    pub(super) async fn abort_unfinished(&self, then: SystemTime) -> Result<u64> {
        let mut aborted = 0;
        let mut notes = self.s3.list(Some(&self.prefix.clone().join(UPLOADS)));
        while let Some(note) = notes.try_next().await.map_err(failed)? {
            let Some(id) = note.location.filename() else { continue };
            if SystemTime::from(note.last_modified) < then {
                let upload = self.text(&note.location).await?.unwrap_or_default();
                self.abort(id, &upload).await?;
                aborted += 1;
            }
        }
        Ok(aborted)
    }

    async fn abort(&self, id: &str, upload: &MultipartId) -> Result<()> {
        match self.s3.abort_multipart(&self.path(id), upload).await {
            // One that was completed or aborted is not there any more.
            Ok(()) | Err(object_store::Error::NotFound { .. }) => self.remove_at(&self.note(id)).await,
            Err(cause) => Err(failed(cause)),
        }
    }

    /// Returns the ids of bodies that arrived before `then`, a group at a time.
    pub(super) fn older_than(&self, then: SystemTime) -> BoxStream<'_, Result<Vec<String>>> {
        let depth = self.prefix.parts().count();
        let old = self.s3.list(Some(&self.prefix)).try_filter_map(move |object| {
            let names: Vec<_> = object.location.parts().skip(depth).map(|part| part.as_ref().to_owned()).collect();
            let body = match names.as_slice() {
                // Nothing but what we have put there ourselves is ours to remove.
                [folder, id] if folder == shard(id) && SystemTime::from(object.last_modified) < then => {
                    Some(id.clone())
                }
                _ => None,
            };
            async move { Ok(body) }
        });
        old.try_chunks(GROUP).map_err(|cause| failed(cause.1)).boxed()
    }

    /// Returns the mark of the store that the bucket belongs to.
    pub(super) async fn mark(&self) -> Result<Option<String>> {
        self.text(&self.prefix.clone().join(MARK)).await
    }

    /// Marks the bucket as that of a store, and returns its mark: another one if somebody was faster.
    pub(super) async fn set_mark(&self, mark: &str) -> Result<String> {
        let path = self.prefix.clone().join(MARK);
        let create = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match self.s3.put_opts(&path, PutPayload::from(mark.as_bytes().to_vec()), create).await {
            Ok(_) | Err(object_store::Error::AlreadyExists { .. }) => {
                Ok(self.text(&path).await?.unwrap_or_else(|| mark.to_owned()))
            }
            Err(cause) => Err(failed(cause)),
        }
    }

    async fn text(&self, path: &Path) -> Result<Option<String>> {
        match self.s3.get(path).await {
            Ok(got) => {
                let bytes = got.bytes().await.map_err(failed)?;
                Ok(Some(String::from_utf8_lossy(&bytes).trim().to_owned()))
            }
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(cause) => Err(failed(cause)),
        }
    }
}

/// A body on its way to the bucket: one part is sent while the next comes in. Dropped before its end, it is aborted.
pub(super) struct Upload {
    bucket: Bucket,
    id: String,
    next: Vec<u8>,
    parts: Option<Parts>,
}

/// The parts of an upload of several.
struct Parts {
    bucket: Bucket,
    id: String,
    upload: MultipartId,
    sent: Vec<PartId>,
    sending: Option<JoinHandle<object_store::Result<PartId>>>,
    completed: bool,
}

impl Upload {
    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.next.extend_from_slice(bytes);
        let parts = self.parts.as_ref().map_or(0, Parts::count);
        if self.next.len() >= part_size(parts) {
            self.send().await?;
        }
        Ok(())
    }

    async fn send(&mut self) -> Result<()> {
        let parts = match &mut self.parts {
            Some(parts) => parts,
            None => self.parts.insert(Parts::begin(&self.bucket, &self.id).await?),
        };
        let capacity = self.next.capacity();
        let part = std::mem::replace(&mut self.next, Vec::with_capacity(capacity));
        parts.send(part).await
    }

    pub(super) async fn finish(mut self) -> Result<()> {
        if self.parts.is_some() && !self.next.is_empty() {
            self.send().await?;
        }
        match self.parts.take() {
            Some(parts) => parts.complete().await,
            None => {
                let body = PutPayload::from(std::mem::take(&mut self.next));
                self.bucket.s3.put(&self.bucket.path(&self.id), body).await.map(drop).map_err(failed)
            }
        }
    }
}

impl Parts {
    /// Begins an upload, and notes it where a later sweep finds it should we be killed.
    async fn begin(bucket: &Bucket, id: &str) -> Result<Self> {
        let upload = bucket.s3.create_multipart(&bucket.path(id)).await.map_err(failed)?;
        let (id, sent) = (id.to_owned(), Vec::new());
        let parts = Self { bucket: bucket.clone(), id, upload, sent, sending: None, completed: false };
        let note = PutPayload::from(parts.upload.clone().into_bytes());
        bucket.s3.put(&bucket.note(&parts.id), note).await.map_err(failed)?;
        Ok(parts)
    }

    fn count(&self) -> usize {
        self.sent.len() + usize::from(self.sending.is_some())
    }

    async fn send(&mut self, part: Vec<u8>) -> Result<()> {
        self.arrived().await?;
        if self.count() == MOST_PARTS {
            return Err(Problem::new(&codes::store::BLOB_FAILED, "a file is larger than an object can be"));
        }
        let (s3, path, upload, index) =
            (self.bucket.s3.clone(), self.bucket.path(&self.id), self.upload.clone(), self.sent.len());
        self.sending = Some(tokio::spawn(async move { s3.put_part(&path, &upload, index, part.into()).await }));
        Ok(())
    }

    /// Waits for the part that is on its way.
    async fn arrived(&mut self) -> Result<()> {
        if let Some(sending) = &mut self.sending {
            let part = sending.await.map_err(object_store::Error::from).and_then(|sent| sent).map_err(failed)?;
            self.sending = None;
            self.sent.push(part);
        }
        Ok(())
    }

    async fn complete(mut self) -> Result<()> {
        self.arrived().await?;
        let (path, parts) = (self.bucket.path(&self.id), std::mem::take(&mut self.sent));
        self.bucket.s3.complete_multipart(&path, &self.upload, parts).await.map_err(failed)?;
        self.completed = true;
        // A note that stays is swept; aborting what is complete does nothing.
        let _ = self.bucket.remove_at(&self.bucket.note(&self.id)).await;
        Ok(())
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        // Without a runtime the process is ending, and the sweep finds the note.
        if !self.completed
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let (bucket, id, upload) = (self.bucket.clone(), self.id.clone(), self.upload.clone());
            let sending = self.sending.take();
            runtime.spawn(async move {
                // A part that arrives after the abort would stay.
                if let Some(sending) = sending {
                    let _ = sending.await;
                }
                if let Err(problem) = bucket.abort(&id, &upload).await {
                    tracing::debug!(%problem, "an upload that broke off is left to the sweep");
                }
            });
        }
    }
}

/// Returns the size of the next part after so many.
fn part_size(parts: usize) -> usize {
    PART << (parts / PARTS_OF_ONE_SIZE).min(MOST_PARTS / PARTS_OF_ONE_SIZE - 1)
}

/// Turns a failure of the bucket into a problem. What a server says of a refusal may hold the key id, so it is left out.
fn failed(cause: object_store::Error) -> Problem {
    use object_store::Error;
    match cause {
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
            Problem::new(&codes::store::BUCKET_REFUSED, "the bucket does not let us in")
        }
        cause => Problem::new(&codes::store::BLOB_FAILED, "in the bucket").caused_by(cause),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_parts_hold_the_largest_object_and_small_ones_stay_small() {
        let sizes: Vec<u64> = (0..MOST_PARTS).map(|index| part_size(index) as u64).collect();
        assert!(sizes.iter().all(|size| (5 << 20..=5 << 30).contains(size)));
        // 5 TB is what S3 calls the limit; 4.88 TiB are 5.36 TB.
        assert!(sizes.iter().sum::<u64>() > 5_000_000_000_000);
        assert_eq!(sizes[..999].iter().max(), Some(&(5 << 20)), "up to 5 GiB two parts of 5 MiB are in memory");
        assert_eq!(part_size(MOST_PARTS + 1), part_size(MOST_PARTS - 1));
    }

    #[test]
    fn what_lets_us_in_is_not_shown() {
        let credentials = Credentials { key: "the-key".into(), secret: Zeroizing::new("hush".into()), token: None };
        assert_eq!(format!("{credentials:?}"), "Credentials(hidden)");
    }
}
