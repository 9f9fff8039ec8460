//! An S3 server over a temporary folder, in a thread of the test's process: signatures are checked, conditional writes too.

mod versioned;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::Result;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tokio::sync::oneshot;

pub use versioned::{Kind, Versioned};

/// The key that is let in.
pub const ACCESS_KEY: &str = "test-access-key";
/// Its secret.
pub const SECRET_KEY: &str = "test-secret-key";

/// A running server; it stops when it is dropped.
pub struct S3 {
    address: SocketAddr,
    folder: tempfile::TempDir,
    _stop: oneshot::Sender<()>,
}

impl S3 {
    /// Starts a server on a free loopback port.
    ///
    /// # Errors
    /// If there is no port or folder for it.
    pub fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let files = s3s_fs::FileSystem::new(folder.path()).map_err(|error| anyhow::anyhow!("{error:?}"))?;
        let (address, stop) = serve(files)?;
        Ok(Self { address, folder, _stop: stop })
    }

    /// Returns its address, for example `http://127.0.0.1:43211`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Makes a bucket, if there is none of this name, and returns the folder of its objects.
    ///
    /// # Errors
    /// If the folder cannot be made.
    pub fn bucket(&self, name: &str) -> Result<PathBuf> {
        let folder = self.folder.path().join(name);
        std::fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// Returns the keys of a bucket's objects, in order.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn keys(&self, bucket: &str) -> Result<Vec<String>> {
        let root = self.folder.path().join(bucket);
        let mut keys = Vec::new();
        collect(&root, &root, &mut keys)?;
        keys.sort();
        Ok(keys)
    }

    /// Returns how many parts of unfinished uploads lie around.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn unfinished_parts(&self) -> Result<usize> {
        let names = std::fs::read_dir(self.folder.path())?.map(|entry| Ok(entry?.file_name()));
        let names = names.collect::<Result<Vec<_>>>()?;
        Ok(names.iter().filter(|name| name.to_string_lossy().contains(".part-")).count())
    }
}

/// Serves in a thread of its own (the test may wait for a process that talks to the server) until what is returned is dropped.
fn serve(store: impl s3s::S3) -> Result<(SocketAddr, oneshot::Sender<()>)> {
    let mut service = S3ServiceBuilder::new(store);
    service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
    let service = service.build();
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("s3".to_owned()).spawn(move || {
        runtime.block_on(async move {
            let serve = async {
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
                while let Ok((socket, _)) = listener.accept().await {
                    let service = service.clone();
                    tokio::spawn(async move {
                        let builder = Builder::new(TokioExecutor::new());
                        // A client that goes away is its own matter.
                        let _ = builder.serve_connection(TokioIo::new(socket), service).await;
                    });
                }
            };
            tokio::select! { () = serve => {}, _ = stopped => {} }
        });
    })?;
    Ok((address, stop))
}

fn collect(root: &Path, folder: &Path, keys: &mut Vec<String>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, keys)?;
        } else {
            keys.push(path.strip_prefix(root)?.to_string_lossy().into_owned());
        }
    }
    Ok(())
}
