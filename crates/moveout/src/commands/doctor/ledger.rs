//! The ledger: whether it holds, what its mirror remembers that the store does not, and whether a restore waits for somebody.

use engine::{Engine, backup, ledger};

use crate::context::Context;
use model::check::{Checks, Verdict};

/// Looks at the ledger, its mirror and the hold of a restore.
pub async fn look(checks: &mut Checks, engine: &Engine, context: &Context) {
    match ledger::audit(engine, Vec::new()).await {
        Ok(audited) => {
            let words = format!(
                "{} leaves agree with {} checkpoints of the mirror, {} of what a restore forgot",
                audited.size, audited.checkpoints, audited.forgotten_checkpoints
            );
            checks.must("ledger", true, words);
        }
        Err(problem) => checks.must("ledger", false, problem.to_string()),
    }
    match ledger::forgotten(engine).await {
        Ok(forgotten) => {
            let (all, unexplained) = (forgotten.requests.len(), forgotten.unexplained());
            let verdict = match (all, unexplained) {
                (0, _) => Verdict::Ok,
                (_, 0) => Verdict::Warning,
                _ => Verdict::Failed,
            };
            checks.note("mirror", verdict, mirror_words(all, unexplained, &forgotten.requests));
        }
        Err(problem) => checks.must("mirror", false, problem.to_string()),
    }
    let outside = context.config.ledger_mirror.as_ref().is_some_and(|mirror| !mirror.starts_with(&context.config.data));
    checks.should(
        "mirror_place",
        outside,
        match outside {
            true => "the mirror lies outside the data folder",
            false => "the mirror lies in the data folder and is lost with it; set ledger.mirror to a folder elsewhere",
        },
    );
    match backup::held(engine).await {
        Ok(None) => {}
        Ok(Some(held)) => checks.note(
            "restore",
            Verdict::Warning,
            format!("{held}; {} requests and {} leaves are forgotten", held.forgotten_requests, held.forgotten_leaves),
        ),
        Err(problem) => checks.must("restore", false, problem.to_string()),
    }
}

fn mirror_words(all: usize, unexplained: usize, requests: &[ledger::Intent]) -> String {
    let Some(newest) = requests.last() else {
        return "it remembers no request that the store has forgotten".to_owned();
    };
    let last = format!("the last is {} of {}, {}", newest.request, newest.app, newest.at);
    match unexplained {
        0 => format!(
            "{all} requests are forgotten since a restore; {last}: ask again for those that nobody can vouch for"
        ),
        _ => format!(
            "{unexplained} requests are forgotten that no restore accounts for; {last}: the store was put back by other \
             means, so run `moveout restore` with a backup, or `moveout erasure replay`, and ask again for the rest"
        ),
    }
}
