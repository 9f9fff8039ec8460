-- What hosts sent to accounts: the accounts' own data.
CREATE TABLE landed_transfer (
    id       TEXT PRIMARY KEY,
    account  TEXT NOT NULL,
    service  TEXT NOT NULL,      -- X-DTP-Export-Service; empty if unsaid
    job      TEXT NOT NULL,      -- X-DTP-Job-Id; empty if unsaid
    first_at BIGINT NOT NULL,
    last_at  BIGINT NOT NULL,
    UNIQUE (account, service, job)
);

CREATE TABLE landed_tally (
    transfer  TEXT NOT NULL,
    data_type TEXT NOT NULL,
    items     BIGINT NOT NULL,
    bytes     BIGINT NOT NULL,
    PRIMARY KEY (transfer, data_type)
) WITHOUT ROWID;

CREATE TABLE landed_item (
    id          TEXT PRIMARY KEY,   -- what the sender was answered
    account     TEXT NOT NULL,
    seq         BIGINT NOT NULL,    -- within the account; an update takes the next one, so that readers see it
    identity    BLOB NOT NULL,      -- keyed digest of what makes two deliveries the same item
    version     BLOB NOT NULL,      -- keyed digest of what was delivered last
    data_type   TEXT NOT NULL,
    item        TEXT NOT NULL,      -- JSON, with the sender's own envelope untouched
    container   TEXT,               -- id of the landed album that it lies in
    placeholder BIGINT NOT NULL,    -- 1 for an album that never came itself, but items of it did
    blob        TEXT,
    transfer    TEXT NOT NULL,      -- the first that brought it
    received_at BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    UNIQUE (identity),
    UNIQUE (account, seq)
);

-- Bytes that belong to rows. An account has the same bytes once.
CREATE TABLE blob (
    id         TEXT PRIMARY KEY,
    account    TEXT NOT NULL,
    blake3     TEXT NOT NULL,
    size       BIGINT NOT NULL,
    bytes      BLOB,               -- null: they lie in a file of this id
    uses       BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (account, blake3)
);
