//! MO-6xxx: sockets to other people's addresses.

codes! {
    ADDRESS_FORBIDDEN = 6001, Permanent, 400, "invalid_request", "The address is not one that we connect to", "Use a public address, or open the network with net.allow in the configuration.";
    URL_MALFORMED = 6002, Permanent, 400, "invalid_request", "The URL is not well formed", "Give an absolute http or https URL without a user name or password.";
    UNREACHABLE = 6003, Retry, 503, "temporarily_unavailable", "The address could not be reached", "Check that the other side is up; we try again by ourselves.";
    TIMED_OUT = 6004, Retry, 504, "temporarily_unavailable", "The other side did not answer in time", "We try again by ourselves.";
    RESPONSE_TOO_LARGE = 6005, Permanent, 502, "server_error", "The answer is larger than we take", "The detail names the limit.";
    TLS_FAILED = 6006, Permanent, 502, "server_error", "No secure connection could be made", "Check the other side's certificate.";
    MAIL_SERVER_AWAY = 6010, Retry, 503, "temporarily_unavailable", "The mail server did not take a mail", "Check the settings mail.*; we try again by ourselves.";
    MAIL_REFUSED = 6011, Permanent, 502, "server_error", "The mail server refuses a mail for good", "Check the settings mail.*, and whether the server may send for this sender.";
    BROKEN_OFF = 6007, Retry, 502, "temporarily_unavailable", "The connection broke before the answer came", "We try again by ourselves, unless the other side cannot tell whether our request arrived.";
}
