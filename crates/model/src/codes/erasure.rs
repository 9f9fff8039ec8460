//! MO-2xxx: erasing a person's data.

codes! {
    TABLE_MISSING = 2001, Blocked, 409, "blocked", "A mapped table is missing", "Mend the map or bring the table back, then resume; nothing was erased.";
    COLUMN_MISSING = 2002, Blocked, 409, "blocked", "A mapped column is missing", "Mend the map or bring the column back, then resume; nothing was erased.";
    TABLE_UNMAPPED = 2003, Blocked, 409, "blocked", "A table that refers to the person is not in the map", "Add the table to the map, saying whose its rows are, then resume; nothing was erased.";
    OTHERS_ROWS = 2004, Blocked, 409, "blocked", "Rows of other people hang on rows to be erased", "Say in the map what happens to them: on_erase = \"delete\", \"detach\" or \"tombstone\"; nothing was erased.";
    AMBIGUOUS = 2005, Blocked, 409, "blocked", "An identity matches more than one person", "Name the person by an identity that only one person has; nothing was erased.";
    SYSTEM_UNREACHABLE = 2006, Retry, 503, "temporarily_unavailable", "A system could not be reached", "We try again by ourselves; check that the system is up and its address is right.";
    SYSTEM_DISABLED = 2007, Blocked, 409, "blocked", "A system is switched off", "Switch the system on, or take it out of the declaration, then resume.";
    ROWS_REMAIN = 2008, Blocked, 409, "blocked", "Rows of the person are still there after erasing", "Look for writers that add rows meanwhile, or triggers that bring them back, then resume.";
    ERASE_REFUSED = 2009, Blocked, 409, "blocked", "The database refused the erasure", "The detail names what it objected to; mend it, then resume. The transaction was rolled back.";
    NO_SYSTEMS = 2010, Blocked, 409, "blocked", "No system is declared, so nothing could be searched", "Declare the systems that hold people's data with `moveout apply`, then resume.";
    IDENTITY_UNMAPPED = 2011, Blocked, 409, "blocked", "No system knows identities of this kind", "Map a column to this kind of identity, then resume.";
    MAP_CYCLE = 2012, Blocked, 409, "blocked", "Tables refer to each other in a circle that cannot be ordered", "Make one of the foreign keys nullable or deferrable; nothing was erased.";
    REQUEST_UNKNOWN = 2013, Permanent, 404, "not_found", "No such erasure request", "List the requests with `moveout erasure list`.";
    IDENTITY_MALFORMED = 2014, Permanent, 400, "invalid_request", "An identity is not well formed", "Write it as KIND:VALUE, for example asid:10158 or email:zoe@example.org.";
    RECEIPT_INVALID = 2015, Permanent, 400, "invalid_request", "The receipt does not hold", "Ask the issuer for the receipt again, and compare checkpoints.";
    RECEIPT_MALFORMED = 2016, Permanent, 400, "invalid_request", "This is not a receipt", "Pass the JSON file that was issued, unchanged.";
    KEEP_INVALID = 2017, Blocked, 409, "blocked", "A keep rule cannot be applied", "Mend the rule named in the detail, then resume; nothing was erased.";
    STATE_CONFLICT = 2018, Permanent, 409, "conflict", "The request is in a state that does not allow this", "Look at the request's state first.";
    TOO_MANY_ROWS = 2019, Blocked, 409, "blocked", "There is more of the person than can be erased at once", "Remove the bulk of them in the application first, then resume.";
    CATALOG_UNREADABLE = 2020, Retry, 503, "temporarily_unavailable", "The system's catalogue could not be read", "Check that the account may read the catalogue; we try again by ourselves.";
    MAP_INVALID = 2021, Blocked, 409, "blocked", "The map of a table cannot be applied", "Mend the map as the detail says, then resume; nothing was erased.";
    SYSTEM_BUSY = 2022, Retry, 503, "temporarily_unavailable", "The system is busy with other transactions", "Nothing was erased; we try again by ourselves.";
    TABLE_UNREADABLE = 2023, Blocked, 409, "blocked", "A table cannot be read or locked", "Give the account the rights that the detail names, then resume; nothing was erased.";
    TABLE_UNFIT = 2024, Blocked, 409, "blocked", "Rows cannot be erased from a table for good", "Change the table as the detail says, then resume; nothing was erased.";
    ACCESS_WITHDRAWN = 2030, NeedsUser, 200, "ok", "Access was withdrawn; no erasure was asked for", "To have the data erased, remove the app in the platform's settings and ask for deletion there, or write to the app's contact.";
    CALLBACK_REVOKES_ONLY = 2031, NeedsUser, 200, "ok", "The app does not erase on a callback alone", "Write to the app's contact to have the data erased: a callback also comes when somebody withdraws a single permission.";
    APPROVAL_NEEDED = 2032, NeedsUser, 200, "ok", "The request waits for somebody's approval", "Look at it, then run `moveout erasure approve` or `moveout erasure cancel`.";
    CANCELLED = 2033, NeedsUser, 200, "ok", "The request was taken back before anything was erased", "Make a new request if it was a mistake.";
    IDENTITIES_GROW = 2034, Blocked, 409, "blocked", "The identities of the person lead from system to system without an end", "Look for an identity that many people share, and take its column out of the map; nothing was erased.";
    KEPT_ENDED = 2036, NeedsUser, 200, "ok", "What a ground kept was erased when the ground was over", "There is nothing to do; the second receipt proves it.";
    KEPT_OVERDUE = 2037, Blocked, 409, "blocked", "What a ground kept cannot be erased although the ground is over", "Mend what the detail names; it is tried again every day.";
    SYSTEM_GONE_SINCE = 2038, NeedsUser, 200, "ok", "A finished system is no longer declared", "Declare it again and make a new request, if rows could still be there.";
    COOLING_OFF = 2039, NeedsUser, 200, "ok", "The request waits, so that the person can still take it back", "It goes on by itself when the cool-off is over.";
    STOPPED = 2040, NeedsUser, 200, "ok", "All erasures are stopped", "Find out why, then run `moveout erasure start`.";
    PAUSED = 2041, NeedsUser, 200, "ok", "Somebody paused the request", "Run `moveout erasure resume` to let it go on.";
    CANCELLED_BY_PERSON = 2042, NeedsUser, 200, "ok", "The person took the request back", "There is nothing to do.";
    ACCESS_REVOKED = 2043, NeedsUser, 200, "ok", "Access was withdrawn, and what the linked account had granted is revoked", "To have the data erased, ask for deletion in the platform's settings, or write to the app's contact.";
    PROOF_STALE = 2044, NeedsUser, 410, "not_found", "This link is no longer good", "Ask again on the deletion page; a new link is mailed.";
    PROOF_AWAITED = 2045, NeedsUser, 200, "ok", "The person must still follow the link that was mailed", "Wait; the request expires by itself if they do not.";
    SYSTEM_REMOVED = 2035, Blocked, 409, "blocked", "A system is no longer declared while its erasure is under way", "Declare it again and resume; rows may still be there.";
    LOCATION_VALUE_UNSAFE = 2040, Blocked, 409, "blocked", "An identity cannot be used in a location", "Look at the location and the kind of identity that the detail names; nothing was erased there.";
    LOCATION_UNREADABLE = 2041, Blocked, 409, "blocked", "A location cannot be read", "Mend the location or the system as the detail says, then resume.";
    LOCATION_REFUSED = 2042, Blocked, 409, "blocked", "A system refused to erase", "Mend what the detail names, then resume; what was erased before stays erased.";
}
