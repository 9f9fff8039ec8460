-- Local accounts. One without a password cannot sign in: it exists so that an operator can mint tokens for it.
CREATE TABLE account (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL,
    role          TEXT NOT NULL,
    password_hash TEXT,
    created_at    BIGINT NOT NULL
);
CREATE UNIQUE INDEX account_name ON account (name);

-- Who is signed in: digests of what the cookies hold.
CREATE TABLE session (
    digest     BLOB PRIMARY KEY,
    account    TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX session_account ON session (account);
CREATE INDEX session_expires ON session (expires_at);

-- Failed sign-ins in the current window, by keyed digest of whom and whence.
CREATE TABLE login_attempt (
    digest     BLOB PRIMARY KEY,
    failures   BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- What a person granted to a client; client is NULL where an operator minted the token.
-- The refresh columns tell which refresh token was used last: an older one that comes again revokes the grant.
CREATE TABLE oauth_grant (
    id                 TEXT PRIMARY KEY,
    account            TEXT NOT NULL,
    client             TEXT,
    scopes             TEXT NOT NULL,
    created_at         BIGINT NOT NULL,
    refresh_generation BIGINT NOT NULL,
    refresh_used       BLOB,
    refresh_used_at    BIGINT,
    revoked_at         BIGINT,
    revoked_by         TEXT
);
CREATE INDEX oauth_grant_account ON oauth_grant (account);

CREATE TABLE oauth_code (
    digest         BLOB PRIMARY KEY,
    client         TEXT NOT NULL,
    account        TEXT NOT NULL,
    redirect_uri   TEXT NOT NULL,
    redirect_named BIGINT NOT NULL,
    challenge      TEXT,
    scopes         TEXT NOT NULL,
    expires_at     BIGINT NOT NULL,
    grant_id       TEXT
);
CREATE INDEX oauth_code_expires ON oauth_code (expires_at);

-- An access token's row says all that a request needs, so that checking one is one indexed read.
CREATE TABLE oauth_token (
    digest     BLOB PRIMARY KEY,
    kind       TEXT NOT NULL,
    grant_id   TEXT NOT NULL,
    account    TEXT NOT NULL,
    client     TEXT,
    scopes     TEXT NOT NULL,
    generation BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT
);
CREATE INDEX oauth_token_grant ON oauth_token (grant_id);
CREATE INDEX oauth_token_expires ON oauth_token (expires_at);
