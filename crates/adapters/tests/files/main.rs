//! Systems of files: folders, WebDAV servers and buckets. Exactly the person's files go, and nothing wider.

mod dir;
mod s3;
mod scene;
mod webdav;
