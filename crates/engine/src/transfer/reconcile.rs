//! The end of a transfer: what was read against what became of it.

use model::transfer::{Tally, TransferState};
use model::{Problem, Result, codes};
use store::Tx;
use store::transfers;

/// Adds up and says in which state the transfer ends.
///
/// # Errors
/// `MO-3030` if the sum does not come out or something is undecided: then it is not done, whatever the items say.
pub(super) async fn verdict(tx: &mut Tx<'_>, transfer: &str) -> Result<TransferState> {
    let tallies = transfers::tallies(tx, transfer).await?;
    for (data_type, tally) in &tallies {
        let Tally { pending, .. } = *tally;
        let difference = tally.difference();
        if difference != 0 || pending != 0 {
            let detail = format!("{data_type}: difference {difference}, pending {pending}");
            return Err(Problem::new(&codes::transfer::SUM_BROKEN, detail));
        }
    }
    let whole = tallies.values().all(|tally| tally.failed == 0 && tally.uncertain == 0);
    Ok(if whole { TransferState::Done } else { TransferState::DoneWithFailures })
}
