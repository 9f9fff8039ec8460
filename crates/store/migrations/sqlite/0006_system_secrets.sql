-- Further secrets of a declared system's adapter, sealed JSON by name; null: declared before there were any.
ALTER TABLE system ADD COLUMN secrets BLOB;
