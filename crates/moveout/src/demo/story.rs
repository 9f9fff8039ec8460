//! The demo in words: what moved, what was erased, what was kept and why.

use std::fmt::Write;

use model::erasure::RequestView;
use model::transfer::TransferView;

use super::script::Outcome;
use super::words::DISPLAY_NAME;
use crate::table::Table;

/// Tells what came of the demo.
pub fn tell(outcome: &Outcome) -> String {
    let mut text = format!("\n{DISPLAY_NAME} has moved out, and the shop has forgotten her.\n\n");
    text += &moved(&outcome.transfer);
    text += &forgotten(&outcome.erasure);
    let receipt = outcome.receipt.as_ref().map(|path| path.display().to_string());
    // Writing into a string does not fail.
    let _ = writeln!(text, "status page  {}", outcome.status_url);
    let _ = writeln!(text, "receipt      {}", receipt.as_deref().unwrap_or("none"));
    if let Some(path) = &outcome.receipt {
        let key = path.with_file_name("receipt.key");
        let _ = writeln!(text, "             moveout receipt verify {} --key {}", path.display(), key.display());
    }
    let _ = writeln!(text, "took         {:.1} s", outcome.seconds);
    text
}

fn moved(view: &TransferView) -> String {
    let mut table = Table::new(["", "read", "written", "there before", "refused", "failed", "uncertain", "bytes"]);
    for (data_type, tally) in &view.types {
        let counts = [tally.read, tally.written, tally.already_there, tally.refused, tally.failed, tally.uncertain];
        table.row(data_type.name(), counts.into_iter().chain([tally.bytes]));
    }
    let mut text = format!("Moved ({})\n{table}difference {}\n", view.state, view.difference);
    for problem in &view.problems {
        let _ = writeln!(text, "{} {} {}: {}", problem.count, problem.data_type, problem.state, problem.reason.title);
    }
    text + "\n"
}

fn forgotten(view: &RequestView) -> String {
    let mut text = format!("Forgotten ({})\n", view.state);
    if let Some(reason) = &view.reason {
        let _ = writeln!(text, "{reason}");
    }
    for system in &view.systems {
        let mut table = Table::new(["", "found", "erased", "kept", "remaining"]);
        for result in &system.tables {
            table.row(&result.name, [result.found, result.erased, result.kept, result.remaining]);
        }
        let _ = write!(text, "{}: {}\n{table}", system.name, system.state);
    }
    for kept in &view.kept {
        let until = kept.until.map(|until| format!(", until {}", until.strftime("%Y-%m-%d"))).unwrap_or_default();
        let _ = writeln!(text, "kept: {} ({}, {}{until})", kept.what, kept.ground, kept.law);
    }
    text + "\n"
}
