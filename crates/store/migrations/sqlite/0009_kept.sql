-- Digests of identities that were learned while a request was closed: they recall what it keeps, and let no other join it.
ALTER TABLE erasure_person ADD COLUMN learned BIGINT NOT NULL DEFAULT 0;

-- What a request left in a system on a ground: what finds the rows when the ground is over, long after the identities
-- were shredded. The row goes when nothing is kept any more.
CREATE TABLE erasure_kept (
    erasure      TEXT NOT NULL,
    system       TEXT NOT NULL,
    keys         BLOB NOT NULL,   -- sealed
    next_at      BIGINT,          -- when the first of it is over, or is tried again; null: never
    intent_index BIGINT,          -- where the intent to erase it stands in the ledger
    PRIMARY KEY (erasure, system)
);
CREATE INDEX erasure_kept_next ON erasure_kept (next_at) WHERE next_at IS NOT NULL;

-- When the last of what a ground kept was erased, and the proof of it.
ALTER TABLE erasure ADD COLUMN kept_erased_at BIGINT;
ALTER TABLE erasure ADD COLUMN kept_receipt TEXT;
