//! Checks and chores: `cargo xtask test | tools | check-arch | check-house | docs [--check] | crash [--kills N]`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a chore talks to the person who runs it")]

mod arch;
mod browser;
mod docs;
mod house;
mod suite;
mod tools;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

const USAGE: &str = "\
cargo xtask test          everything that CI runs; installs what is missing, or says what to install
cargo xtask tools         only that: install what the tests need, or say what to install
cargo xtask check-arch    the arrows of ARCHITECTURE.md
cargo xtask check-house   file sizes, unfinished work, words that do not belong here
cargo xtask crash         kill the server at random moments (--kills N: so often, on each database) and look whether anything is lost
cargo xtask docs          write the generated pages (docs/ERRORS.md); with --check, fail if they are stale";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = root().and_then(|root| match words.as_slice() {
        ["test"] => suite::run(&root),
        ["tools"] => tools::ensure().map(|()| println!("every tool is there")),
        ["check-arch"] => arch::check(&root).map(|()| println!("every arrow points where it may")),
        ["check-house"] => house::check(&root).map(|()| println!("the house is in order")),
        ["crash"] => suite::crash(&root, "200"),
        ["crash", "--kills", kills] => suite::crash(&root, kills),
        ["docs"] => docs::write(&root),
        ["docs", "--check"] => docs::check(&root),
        _ => bail!("{USAGE}"),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Returns the folder of the workspace.
fn root() -> Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(here.parent().context("xtask lies in the workspace")?.to_owned())
}
