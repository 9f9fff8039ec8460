-- What `moveout apply` declared. The secret parts are sealed; the rest is the declaration as JSON.
CREATE TABLE app (
    name       TEXT PRIMARY KEY,
    declared   TEXT NOT NULL,
    secrets    BLOB NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE system (
    name       TEXT PRIMARY KEY,
    position   BIGINT NOT NULL,
    declared   TEXT NOT NULL,
    url        BLOB NOT NULL,
    updated_at BIGINT NOT NULL
);

-- OAuth clients of the landing; a client without a secret is public.
CREATE TABLE client (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL,
    secret_digest BLOB,
    redirect_uris TEXT NOT NULL,
    scopes        TEXT NOT NULL,
    pkce          TEXT NOT NULL,
    updated_at    BIGINT NOT NULL
);

-- A person's request to be forgotten. Identities and salt are sealed, and shredded when the replay window is over.
CREATE TABLE erasure (
    id           TEXT PRIMARY KEY,
    app          TEXT NOT NULL,
    door         TEXT NOT NULL,
    code         TEXT NOT NULL,
    state        TEXT NOT NULL,
    reason       TEXT,
    received_at  BIGINT NOT NULL,
    issued_at    BIGINT,
    due_at       BIGINT NOT NULL,
    finished_at  BIGINT,
    updated_at   BIGINT NOT NULL,
    identities   BLOB,
    salt         BLOB,
    frozen       BIGINT NOT NULL,
    intent_index BIGINT,
    rounds       BIGINT NOT NULL DEFAULT 0,
    receipt      TEXT
);
CREATE INDEX erasure_received ON erasure (received_at);

-- Every confirmation code that leads to a request: each further callback for the same person brings its own.
CREATE TABLE erasure_code (
    code        TEXT PRIMARY KEY,
    erasure     TEXT NOT NULL,
    received_at BIGINT NOT NULL
);
CREATE INDEX erasure_code_erasure ON erasure_code (erasure);

-- Keyed digests of the identities that a request names: how a second request of the same person is recognised.
CREATE TABLE erasure_person (
    digest  BLOB NOT NULL,
    erasure TEXT NOT NULL,
    PRIMARY KEY (digest, erasure)
);
CREATE INDEX erasure_person_erasure ON erasure_person (erasure);

-- One system within an erasure: its plan, whom it is about there (sealed), and how far it has come.
CREATE TABLE erasure_system (
    erasure    TEXT NOT NULL,
    name       TEXT NOT NULL,
    position   BIGINT NOT NULL,
    label      TEXT NOT NULL,
    state      TEXT NOT NULL,
    reason     TEXT,
    plan       TEXT,
    frozen     BLOB,
    tables     TEXT NOT NULL,
    kept       TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (erasure, name)
);
