-- Which identities are one person's, as the app knows: what a system cannot tell by itself.
CREATE TABLE person_identity (
    app      TEXT NOT NULL,
    digest   BLOB NOT NULL,    -- keyed, of the identity within the app
    person   BLOB NOT NULL,    -- keyed, of the app's own name for the person
    identity BLOB NOT NULL,    -- sealed
    seen_at  BIGINT NOT NULL,
    PRIMARY KEY (digest, person)
);
CREATE INDEX person_identity_person ON person_identity (person);
