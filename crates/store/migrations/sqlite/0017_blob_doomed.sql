-- Names of blobs whose last use was taken back: what lies under them in folder or bucket is still to be removed.
CREATE TABLE blob_doomed (
    id    TEXT PRIMARY KEY,
    since BIGINT NOT NULL
);
