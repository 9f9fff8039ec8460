-- What only PostgreSQL has, for the community of the file beside this one.

-- A partitioned table: its rows are in its partitions.
CREATE TABLE events (id BIGINT NOT NULL, user_id BIGINT NOT NULL REFERENCES users (id), at DATE NOT NULL, what TEXT, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE events_later PARTITION OF events DEFAULT;
-- Another schema, whose name must be said.
CREATE SCHEMA crm;
CREATE TABLE crm.notes (id BIGINT PRIMARY KEY, user_id BIGINT NOT NULL REFERENCES users (id), note TEXT);
-- Computed by the database.
ALTER TABLE user_profiles ADD COLUMN bio_upper TEXT GENERATED ALWAYS AS (upper(bio)) STORED;
-- Goes on showing what it once found.
CREATE MATERIALIZED VIEW top_authors AS SELECT u.email, count(*) AS posts FROM users u JOIN posts p ON p.author_id = u.id GROUP BY u.email;
-- Writes whatever changes.
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN COALESCE(NEW, OLD); END $$;
CREATE TRIGGER posts_touched BEFORE UPDATE OR DELETE ON posts FOR EACH ROW EXECUTE FUNCTION touch();

INSERT INTO events VALUES (1, 1, '2024-05-01', 'zoe'), (2, 1, '2026-05-01', 'zoe'), (3, 2, '2024-05-01', 'Adam');
INSERT INTO crm.notes VALUES (1, 1, 'zoe called'), (2, 2, 'Adam called');
REFRESH MATERIALIZED VIEW top_authors;
