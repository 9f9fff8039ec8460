//! Pages in a real browser: Chromium driven by playwright-core, judged by axe-core.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::suite::{self, Tally};

/// Installs the pinned npm packages and runs the browser tests against the binary that cargo has just built.
pub fn run(root: &Path, tally: &mut Tally) -> Result<()> {
    let folder = root.join("crates/moveout/tests/browser");
    let installed = Command::new("npm")
        .args(["ci", "--no-audit", "--no-fund", "--silent"])
        .current_dir(&folder)
        .status()
        .context("npm cannot be run")?;
    if !installed.success() {
        bail!("npm ci failed in {}", folder.display());
    }
    suite::count(Command::new("node").args(["--test", "--test-reporter=tap"]).current_dir(&folder), tally)
}
