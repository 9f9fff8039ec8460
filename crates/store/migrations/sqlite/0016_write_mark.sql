-- What tells, when the answer to a COMMIT was lost, whether it was kept (store/src/postgres/mark.rs). Only PostgreSQL writes it.
CREATE TABLE write_mark (
    place TEXT NOT NULL,      -- the process
    count BIGINT NOT NULL,    -- its transactions
    kept BIGINT NOT NULL,     -- 1: by the transaction itself; 0: by who asked, so it never will be
    at BIGINT NOT NULL,
    PRIMARY KEY (place, count)
);
