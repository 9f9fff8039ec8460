//! Transfers in words: a table of the sum, and what went wrong.

use engine::transfer::{ProblemCount, Survey};
use model::transfer::{Tally, TransferView};

use crate::table::Table;

/// Returns a transfer as people read it.
pub(super) fn view(view: &TransferView) -> String {
    let mut text = format!(
        "transfer  {}\nfrom      {}\nto        {}\nstate     {}\n",
        view.transfer, view.from, view.to, view.state
    );
    if let Some(reason) = &view.reason {
        text += &format!("reason    {reason}\n");
    }
    if view.types.is_empty() {
        return text;
    }
    let columns = ["", "read", "written", "already there", "refused", "failed", "uncertain", "pending", "bytes"];
    let mut table = Table::new(columns);
    let mut total = Tally::default();
    for (data_type, tally) in &view.types {
        table.row(data_type.name(), numbers(tally));
        add(&mut total, tally);
    }
    if view.types.len() > 1 {
        table.row("total", numbers(&total));
    }
    text += &format!("\n{table}\ndifference {}\n", view.difference);
    for problem in &view.problems {
        text += &format!(
            "\n{} {} {}: {}\n    for example {}\n",
            problem.count, problem.data_type, problem.state, problem.reason, problem.example
        );
    }
    text
}

/// Returns transfers as a list, newest first.
pub(super) fn list(views: &[TransferView]) -> String {
    if views.is_empty() {
        return "No transfers yet. Start one: moveout transfer run --from archive:./export.zip --to dir:./copy"
            .to_owned();
    }
    let line = |view: &TransferView| {
        let written: u64 = view.types.values().map(|tally| tally.written + tally.already_there).sum();
        let read: u64 = view.types.values().map(|tally| tally.read).sum();
        format!("{}  {:<18}  {written}/{read}  {} -> {}\n", view.transfer, view.state.name(), view.from, view.to)
    };
    views.iter().map(line).collect()
}

/// Returns what a transfer would move.
pub fn survey(survey: &Survey) -> String {
    let mut table = Table::new(["", "items", "bytes"]);
    for (data_type, found) in &survey.types {
        table.row(data_type.name(), [found.items, found.bytes]);
    }
    let mut text = format!("{table}");
    if let Some(range) = survey.date_range {
        text += &format!("\nfrom {} to {}\n", range.from, range.to);
    }
    text += &problems("would be refused", &survey.refused);
    text + &problems("cannot be read", &survey.problems)
}

/// Returns groups of problems, one paragraph each.
fn problems(what: &str, problems: &[ProblemCount]) -> String {
    let line = |problem: &ProblemCount| {
        format!(
            "\n{} {} {what}: {} {}, for example {}\n",
            problem.count, problem.data_type, problem.code, problem.title, problem.example
        )
    };
    problems.iter().map(line).collect()
}

/// Returns how far a transfer is, in one line.
pub(super) fn progress(view: &TransferView) -> String {
    let parts: Vec<_> = view
        .types
        .iter()
        .map(|(data_type, tally)| {
            let trouble = tally.refused + tally.failed + tally.uncertain;
            let trouble = if trouble == 0 { String::new() } else { format!(" ({trouble} not)") };
            format!("{data_type} {}/{}{trouble}", tally.written + tally.already_there, tally.read)
        })
        .collect();
    let reason = view.reason.as_ref().map(|reason| format!(": {}", reason.title)).unwrap_or_default();
    format!("{}{reason}  {}", view.state, parts.join("  "))
}

fn numbers(tally: &Tally) -> [u64; 8] {
    let Tally { read, written, already_there, refused, failed, uncertain, pending, bytes } = *tally;
    [read, written, already_there, refused, failed, uncertain, pending, bytes]
}

fn add(total: &mut Tally, tally: &Tally) {
    total.read += tally.read;
    total.written += tally.written;
    total.already_there += tally.already_there;
    total.refused += tally.refused;
    total.failed += tally.failed;
    total.uncertain += tally.uncertain;
    total.pending += tally.pending;
    total.bytes += tally.bytes;
}
