-- What others must do for an erasure: messages to processors, tasks for people. What it says of the person is sealed, and shredded when done.
CREATE TABLE erasure_task (
    id         TEXT PRIMARY KEY,
    erasure    TEXT NOT NULL,
    system     TEXT NOT NULL,
    location   TEXT NOT NULL,
    what       BLOB,
    assignee   TEXT,
    created_at BIGINT NOT NULL,
    due_at     BIGINT NOT NULL,
    told_at    BIGINT,             -- when a processor last took the message
    answers    BIGINT NOT NULL,    -- 1: its answers say how the work stands
    done_at    BIGINT,
    evidence   TEXT
);
CREATE INDEX erasure_task_erasure ON erasure_task (erasure, system);
CREATE INDEX erasure_task_open ON erasure_task (due_at) WHERE done_at IS NULL;
