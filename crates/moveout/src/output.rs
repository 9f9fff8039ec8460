//! What a command says: results on stdout, as words or as JSON; everything else on stderr.

use std::io::{IsTerminal, Write};

use serde::Serialize;
use tracing_subscriber::EnvFilter;

/// Where a command's words go.
#[derive(Clone, Copy, Debug)]
pub struct Out {
    json: bool,
}

impl Out {
    /// Creates it; `json` says whether programs are reading.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Tells whether programs are reading.
    pub fn is_json(self) -> bool {
        self.json
    }

    /// Prints the result: one JSON value on one line for programs, these words for people.
    pub fn result<T: Serialize>(self, value: &T, words: impl FnOnce() -> String) -> anyhow::Result<()> {
        let text = if self.json { serde_json::to_string(value)? } else { words() };
        self.print(&text)
    }

    /// Prints text on stdout, ending it with a newline. A reader that has gone away (`| head`) is no error.
    pub fn print(self, text: &str) -> anyhow::Result<()> {
        let newline = if text.ends_with('\n') { "" } else { "\n" };
        match write!(std::io::stdout().lock(), "{text}{newline}") {
            Err(cause) if cause.kind() != std::io::ErrorKind::BrokenPipe => Err(cause.into()),
            _ => Ok(()),
        }
    }

    /// Says something on stderr.
    pub fn note(self, text: &str) {
        // There is nowhere left to complain to.
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }
}

/// Starts the log on stderr: words on a terminal, JSON elsewhere.
pub fn start_log(filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter)?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        log.compact().init();
    } else {
        log.json().init();
    }
    Ok(())
}
