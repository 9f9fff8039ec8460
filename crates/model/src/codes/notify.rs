//! MO-8xxx: telling others what happened.

codes! {
    RECEIVER_FAILING = 8001, Retry, 502, "temporarily_unavailable", "The receiver takes no notices", "Look at the receiver: its address, its secret, its own log; we try again by ourselves for three days.";
    NOTICE_REFUSED = 8002, Retry, 502, "temporarily_unavailable", "The receiver refused a notice", "Look at the receiver's own log; we try again by ourselves for three days.";
    WEBHOOK_UNKNOWN = 8003, Permanent, 404, "not_found", "There is no webhook of this name", "`moveout webhook list` shows those that are declared.";
    NOTICE_GIVEN_UP = 8004, NeedsPartner, 502, "server_error", "A notice could not be delivered for three days", "Mend the receiver, then `moveout webhook retry NAME`.";
}
