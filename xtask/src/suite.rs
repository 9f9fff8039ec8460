//! `cargo xtask test`: everything that CI runs, in the order in which it fails fastest.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::{arch, browser, docs, house, tools};

/// Tests that passed and failed so far.
#[derive(Default)]
pub struct Tally {
    pub passed: u64,
    pub failed: u64,
}

/// Runs every check and every test, and ends with one line that counts them.
pub fn run(root: &Path) -> Result<()> {
    step("tools", tools::ensure)?;
    step("formatting", || cargo(root, &["fmt", "--all", "--check"]))?;
    step("the house", || house::check(root).and_then(|()| docs::check(root)).and_then(|()| arch::check(root)))?;
    step("clippy", || {
        cargo(root, &["clippy", "--workspace", "--lib", "--bins", "--", "-D", "warnings"])?;
        // Tests may unwrap, be long and hold tables of tuples; they may not be careless otherwise.
        let relaxed =
            ["unwrap_used", "panic", "too_many_lines", "type_complexity"].map(|lint| format!("-Aclippy::{lint}"));
        let relaxed: Vec<&str> = relaxed.iter().map(String::as_str).collect();
        cargo(root, &[&["clippy", "--workspace", "--tests", "--", "-D", "warnings"][..], &relaxed].concat())
    })?;
    let mut tally = Tally::default();
    let tests = step("unit, store, end-to-end and doc tests", || {
        count(
            Command::new(cargo_program()).args(["test", "--workspace", "--no-fail-fast"]).current_dir(root),
            &mut tally,
        )
    });
    let pages = step("pages in a browser", || browser::run(root, &mut tally));
    println!("\n{} passed, {} failed", tally.passed, tally.failed);
    tests.and(pages)
}

/// Runs the crash tests with so many kills on each database.
pub fn crash(root: &Path, kills: &str) -> Result<()> {
    let kills = format!("kills={}", kills.parse::<u32>().context("--kills takes a number")?);
    // To the test harness the number is a filter that matches nothing.
    cargo(root, &["test", "--package", "moveout", "--test", "end_to_end", "--", "crash::", &kills])
}

fn step(name: &str, work: impl FnOnce() -> Result<()>) -> Result<()> {
    println!("\n== {name}");
    work().with_context(|| format!("{name}: failed"))
}

fn cargo(root: &Path, arguments: &[&str]) -> Result<()> {
    let status =
        Command::new(cargo_program()).args(arguments).current_dir(root).status().context("cargo cannot be run")?;
    if status.success() { Ok(()) } else { bail!("cargo {} failed", arguments.join(" ")) }
}

/// Returns the cargo that runs us.
#[expect(clippy::disallowed_methods, reason = "cargo tells its children which cargo they belong to")]
fn cargo_program() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

/// Runs a test command, shows its output as it comes, and counts what it says of passed and failed tests.
pub fn count(command: &mut Command, tally: &mut Tally) -> Result<()> {
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("{command:?} cannot be run"))?;
    let output = child.stdout.take().context("the output is piped")?;
    for line in BufReader::new(output).lines() {
        let line = line.context("the output is text")?;
        println!("{line}");
        if let Some((passed, failed)) = counts(&line) {
            tally.passed += passed;
            tally.failed += failed;
        }
    }
    if child.wait()?.success() { Ok(()) } else { bail!("tests failed") }
}

/// Reads `test result: ok. 3 passed; 0 failed; …` (cargo) and `# pass 3`, `# fail 0` (node).
fn counts(line: &str) -> Option<(u64, u64)> {
    let number = |text: &str| text.trim().parse().ok();
    if let Some(count) = line.strip_prefix("# pass ").or_else(|| line.strip_prefix("ℹ pass ")) {
        return Some((number(count)?, 0));
    }
    if let Some(count) = line.strip_prefix("# fail ").or_else(|| line.strip_prefix("ℹ fail ")) {
        return Some((0, number(count)?));
    }
    let (_, result) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let mut parts = result.split("; ");
    let passed = number(parts.next()?.strip_suffix(" passed")?)?;
    let failed = number(parts.next()?.strip_suffix(" failed")?)?;
    Some((passed, failed))
}

#[cfg(test)]
mod tests {
    use super::counts;

    #[test]
    fn reads_what_test_runners_say() {
        assert_eq!(
            counts("test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out"),
            Some((3, 2))
        );
        assert_eq!(counts("# pass 7"), Some((7, 0)));
        assert_eq!(counts("# fail 1"), Some((0, 1)));
        assert_eq!(counts("running 3 tests"), None);
    }
}
