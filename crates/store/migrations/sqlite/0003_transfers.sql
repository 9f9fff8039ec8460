-- Transfers and their journal. The journal holds ids, sizes and outcomes: no content and no fields of items.
CREATE TABLE transfer (
    id          TEXT PRIMARY KEY,
    state       TEXT NOT NULL,
    reason      TEXT,
    shown_from  TEXT NOT NULL,   -- without secrets
    shown_to    TEXT NOT NULL,
    ends        BLOB NOT NULL,   -- specs and token, sealed
    types       TEXT NOT NULL,   -- JSON list; empty means all
    since       BIGINT,
    until       BIGINT,
    fingerprint TEXT,            -- of the source, when it was first read
    run         BIGINT NOT NULL, -- counts the times it was taken up; only the latest may write
    created_at  BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE INDEX transfer_newest ON transfer (created_at);

-- What the reader counted, kept apart from the item rows so that a lost row shows in the sum.
CREATE TABLE transfer_read (
    transfer  TEXT NOT NULL,
    data_type TEXT NOT NULL,
    items     BIGINT NOT NULL,
    PRIMARY KEY (transfer, data_type)
) WITHOUT ROWID;

-- Pages of the source. `tally` is filled when the last item is decided, so that a sum need not read every item.
CREATE TABLE transfer_page (
    transfer TEXT NOT NULL,
    seq      BIGINT NOT NULL,
    cursor   TEXT,               -- where it begins; null is the beginning
    next     TEXT,               -- where the next begins; null is the end
    observed BIGINT NOT NULL,
    tally    TEXT,
    PRIMARY KEY (transfer, seq)
) WITHOUT ROWID;

CREATE TABLE transfer_item (
    transfer  TEXT NOT NULL,
    page      BIGINT NOT NULL,
    place     BIGINT NOT NULL,   -- its index in the page: two items with one id are two rows
    data_type TEXT NOT NULL,
    source_id TEXT NOT NULL,
    container TEXT,
    size      BIGINT,
    state     TEXT NOT NULL,
    code      TEXT,              -- of the reason, to group by
    reason    TEXT,
    remote_id TEXT,
    hash      TEXT,
    bytes     BIGINT NOT NULL DEFAULT 0,
    attempts  BIGINT NOT NULL DEFAULT 0,
    loss      TEXT,
    PRIMARY KEY (transfer, page, place)
) WITHOUT ROWID;
CREATE INDEX transfer_item_problem ON transfer_item (transfer, state, data_type, code) WHERE code IS NOT NULL;
