//! A WebDAV server (WsgiDAV) over a temporary folder, on a free loopback port, gone with whoever started it.
//!
//! It comes from PyPI into a virtual environment under the target folder, once. It hangs on a pipe like the other services.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context, Result, ensure};

/// Who is let in.
pub const USER: &str = "zoe";
/// With which password.
pub const PASSWORD: &str = "test-password";

const PACKAGES: &[&str] = &["wsgidav==4.4.0", "cheroot==11.1.2"];

/// Starts a server, and at the end of its input stops it. `$1` environment, `$2` folder, `$3` port.
const SCRIPT: &str = r#"
set -eu
folder=$2
server=
trap 'if [ -n "$server" ]; then kill -9 "$server" 2>/dev/null || true; fi' EXIT
trap '' INT TERM
cd "$folder"
"$1/bin/wsgidav" -c "$folder/config.yaml" >"$folder/log" 2>&1 </dev/null &
server=$!
until (exec 3<>"/dev/tcp/127.0.0.1/$3") 2>/dev/null; do
  kill -0 "$server" 2>/dev/null || { cat "$folder/log" >&2; exit 1; }
  sleep 0.05
done
echo ready
cat >/dev/null
"#;

/// A running server.
pub struct WebDav {
    port: u16,
    folder: tempfile::TempDir,
    running: Option<(Child, ChildStdin)>,
}

impl WebDav {
    /// Starts one; `target` is where its programs are kept between runs.
    ///
    /// # Panics
    /// If it cannot be installed or does not start: a missing service is a failure, not a skip.
    pub fn start(target: &Path) -> Self {
        Self::try_start(target).expect("WsgiDAV is needed for this test: apt-get install -y python3-venv")
    }

    fn try_start(target: &Path) -> Result<Self> {
        let programs = environment(target)?;
        let folder = tempfile::tempdir()?;
        std::fs::create_dir(folder.path().join("files"))?;
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let config = format!(
            "host: 127.0.0.1\nport: {port}\nprovider_mapping:\n  '/': '{}/files'\nsimple_dc:\n  user_mapping:\n    '*':\n      '{USER}':\n        password: '{PASSWORD}'\nhttp_authenticator:\n  accept_basic: true\n  accept_digest: false\n  default_to_digest: false\nlogging:\n  enable: false\nverbose: 1\n",
            folder.path().display()
        );
        std::fs::write(folder.path().join("config.yaml"), config)?;
        let mut shell = Command::new("bash")
            .args(["-c", SCRIPT, "bash"])
            .arg(programs)
            .arg(folder.path())
            .arg(port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let lifeline = shell.stdin.take().context("stdin is piped")?;
        let mut said = String::new();
        BufReader::new(shell.stdout.take().context("stdout is piped")?).read_line(&mut said)?;
        ensure!(said == "ready\n", "the server did not start; its words are above");
        Ok(Self { port, folder, running: Some((shell, lifeline)) })
    }

    /// Returns its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the folder that it serves as `/`.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().join("files")
    }
}

impl Drop for WebDav {
    fn drop(&mut self) {
        if let Some((mut shell, lifeline)) = self.running.take() {
            drop(lifeline);
            let _ = shell.wait();
        }
    }
}

/// Returns the virtual environment, making it if it is not there; tests that start together make it once.
fn environment(target: &Path) -> Result<PathBuf> {
    let folder = target.join(PACKAGES.join("-").replace("==", "-"));
    let lock = File::create(target.join("webdav.lock"))?;
    lock.lock()?;
    if folder.join("complete").is_file() {
        return Ok(folder);
    }
    let run = |command: &mut Command| -> Result<()> {
        let output = command.stdin(Stdio::null()).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    };
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    run(Command::new(folder.join("bin/pip")).args(["install", "-q", "--disable-pip-version-check"]).args(PACKAGES))?;
    File::create(folder.join("complete"))?;
    Ok(folder)
}
