-- Bulk lists of ids that were imported: how far each has come, so that an import that broke off goes on.
CREATE TABLE erasure_list (
    id          TEXT PRIMARY KEY,
    app         TEXT NOT NULL,
    kind        TEXT NOT NULL,
    fingerprint TEXT NOT NULL,     -- of the file
    counts      TEXT NOT NULL,     -- what became of its lines so far, as JSON
    started_at  BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE UNIQUE INDEX erasure_list_open ON erasure_list (app, kind, fingerprint) WHERE finished_at IS NULL;

-- The list that a request came with.
ALTER TABLE erasure ADD COLUMN list TEXT;
CREATE INDEX erasure_of_list ON erasure (list) WHERE list IS NOT NULL;

-- The ids of a list that is being imported, as keyed digests: which come twice.
CREATE TABLE erasure_list_id (
    list   TEXT NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (list, digest)
);
