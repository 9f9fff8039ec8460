//! Rules of the house that no compiler knows: small files, nothing unfinished, nothing that does not belong here.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// The most lines a source file may have.
const MAX_LINES: usize = 500;

/// Words that mean unfinished or switched-off work. Written apart so that this list does not find itself.
const UNFINISHED: &[&str] = &[
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("#[ig", "nore"),
    concat!("FIX", "ME"),
    concat!("#[al", "low("),
];

/// Fails with every place that breaks a rule.
pub fn check(root: &Path) -> Result<()> {
    let mut wrong = Vec::new();
    for file in sources(root)? {
        let text = std::fs::read_to_string(root.join(&file)).with_context(|| format!("{file} cannot be read"))?;
        let lines = text.lines().count();
        if lines > MAX_LINES {
            wrong.push(format!("{file}: {lines} lines; split it by subject ({MAX_LINES} at most)"));
        }
        for (number, line) in text.lines().enumerate() {
            if let Some(word) = UNFINISHED.iter().find(|word| line.contains(**word)) {
                wrong.push(format!("{file}:{}: {word}", number + 1));
            }
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        bail!("rules of CONTRIBUTING.md that do not hold:\n  {}", wrong.join("\n  "))
    }
}

/// Returns the Rust files that git knows of, or would add.
fn sources(root: &Path) -> Result<Vec<String>> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "*.rs"])
        .current_dir(root)
        .output()
        .context("git is needed to list the sources")?;
    let files = String::from_utf8(output.stdout).context("file names are UTF-8")?;
    Ok(files.lines().filter(|file| root.join(file).exists()).map(str::to_owned).collect())
}
