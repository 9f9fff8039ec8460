//! A server that lives as long as the test process.
//!
//! It hangs on a pipe: when the test process ends, in whatever way, the pipe closes, and the script that started the
//! server stops it and removes its files.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context, Result, ensure};

/// A running server.
pub(crate) struct Service {
    _shell: Child,
    _lifeline: ChildStdin,
}

impl Service {
    /// Runs a script that starts a server, prints `ready`, and stops the server at the end of its input.
    pub(crate) fn start(script: &str, arguments: &[&str]) -> Result<Self> {
        let mut shell = Command::new("sh")
            .args(["-c", script, "sh"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let lifeline = shell.stdin.take().context("stdin is piped")?;
        let mut said = String::new();
        BufReader::new(shell.stdout.take().context("stdout is piped")?).read_line(&mut said)?;
        ensure!(said == "ready\n", "the server did not start; its words are above");
        Ok(Self { _shell: shell, _lifeline: lifeline })
    }
}

/// Returns a port of the loopback interface that nobody listens on.
pub(crate) fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Tells whether this process runs as root, which some servers refuse and others must be told of.
pub(crate) fn is_root() -> Result<bool> {
    // The owner of our own process folder, without calling libc.
    Ok(std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self")?) == 0)
}
