//! A receiver of POST requests that behaves as badly as it is told to.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How a request is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// With this status.
    Status(u16),
    /// With this status and `Retry-After`, in seconds.
    Later(u16, u64),
    /// Not at all; the connection is closed.
    Close,
    /// Not at all; the connection stays open until [`Receiver::let_go`].
    Hang,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Received {
    /// The path.
    pub path: String,
    /// Its headers, with names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Its body.
    pub body: Vec<u8>,
}

/// A receiver on a free loopback port, gone when it is dropped.
pub struct Receiver {
    /// Its address, `http://127.0.0.1:PORT`.
    pub url: String,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

struct Shared {
    manners: Mutex<VecDeque<Manner>>,
    received: Mutex<Vec<Received>>,
    counted: watch::Sender<usize>,
    hanging: watch::Sender<bool>,
}

impl Receiver {
    /// Starts one that answers 200.
    ///
    /// # Panics
    /// If the machine has no loopback port left.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback has a free port");
        let url = format!("http://{}", listener.local_addr().expect("a bound port has an address"));
        let shared = Arc::new(Shared {
            manners: Mutex::default(),
            received: Mutex::default(),
            counted: watch::Sender::new(0),
            hanging: watch::Sender::new(true),
        });
        let serving = tokio::spawn(serve(listener, shared.clone()));
        Self { url, shared, serving }
    }

    /// Says how the next requests are met; those after them get 200.
    pub fn behave(&self, manners: impl IntoIterator<Item = Manner>) {
        *lock(&self.shared.manners) = manners.into_iter().collect();
    }

    /// Returns all requests so far, in the order in which they came.
    pub fn received(&self) -> Vec<Received> {
        lock(&self.shared.received).clone()
    }

    /// Returns when so many requests have come.
    ///
    /// # Panics
    /// If the receiver has ended.
    pub async fn has_received(&self, count: usize) {
        let mut counted = self.shared.counted.subscribe();
        counted.wait_for(|counted| *counted >= count).await.expect("the receiver lives");
    }

    /// Closes the connections that hang.
    pub fn let_go(&self) {
        self.shared.hanging.send_replace(false);
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = shared.clone();
        // Whoever breaks off a connection is no concern of the receiver.
        tokio::spawn(async move { drop(converse(stream, &shared).await) });
    }
}

/// Takes one request and meets it.
async fn converse(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    let request = read(&mut stream).await?;
    lock(&shared.received).push(request);
    shared.counted.send_modify(|counted| *counted += 1);
    let manner = lock(&shared.manners).pop_front().unwrap_or(Manner::Status(200));
    let (status, more) = match manner {
        Manner::Status(status) => (status, String::new()),
        Manner::Later(status, seconds) => (status, format!("retry-after: {seconds}\r\n")),
        Manner::Close => return Ok(()),
        Manner::Hang => {
            let _ = shared.hanging.subscribe().wait_for(|hanging| !hanging).await;
            return Ok(());
        }
    };
    let head = format!("HTTP/1.1 {status} As Told\r\n{more}content-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    stream.shutdown().await
}

async fn read(stream: &mut TcpStream) -> io::Result<Received> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).await?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line).await?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).await?;
    Ok(Received { path, headers, body })
}
