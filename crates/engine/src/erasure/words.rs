//! A request in words for the person it is about: no table, no count, no term of the trade.

use model::codes;
use model::erasure::{ErasureState, SystemState};
use model::problem::Reason;
use model::{Code, Verdict};
use store::erasures::SystemRow;

/// Whom people can complain to where the app does not say.
pub(super) const AUTHORITY: &str = "the data protection authority of the place where you live or work";

/// Says where a request stands; `attested` where somebody vouches for places that we cannot read again.
pub(super) fn request(state: ErasureState, reason: Option<&Reason>, attested: bool) -> Option<String> {
    let is = |code: &Code| reason.is_some_and(|reason| reason.code == code.to_string());
    let words = match state {
        ErasureState::Received => "Your request has arrived and is recorded. The work begins in a moment.",
        ErasureState::AwaitingIdentity => {
            "A link was mailed to the address that was given. Follow it to show that it is you who is asking: nothing is erased before."
        }
        ErasureState::Waiting if is(&codes::erasure::APPROVAL_NEEDED) => {
            "Somebody looks at each request before anything is erased, and yours waits for that."
        }
        ErasureState::Waiting if is(&codes::erasure::COOLING_OFF) => {
            "Your request is recorded. Nothing is erased for a while, so that you can still change your mind; then the work begins by itself."
        }
        ErasureState::Waiting if is(&codes::erasure::STOPPED) => {
            "The people responsible have stopped all erasures for now. Your request is kept and goes on when they start again."
        }
        ErasureState::Waiting if is(&codes::erasure::AWAITING_PROCESSOR) => {
            "Your data is erased where we can do it ourselves. Others who hold data for us were asked to erase it too, \
             and we wait until they have said that it is done."
        }
        ErasureState::Waiting => {
            "One of the places where your data may be does not answer at the moment. We try again by ourselves until it does."
        }
        ErasureState::Running => "Your data is being erased.",
        ErasureState::Paused => "The work is paused. Your request is kept and goes on later.",
        ErasureState::Blocked => {
            "A safety check stopped the work, because not everything about you could be erased reliably. \
             The people responsible have to mend the cause; your request is kept and goes on then."
        }
        ErasureState::Complete if is(&codes::erasure::KEPT_ENDED) => {
            "Everything about you was erased. What had to be kept for a time was erased too when that time was over, \
             and every place was read again afterwards to make sure that nothing is left."
        }
        ErasureState::Complete if attested => {
            "Everything about you was erased. Every place that we can read was read again afterwards; for the others, \
             which are listed below, somebody vouches that your data is gone."
        }
        ErasureState::Complete => {
            "Everything about you was erased, and every place was read again afterwards to make sure that nothing is left."
        }
        ErasureState::PartlyRefused => {
            "Your data was erased, except for what must be kept. What that is, why, and for how long is listed below."
        }
        ErasureState::Refused if is(&codes::erasure::ACCESS_REVOKED) => {
            "You withdrew the app’s access to your account, and every access that your linked account had given here was revoked. \
             That alone is no request to erase your data, so nothing was erased. \
             To have it erased, ask for deletion in the platform’s settings, or write to the contact below."
        }
        ErasureState::Refused if is(&codes::erasure::ACCESS_WITHDRAWN) => {
            "You withdrew the app’s access to your account. That alone is no request to erase your data, so nothing was erased; \
             no account here was linked to it, so there was nothing to revoke either. \
             To have it erased, ask for deletion in the platform’s settings, or write to the contact below."
        }
        ErasureState::Refused if is(&codes::erasure::CALLBACK_REVOKES_ONLY) => {
            "Nothing was erased: this message also comes when somebody only withdraws a permission. \
             If you want your data erased, write to the contact below."
        }
        ErasureState::Refused => "Your request was refused.",
        ErasureState::NoData => "Every place where your data could be was searched, and nothing about you was found.",
        ErasureState::Cancelled if is(&codes::erasure::CANCELLED_BY_PERSON) => {
            "The request was taken back on this page before anything was erased. If that was not you, ask again."
        }
        ErasureState::Cancelled => "The request was taken back before anything was erased.",
        ErasureState::Expired => "Nobody showed in time that the request was really yours, so nothing was erased.",
    };
    Some(words.to_owned())
}

/// Says why a system is in its state, where the state's own name does not say it all.
pub(super) fn system(row: &SystemRow) -> Option<String> {
    let away = row.reason.as_ref().is_some_and(|reason| reason.verdict == Verdict::Retry);
    let gone = row.reason.as_ref().is_some_and(|reason| reason.code == codes::erasure::SYSTEM_GONE_SINCE.to_string());
    let words = match row.state {
        SystemState::Attested if gone => {
            "It was read again when your data had been erased there, and nothing was left. It has been taken out of use since, \
             so it was not read once more at the very end."
        }
        SystemState::Kept if gone => {
            "What must be kept was kept here. It has been taken out of use since, so we could not look again."
        }
        SystemState::Pending | SystemState::Running if super::processor::is_awaited(row) => {
            "Those who erase here were asked to, and have not yet said that it is done."
        }
        SystemState::Pending | SystemState::Running if away => "It does not answer at the moment; we try again.",
        SystemState::Pending | SystemState::Running => return None,
        SystemState::VerifiedEmpty => "Read again afterwards: nothing about you is there.",
        SystemState::Attested => "It cannot be read again by us; somebody vouches that your data is gone.",
        SystemState::Kept => "Read again afterwards: only what must be kept is there.",
        SystemState::Blocked => "A safety check stopped the work here; somebody has to mend the cause.",
    };
    Some(words.to_owned())
}
