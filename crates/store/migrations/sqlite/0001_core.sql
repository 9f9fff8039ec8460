-- Settings of the store itself: key check value, ledger origin, data of `moveout demo`.
CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
