//! A small HTTP server that answers as a test says and remembers what it was asked.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Its method.
    pub method: String,
    /// Its path, with the query.
    pub path: String,
    /// Its headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: String,
}

impl Asked {
    /// Returns a header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

/// What is answered.
pub enum Reply {
    /// A status and a body.
    Answer(u16, String),
    /// A status, a header, and no body.
    With(u16, &'static str, &'static str),
    /// Nothing: the connection breaks after the request has arrived.
    Lost,
}

type Handler = Box<dyn Fn(&Asked) -> Reply + Send + Sync>;

/// A running server; it stops when it is dropped.
pub struct Api {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    stopped: Arc<AtomicBool>,
}

impl Api {
    /// Starts a server on a free loopback port.
    ///
    /// # Panics
    /// If there is no free port.
    pub fn start(handler: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let (asked, stopped) = (Arc::<Mutex<Vec<Asked>>>::default(), Arc::<AtomicBool>::default());
        let (log, stop, handler) = (asked.clone(), stopped.clone(), Arc::<Handler>::new(Box::new(handler)));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let (log, handler) = (log.clone(), handler.clone());
                std::thread::spawn(move || serve(stream, &log, &handler));
            }
        });
        Self { address, asked, stopped }
    }

    /// Returns its address, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns what it was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // The listener wakes up by one more connection, and ends.
        #[expect(clippy::disallowed_methods, reason = "a test's own server")]
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(mut stream: TcpStream, log: &Mutex<Vec<Asked>>, handler: &Handler) {
    let Some(asked) = read(&mut BufReader::new(&stream)) else { return };
    log.lock().unwrap_or_else(PoisonError::into_inner).push(asked.clone());
    let (status, header, body) = match handler(&asked) {
        Reply::Answer(status, body) => (status, String::new(), body),
        Reply::With(status, name, value) => (status, format!("{name}: {value}\r\n"), String::new()),
        Reply::Lost => return,
    };
    let length = if status == 204 { String::new() } else { format!("content-length: {}\r\n", body.len()) };
    let _ = write!(stream, "HTTP/1.1 {status} x\r\n{length}{header}connection: close\r\n\r\n{body}");
}

fn read(stream: &mut impl BufRead) -> Option<Asked> {
    let mut line = || {
        let mut line = String::new();
        stream.read_line(&mut line).ok().filter(|read| *read > 0).map(|_| line.trim_end().to_owned())
    };
    let first = line()?;
    let mut words = first.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let header = line()?;
        let Some((name, value)) = header.split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).ok()?;
    Some(Asked { method, path, headers, body: String::from_utf8_lossy(&body).into_owned() })
}
