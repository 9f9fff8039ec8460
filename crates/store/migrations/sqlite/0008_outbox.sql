-- Who is told of changes. Address and secrets are sealed.
CREATE TABLE webhook (
    name       TEXT PRIMARY KEY,
    declared   TEXT NOT NULL,
    url        BLOB NOT NULL,
    secrets    BLOB NOT NULL,
    updated_at BIGINT NOT NULL,
    taken      BIGINT NOT NULL DEFAULT 0,
    taken_at   BIGINT,
    failures   BIGINT NOT NULL DEFAULT 0,  -- in a row, by its own fault
    retry_at   BIGINT,                     -- nothing is tried before
    problem    TEXT                        -- why, as JSON
);

-- What is still to be told: written with the change itself, deleted when it was taken.
CREATE TABLE outbox (
    id         TEXT PRIMARY KEY,           -- the same at every attempt
    webhook    TEXT NOT NULL,
    body       TEXT NOT NULL,              -- the exact bytes
    created_at BIGINT NOT NULL,
    attempts   BIGINT NOT NULL,
    next_at    BIGINT NOT NULL,
    problem    TEXT,                       -- of the last attempt, as JSON
    parked_at  BIGINT                      -- put aside for somebody to look at
);
CREATE INDEX outbox_next ON outbox (webhook, next_at) WHERE parked_at IS NULL;

-- How often the state changed, and what it was before: what is told of a change, and in which order.
ALTER TABLE erasure ADD COLUMN changes BIGINT NOT NULL DEFAULT 1;
ALTER TABLE erasure ADD COLUMN state_before TEXT;
ALTER TABLE transfer ADD COLUMN changes BIGINT NOT NULL DEFAULT 1;
ALTER TABLE transfer ADD COLUMN state_before TEXT;
