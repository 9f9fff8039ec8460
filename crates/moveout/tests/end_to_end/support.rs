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

/// Returns exit code, stdout and stderr of a command that has ended.
pub fn words(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

/// Runs a command that must end with exit code 0 and print one JSON value.
pub fn json(folder: &Path, arguments: &[&str]) -> serde_json::Value {
    let (code, out, err) = run(folder, arguments);
    assert_eq!(code, 0, "{arguments:?}: {out}{err}");
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{arguments:?} printed no JSON ({error}): {out}"))
}

/// A process of the binary, killed when it is dropped.
pub struct Process {
    child: Child,
    /// The line that it was waited for.
    pub said: String,
}

impl Process {
    /// Starts a command and returns once it says, on stderr, what holds `until`.
    pub fn start(command: &mut Command, until: &str) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut before = String::new();
        let said = lines.by_ref().map(Result::unwrap).find(|line| {
            before.push_str(line);
            line.contains(until)
        });
        let said = said.unwrap_or_else(|| panic!("it never says {until:?}, but: {before}"));
        // Whoever does not read a pipe to its end stops the writer one day.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, said }
    }

    /// Ends it as a power failure would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A running `moveout serve`, killed when it is dropped.
pub struct Server {
    process: Process,
    /// Where it answers, for example `http://127.0.0.1:43211`.
    pub url: String,
}

impl Server {
    /// Starts a server on a free port, with its store in `folder/data`.
    pub fn start(folder: &Path) -> Self {
        Self::launch(moveout().current_dir(folder).args(["--data", "data"]))
    }

    /// Starts a server on a free port, with the settings that the command has so far.
    pub fn launch(command: &mut Command) -> Self {
        const HERE: &str = "http://127.0.0.1:";
        let process = Process::start(command.args(["serve", "--listen", "127.0.0.1:0"]), HERE);
        let url = process.said.split_whitespace().find(|word| word.starts_with(HERE)).unwrap();
        Self { url: url.trim_end_matches('/').to_owned(), process }
    }

    /// Ends the server as a power failure would.
    pub fn kill(self) {
        self.process.kill();
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

/// Sends one request that must be answered. Redirects are not followed.
pub async fn send(method: &str, url: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
    try_send(method, url, headers, body).await.unwrap()
}

/// Sends one request to a server that may fall away meanwhile.
pub async fn try_send(method: &str, url: &str, headers: &[(&str, &str)], body: Vec<u8>) -> model::Result<Answer> {
    static CLIENT: OnceLock<net::Client> = OnceLock::new();
    let client = CLIENT.get_or_init(|| net::Client::new(net::Policy::operator()));
    let mut request = client.request(method.parse().unwrap(), url)?.body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = net::send(request).await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let body = net::read_limited(response, 8 << 20).await?;
    Ok(Answer { status, headers, body: String::from_utf8_lossy(&body).into_owned() })
}
