-- Until when the person must show that it is they who ask; then the request expires.
ALTER TABLE erasure ADD COLUMN prove_by BIGINT;

-- Links that were mailed: digests of what they carry.
CREATE TABLE erasure_proof (
    digest     BLOB PRIMARY KEY,
    erasure    TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX erasure_proof_erasure ON erasure_proof (erasure);
