//! Carries a transfer to its end in this process, or watches a server do so, with progress on a terminal.

use std::io::IsTerminal;
use std::time::Duration;

use engine::Engine;
use engine::transfer::{self, JOB};
use futures_util::{StreamExt, pin_mut};
use indicatif::{ProgressBar, ProgressStyle};
use model::transfer::{TransferState, TransferView};
use tokio::time::Instant;

use super::words;
use crate::context::Context;

/// How long a destination that cannot be reached is waited for here; a server, or `resume`, tries again later.
const PATIENCE: Duration = Duration::from_secs(120);

/// Works until the transfer has ended, waits for a person, or there is no use in waiting here. Ctrl-C pauses it, twice leaves it.
pub(super) async fn to_its_end(context: &Context, engine: &Engine, id: &str) -> anyhow::Result<()> {
    let work = engine::jobs::drain_one(engine, JOB, id);
    let views = transfer::progress(engine, id);
    pin_mut!(work, views);
    let bar = bar();
    let mut watching = true;
    let mut interrupted = false;
    let mut gives_up = None;
    loop {
        tokio::select! {
            ended = &mut work => {
                ended?;
                break;
            }
            view = views.next(), if watching => match view.transpose()? {
                Some(view) => {
                    bar.set_message(words::progress(&view));
                    gives_up = patience(&view, gives_up);
                }
                None => watching = false,
            },
            () = tokio::time::sleep_until(gives_up.unwrap_or_else(Instant::now)), if gives_up.is_some() => {
                context.out.note(&format!("It goes on with: moveout transfer resume {id}"));
                break;
            }
            // A second time: whatever is in flight is decided by the next run.
            _ = tokio::signal::ctrl_c(), if interrupted => break,
            _ = tokio::signal::ctrl_c() => {
                interrupted = true;
                context.out.note("Pausing: what is in flight is finished first.");
                // It may have ended just now: then there is nothing to pause.
                let _ = transfer::pause(engine, id).await;
            }
        }
    }
    bar.finish_and_clear();
    Ok(())
}

/// Returns until when to wait for a transfer that tries again by itself.
fn patience(view: &TransferView, before: Option<Instant>) -> Option<Instant> {
    if view.state != TransferState::Waiting {
        // A new attempt; what was waited so far counts until something is written.
        return before.filter(|_| view.types.values().all(|tally| tally.written == 0));
    }
    // What could not even begin is most likely a mistake: whoever typed it should hear at once.
    let patience = if view.types.is_empty() { Duration::ZERO } else { PATIENCE };
    Some(before.unwrap_or_else(|| Instant::now() + patience))
}

fn bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner().with_style(ProgressStyle::default_spinner());
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}
