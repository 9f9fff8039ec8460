-- Before this instant nothing of a request is carried out, so that the person can still take it back.
ALTER TABLE erasure ADD COLUMN not_before BIGINT;
