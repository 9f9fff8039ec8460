//! A temporary Redis on a free loopback port, gone with whoever started it.
//!
//! It hangs on a pipe like the PostgreSQL beside it: when the pipe closes, in whatever way, the server stops.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context, Result, ensure};

/// Starts a server under its own name, and at the end of its input stops it. `$1` program, `$2…` arguments.
const SCRIPT: &str = r#"
set -eu
folder=$(mktemp -d)
server=
trap 'if [ -n "$server" ]; then kill -9 "$server" 2>/dev/null || true; fi; rm -rf "$folder"' EXIT
trap '' INT TERM
ln -s "$1" "$folder/redis-server"
shift
cd "$folder"
"$folder/redis-server" --save '' --appendonly no --dir "$folder" "$@" >"$folder/log" 2>&1 </dev/null &
server=$!
until grep -q 'Ready to accept connections' "$folder/log"; do
  kill -0 "$server" 2>/dev/null || { cat "$folder/log" >&2; exit 1; }
  sleep 0.02
done
echo ready
cat >/dev/null
"#;

/// A running server.
pub struct Redis {
    port: u16,
    options: Vec<String>,
    running: Option<(Child, ChildStdin)>,
}

impl Redis {
    /// Starts one with further options of the command line, `--requirepass` and the like; `{port}` in them is its port.
    ///
    /// # Panics
    /// If Redis is not installed or does not start: a missing service is a failure, not a skip.
    pub fn start(options: &[&str]) -> Self {
        let port = || Ok::<_, std::io::Error>(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port());
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        let mut redis = Self { port: port().expect("a free port"), options, running: None };
        redis.resume();
        redis
    }

    /// Stops the server; what it held is lost.
    pub fn stop(&mut self) {
        if let Some((mut shell, lifeline)) = self.running.take() {
            drop(lifeline);
            let _ = shell.wait();
        }
    }

    /// Starts it again on the same port.
    ///
    /// # Panics
    /// As [`Redis::start`].
    pub fn resume(&mut self) {
        self.running = Some(self.run().expect("Redis is needed for this test"));
    }

    /// Returns its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns its address, without a database number.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Runs one command with `redis-cli` and returns what it prints, without the newline at its end.
    ///
    /// # Panics
    /// If it cannot be run, or the server answers with an error.
    pub fn ask(&self, command: &[&str]) -> String {
        let output = Command::new("redis-cli")
            .args(["-p", &self.port.to_string(), "-e"])
            .args(command)
            .stdin(Stdio::null())
            .output()
            .expect("redis-cli is beside the server");
        let said = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
        assert!(output.status.success(), "{command:?}: {said}{}", String::from_utf8_lossy(&output.stderr));
        said
    }

    fn run(&self) -> Result<(Child, ChildStdin)> {
        let program = program().context("no Redis: apt-get install -y redis-tools")?;
        let mut shell = Command::new("sh")
            .args(["-c", SCRIPT, "sh"])
            .arg(program)
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .args(self.options.iter().map(|option| option.replace("{port}", &self.port.to_string())))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let lifeline = shell.stdin.take().context("stdin is piped")?;
        let mut said = String::new();
        BufReader::new(shell.stdout.take().context("stdout is piped")?).read_line(&mut said)?;
        ensure!(said == "ready\n", "the server did not start; its words are above");
        Ok((shell, lifeline))
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Returns the server's program: in Debian's redis-tools it is there under the name of a helper that is the same file.
fn program() -> Option<PathBuf> {
    let folders = ["/usr/bin", "/usr/local/bin"];
    let names = ["redis-server", "valkey-server", "redis-check-rdb"];
    let paths = names.iter().flat_map(|name| folders.iter().map(move |folder| PathBuf::from(folder).join(name)));
    paths.into_iter().find(|path| path.is_file())
}
