//! Pages that are written from the code, so that they cannot be wrong.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result, bail};
use model::Verdict;

/// A generated page.
struct Page {
    path: &'static str,
    text: fn() -> String,
}

const PAGES: &[Page] = &[Page { path: "docs/ERRORS.md", text: errors }];

/// Writes every generated page.
pub fn write(root: &Path) -> Result<()> {
    for page in PAGES {
        let path = root.join(page.path);
        std::fs::create_dir_all(path.parent().context("a page lies in a folder")?)?;
        std::fs::write(&path, (page.text)()).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(())
}

/// Fails if a generated page is not what the code says.
pub fn check(root: &Path) -> Result<()> {
    for Page { path, text } in PAGES {
        if std::fs::read_to_string(root.join(path)).unwrap_or_default() != text() {
            bail!("{path} is stale: run `cargo xtask docs`");
        }
    }
    Ok(())
}

/// Writes the catalogue of errors.
fn errors() -> String {
    let mut page = String::from(
        "# Errors\n\nEvery failure has a code, a verdict that drives what happens next, and a step for you. This page is written from `model/src/codes` by `cargo xtask docs`.\n\n\
         | code | what happened | verdict | HTTP | what you can do |\n|---|---|---|---|---|\n",
    );
    for code in model::codes::all() {
        let verdict = match code.verdict {
            Verdict::Retry => "tried again by itself",
            Verdict::Permanent => "permanent",
            Verdict::NeedsUser => "needs the person",
            Verdict::NeedsPartner => "needs the partner",
            Verdict::Blocked => "blocked until mended",
        };
        // A String takes whatever is written to it.
        let _ = writeln!(
            page,
            "| <a id=\"{code}\"></a>{code} | {} | {verdict} | {} | {} |",
            code.title, code.status, code.next
        );
    }
    page
}
