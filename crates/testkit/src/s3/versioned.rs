//! A bucket that keeps versions, as AWS' versioned buckets do: a plain delete only adds a marker. It lists two at a time.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, DeleteMarkerEntry, DeleteObjectInput, DeleteObjectOutput,
    ListMultipartUploadsInput, ListMultipartUploadsOutput, ListObjectVersionsInput, ListObjectVersionsOutput,
    MultipartUpload, ObjectVersion,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};
use tokio::sync::oneshot;

use super::serve;

const PAGE: usize = 2;

/// One thing in the bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A version of an object.
    Version,
    /// A version that must not be removed yet.
    Held,
    /// What a plain delete left.
    Marker,
    /// An upload that nobody finished.
    Upload,
}

/// Things by key and version or upload id.
type Things = Vec<(String, String, Kind)>;

/// A running server; it stops when it is dropped.
pub struct Versioned {
    address: SocketAddr,
    bucket: Bucket,
    _stop: oneshot::Sender<()>,
}

#[derive(Clone, Default)]
struct Bucket(Arc<Mutex<Things>>);

impl Versioned {
    /// Starts a server on a free loopback port, whose every bucket is the same one.
    ///
    /// # Errors
    /// If there is no port for it.
    pub fn start() -> Result<Self> {
        let bucket = Bucket::default();
        let (address, stop) = serve(bucket.clone())?;
        Ok(Self { address, bucket, _stop: stop })
    }

    /// Returns its address.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Puts something into the bucket.
    pub fn put(&self, key: &str, id: &str, kind: Kind) {
        let mut things = self.bucket.things();
        things.push((key.to_owned(), id.to_owned(), kind));
        things.sort_by(|one, other| (&one.0, &one.1).cmp(&(&other.0, &other.1)));
    }

    /// Returns the keys of all things that are there.
    pub fn keys(&self) -> Vec<String> {
        self.bucket.things().iter().map(|(key, ..)| key.clone()).collect()
    }
}

impl Bucket {
    fn things(&self) -> MutexGuard<'_, Things> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a page of what is listed behind a place, and where the next begins.
    fn page(
        &self,
        uploads: bool,
        prefix: Option<&String>,
        after: (Option<&String>, Option<&String>),
    ) -> (Things, Option<(String, String)>) {
        let prefix = prefix.map_or("", String::as_str);
        let behind = |key: &String, id: &String| match after {
            (Some(last), Some(last_id)) => (key, id) > (last, last_id),
            _ => true,
        };
        let mut found: Things = self.things().clone();
        found
            .retain(|(key, id, kind)| key.starts_with(prefix) && (*kind == Kind::Upload) == uploads && behind(key, id));
        let more = found.len() > PAGE;
        found.truncate(PAGE);
        let next = found.last().filter(|_| more).map(|(key, id, _)| (key.clone(), id.clone()));
        (found, next)
    }

    fn remove(&self, key: &str, id: &str) -> S3Result<()> {
        let mut things = self.things();
        if things.iter().any(|(k, i, kind)| k == key && i == id && *kind == Kind::Held) {
            return Err(s3_error!(AccessDenied, "object is WORM protected"));
        }
        things.retain(|(k, i, _)| k != key || i != id);
        Ok(())
    }
}

#[async_trait::async_trait]
impl s3s::S3 for Bucket {
    async fn list_object_versions(
        &self,
        request: S3Request<ListObjectVersionsInput>,
    ) -> S3Result<S3Response<ListObjectVersionsOutput>> {
        let asked = request.input;
        let after = (asked.key_marker.as_ref(), asked.version_id_marker.as_ref());
        let (found, next) = self.page(false, asked.prefix.as_ref(), after);
        let mut listed = ListObjectVersionsOutput { is_truncated: Some(next.is_some()), ..Default::default() };
        (listed.next_key_marker, listed.next_version_id_marker) = next.unzip();
        for (key, id, kind) in found {
            let (key, version_id) = (Some(key), Some(id));
            if kind == Kind::Marker {
                let entry = DeleteMarkerEntry { key, version_id, ..Default::default() };
                listed.delete_markers.get_or_insert_default().push(entry);
            } else {
                let entry = ObjectVersion { key, version_id, ..Default::default() };
                listed.versions.get_or_insert_default().push(entry);
            }
        }
        Ok(S3Response::new(listed))
    }

    async fn list_multipart_uploads(
        &self,
        request: S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        let asked = request.input;
        let after = (asked.key_marker.as_ref(), asked.upload_id_marker.as_ref());
        let (found, next) = self.page(true, asked.prefix.as_ref(), after);
        let mut listed = ListMultipartUploadsOutput { is_truncated: Some(next.is_some()), ..Default::default() };
        (listed.next_key_marker, listed.next_upload_id_marker) = next.unzip();
        let upload = |(key, id, _)| MultipartUpload { key: Some(key), upload_id: Some(id), ..Default::default() };
        listed.uploads = Some(found.into_iter().map(upload).collect());
        Ok(S3Response::new(listed))
    }

    async fn delete_object(&self, request: S3Request<DeleteObjectInput>) -> S3Result<S3Response<DeleteObjectOutput>> {
        let asked = request.input;
        match &asked.version_id {
            Some(version) => self.remove(&asked.key, version)?,
            None => {
                let mut things = self.things();
                let number = things.len();
                things.push((asked.key, format!("marker-{number}"), Kind::Marker));
            }
        }
        Ok(S3Response::new(DeleteObjectOutput::default()))
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        self.remove(&request.input.key, &request.input.upload_id)?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }
}
