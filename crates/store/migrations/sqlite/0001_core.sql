-- Settings of the store itself: key check value, ledger origin, data of `moveout demo`.
CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- Work to do: at most one row for each kind and subject. What has ended is deleted; its subject remembers the outcome.
CREATE TABLE job (
    id           TEXT PRIMARY KEY,
    kind         TEXT NOT NULL,
    subject      TEXT NOT NULL,
    priority     BIGINT NOT NULL,  -- the smallest first
    run_at       BIGINT NOT NULL,
    lease_until  BIGINT,           -- null: nobody works on it
    lease_token  TEXT,             -- fences every later write of the worker
    lease_owner  TEXT,
    times_leased BIGINT NOT NULL,  -- since it last ended in any way: counts workers that died over it
    times_failed BIGINT NOT NULL,  -- since it last went well
    asked_again  BIGINT NOT NULL,  -- 1: enqueued while leased, so there is more to do
    parked       TEXT,             -- why nobody will take it up, as JSON
    created_at   BIGINT NOT NULL,
    UNIQUE (kind, subject)
);
CREATE INDEX job_due ON job (priority, run_at) WHERE parked IS NULL;
CREATE INDEX job_owner ON job (lease_owner) WHERE lease_owner IS NOT NULL;

-- Callbacks as they came: one append before the answer, and no secondary index. Ids ascend, so it grows at its end only.
CREATE TABLE inbox (
    id                TEXT PRIMARY KEY,
    app               TEXT NOT NULL,
    door              TEXT NOT NULL,
    confirmation_code TEXT NOT NULL,
    payload           BLOB NOT NULL,   -- sealed
    received_at       BIGINT NOT NULL,
    problem           TEXT             -- why it was set aside, as JSON; null: it waits
) WITHOUT ROWID;

-- The ledger: what was said, the hashes over it, and what it is called. Rows are only ever added, but for the one head.
CREATE TABLE ledger_head (
    id     BIGINT PRIMARY KEY,         -- always 1
    origin TEXT NOT NULL,              -- the log's name in checkpoints
    size   BIGINT NOT NULL
);
CREATE TABLE ledger_leaf (
    position    BIGINT PRIMARY KEY,
    leaf        BLOB NOT NULL,
    appended_at BIGINT NOT NULL
);
-- Hashes of complete subtrees: (level, position) covers the leaves from position * 2^level on, 2^level of them.
CREATE TABLE ledger_node (
    level    BIGINT NOT NULL,
    position BIGINT NOT NULL,
    hash     BLOB NOT NULL,
    PRIMARY KEY (level, position)
) WITHOUT ROWID;
