-- Logs that a restore of the store has closed: whoever holds a checkpoint or receipt of one can still be answered.
CREATE TABLE ledger_past (
    origin TEXT PRIMARY KEY,
    number BIGINT NOT NULL,         -- 1 for the oldest
    size   BIGINT NOT NULL
);
CREATE TABLE ledger_past_leaf (
    origin      TEXT NOT NULL,
    position    BIGINT NOT NULL,
    leaf        BLOB NOT NULL,
    appended_at BIGINT NOT NULL,
    PRIMARY KEY (origin, position)
) WITHOUT ROWID;

-- Requests that erase again what a restore of a system's own backup has brought back.
CREATE TABLE erasure_replay (
    erasure TEXT PRIMARY KEY,
    first   TEXT NOT NULL,       -- the request that it repeats, which is no replay itself
    since   BIGINT NOT NULL,     -- the moment that the backup is of
    systems TEXT NOT NULL        -- JSON list of the systems that were restored; empty: all
);
CREATE INDEX erasure_replay_first ON erasure_replay (first);
