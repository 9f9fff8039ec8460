//! Runs the real binary: a server on a free loopback port, and commands beside it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

/// The binary under test, without settings that this machine's environment may hold.
pub fn moveout() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_moveout"));
    command.env_clear().env("PATH", "/usr/bin:/bin").env("NO_COLOR", "1").stdin(Stdio::null());
    command
}

/// Runs a command in `folder` to its end and returns exit code, stdout and stderr.
pub fn run(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = moveout().current_dir(folder).args(arguments).output().unwrap();
    words(&output)
}

fn words(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

/// Runs a command that must end with exit code 0 and print one JSON value.
pub fn json(folder: &Path, arguments: &[&str]) -> serde_json::Value {
    let (code, out, err) = run(folder, arguments);
    assert_eq!(code, 0, "{arguments:?}: {out}{err}");
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{arguments:?} printed no JSON ({error}): {out}"))
}

/// A running `moveout serve`, killed when it is dropped.
pub struct Server {
    child: Child,
    /// Where it answers, for example `http://127.0.0.1:43211`.
    pub url: String,
}

impl Server {
    /// Starts a server on a free port, with its store in `folder/data`.
    pub fn start(folder: &Path) -> Self {
        let mut child = moveout()
            .current_dir(folder)
            .args(["serve", "--data", "data", "--listen", "127.0.0.1:0"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let url = lines
            .by_ref()
            .map(Result::unwrap)
            .find_map(|line| {
                let from = line.find("http://127.0.0.1:")?;
                Some(line[from..].split_whitespace().next()?.trim_end_matches('/').to_owned())
            })
            .expect("the server says where it answers");
        // Whoever does not read a pipe to its end stops the writer one day.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url }
    }

    /// Ends the server as a power failure would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer of the server.
pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: String,
}

impl Answer {
    /// Returns the body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.body))
    }
}

/// Sends one request. Redirects are not followed.
pub async fn send(method: &str, url: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
    static CLIENT: OnceLock<net::Client> = OnceLock::new();
    let client = CLIENT.get_or_init(|| net::Client::new(net::Policy::operator()));
    let mut request = client.request(method.parse().unwrap(), url).unwrap().body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = net::send(request).await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = net::read_limited(response, 8 << 20).await.unwrap();
    Answer { status, headers, body: String::from_utf8_lossy(&body).into_owned() }
}
