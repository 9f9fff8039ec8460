//! MO-5xxx: our own store.

codes! {
    UNAVAILABLE = 5001, Retry, 503, "temporarily_unavailable", "The store cannot be reached", "Check that the database or disk is there; work goes on by itself when it is back.";
    FULL = 5002, NeedsUser, 507, "temporarily_unavailable", "The store's disk is full", "Free space; work goes on by itself.";
    SCHEMA_NEWER = 5003, Permanent, 500, "server_error", "The store was written by a newer moveout", "Use that binary: a newer schema is not taken back.";
    KEY_WRONG = 5004, Permanent, 500, "server_error", "The master key is not the one this store was made with", "Give the right key; without it sealed values cannot be read.";
    KEY_MISSING = 5005, Permanent, 500, "server_error", "The store has no master key", "Restore the key file beside the store, or name it in the configuration.";
    SEALED_VALUE_BROKEN = 5006, Permanent, 500, "server_error", "A sealed value does not open", "The row was changed by hand or the key is missing; restore it from a backup.";
    LEASE_LOST = 5007, Retry, 409, "conflict", "Another worker has taken this job over", "Nothing to do; the other worker goes on.";
    QUERY_FAILED = 5008, Permanent, 500, "server_error", "The store refused a statement", "This is a defect of moveout: report it with the detail.";
    BUSY = 5009, Retry, 503, "temporarily_unavailable", "The store is busy", "We try again by ourselves.";
    BLOB_MISSING = 5010, Permanent, 500, "server_error", "A stored file is missing", "Restore it from a backup; the rows that name it are in the detail.";
    BLOB_FAILED = 5011, Retry, 503, "temporarily_unavailable", "A file could not be stored", "Check space and permissions of the data folder; we try again by ourselves.";
    LEDGER_BROKEN = 5012, Permanent, 500, "server_error", "The ledger does not hold", "Somebody changed it: compare with an earlier checkpoint or receipt.";
    JOB_POISONED = 5013, Permanent, 500, "server_error", "Work was begun many times and never ended", "Look in the logs for what stopped the process while it ran, then ask for it again.";
    STORE_MISSING = 5014, Permanent, 500, "server_error", "There is no store in this database", "Run `moveout migrate` to make one, or mend `store.url`.";
    SCHEMA_OLD = 5015, Permanent, 500, "server_error", "The store has the schema of an older moveout", "Stop every older process, then run `moveout migrate`.";
    OUTCOME_UNKNOWN = 5016, Retry, 503, "temporarily_unavailable", "The database went away while it was saving, so nobody knows yet whether it did", "Look whether it is there before you ask again; work of ours is taken up by itself.";
    BACKUP_BROKEN = 5030, Permanent, 400, "invalid_request", "The backup cannot be used", "Take another backup; nothing was changed.";
    STORE_NEWER = 5031, Permanent, 409, "conflict", "The store holds what the backup does not", "Back the store up first; then restore with --force to give up what it holds.";
    STORE_IN_USE = 5032, Permanent, 409, "conflict", "A server or command works on this store", "Stop it, then try again; nothing was changed.";
    LOG_CLOSED = 5033, Permanent, 409, "conflict", "A restore has closed the log of this checkpoint", "Hold it against the store with `moveout ledger verify --held FILE`; take a checkpoint of the present log for later.";
    RESTORE_UNCONFIRMED = 5034, NeedsUser, 409, "conflict", "Outgoing work is held after a restore", "Look at what was forgotten, then run `moveout restore --confirm`.";
    KEY_NOT_GIVEN = 5020, Retry, 503, "temporarily_unavailable", "A value is sealed with a master key that this process was not given", "Give it every key that `moveout key list` names, then start it again; nothing is lost.";
    BUCKET_REFUSED = 5021, Retry, 503, "temporarily_unavailable", "The bucket of large bodies refuses us", "Check blobs.url and the access key, and that it may read, write, list and delete; we try again by ourselves.";
    BLOBS_ELSEWHERE = 5022, Permanent, 409, "conflict", "The large bodies of this store lie somewhere else", "With several machines, set blobs.url to an S3 bucket and prefix of this store alone, or mount the one `blobs` folder on all of them.";
}
