//! MO-3xxx: moving data from one system to another.

codes! {
    ARCHIVE_UNREADABLE = 3001, Permanent, 400, "invalid_request", "The archive cannot be opened", "Check that the file is a whole .zip or .tar.gz; download it again if in doubt.";
    ARCHIVE_TRUNCATED = 3002, Permanent, 400, "invalid_request", "The archive ends in the middle", "Download it again; nothing was written from the part that is missing.";
    ARCHIVE_UNKNOWN_FORMAT = 3003, Permanent, 400, "invalid_request", "This is not an export we can read", "Run `moveout adapter list` for the formats that are read.";
    RECORD_BROKEN = 3004, Permanent, 400, "invalid_request", "A record of the source is broken", "The record was skipped and counted as failed; the rest went on.";
    MEDIA_MISSING = 3005, Permanent, 404, "not_found", "A file that a record names is not in the source", "Look for it in another part of the export, then retry the item.";
    TYPE_UNSUPPORTED = 3006, Permanent, 422, "unsupported", "The destination does not take this type of data", "Move these items to another destination, for example dir:./copy.";
    ITEM_REFUSED = 3007, Permanent, 422, "refused", "The destination refused the item", "The detail has its words; mend the item or choose another destination.";
    DESTINATION_FAILED = 3008, Retry, 502, "server_error", "The destination failed", "We try again by ourselves; later: `moveout transfer retry`.";
    DESTINATION_UNREACHABLE = 3009, Retry, 503, "temporarily_unavailable", "The destination could not be reached", "Check its address and that it is up; we try again by ourselves.";
    TOKEN_REFUSED = 3010, NeedsUser, 401, "invalid_token", "The destination no longer accepts our token", "Connect the account again, then resume the transfer.";
    DESTINATION_FULL = 3011, NeedsUser, 413, "destination_full", "The destination is full", "Free space there, then resume the transfer.";
    ITEM_UNCERTAIN = 3012, NeedsUser, 409, "conflict", "An item was in flight at a crash and the destination cannot tell whether it arrived", "Look at the destination; then resolve the item with `moveout transfer retry ID --item I`.";
    SPEC_MALFORMED = 3013, Permanent, 400, "invalid_request", "A source or destination is not well formed", "Write it like archive:./takeout.zip, dir:./out or dtp+https://host/dtp/.";
    VERB_UNSUPPORTED = 3014, Permanent, 400, "unsupported", "This kind of system cannot do that", "Run `moveout adapter list` for what each can do.";
    TRANSFER_UNKNOWN = 3015, Permanent, 404, "not_found", "No such transfer", "List the transfers with `moveout transfer list`.";
    SOURCE_CHANGED = 3016, Permanent, 409, "conflict", "The source changed since the transfer began", "Start a new transfer; what was written already is recognised where the destination can tell.";
    CONTENT_CHANGED = 3017, Permanent, 409, "conflict", "The bytes of a file are not those that were announced", "Read the source again; the item was not counted as written.";
    RECORD_TOO_LARGE = 3018, Permanent, 400, "invalid_request", "A record of the source is larger than we take", "The record was skipped and counted as failed; the rest went on.";
    DESTINATION_UNWRITABLE = 3019, NeedsUser, 507, "server_error", "The destination cannot be written", "Check space and permissions, then resume the transfer.";
    TOKEN_MISSING = 3020, NeedsUser, 401, "invalid_token", "The destination needs a token", "Pass one with --secret-file or MOVEOUT_TOKEN; `moveout token issue` mints one for a landing of ours.";
    TRANSFER_STATE_CONFLICT = 3021, Permanent, 409, "conflict", "The transfer is in a state that does not allow this", "Look at it with `moveout transfer show`.";
    NAME_UNSAFE = 3022, Permanent, 400, "invalid_request", "A name in the source leaves the archive", "The entry was skipped; a path may not be absolute or hold '..'.";
    ARCHIVE_SWOLLEN = 3023, Permanent, 400, "invalid_request", "The archive unpacks to far more than it should", "Do not trust this file; download the export again from the service itself.";
    SUM_BROKEN = 3030, Permanent, 500, "server_error", "The sum of a transfer does not come out", "Items may be missing: look at the detail, start a new transfer, and report this.";
    CONTENT_BROKEN = 3031, Permanent, 400, "invalid_request", "A file of the source is damaged", "Get the export again, then retry the item from a new transfer; the rest went on.";
    CONTENT_INTERRUPTED = 3032, Retry, 502, "server_error", "A file of the source broke off while it was read", "We try again by ourselves; later: `moveout transfer retry`.";
    ITEM_UNKNOWN = 3033, Permanent, 404, "not_found", "No item of the transfer is to be tried again", "Look at its problems with `moveout transfer show`; items that are written are left alone.";
}
