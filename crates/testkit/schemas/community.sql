-- A community with a shop and clubs, as applications grow over the years: 43 tables, each oddity in one of them.
-- Standard SQL that PostgreSQL takes as it is and MariaDB with sql_mode ANSI_QUOTES; what only one of them has is in a file
-- beside this one. Zoë is 1 and is the one to be forgotten; Adam is 2, Eve works here and is 3. What is Zoë's carries "zoe".

CREATE TABLE tenants (id BIGINT PRIMARY KEY, name VARCHAR(100) NOT NULL);
-- A circle: users.avatar_id -> photos -> users; and photos <-> albums. The keys that close it come further down.
CREATE TABLE users (
  id BIGINT PRIMARY KEY, email VARCHAR(200) NOT NULL UNIQUE, facebook_id VARCHAR(40) UNIQUE, password_hash VARCHAR(200),
  display_name VARCHAR(100), phone VARCHAR(40), avatar_id BIGINT, tenant_id BIGINT NOT NULL,
  invited_by BIGINT, -- refers to its own table
  FOREIGN KEY (tenant_id) REFERENCES tenants (id), FOREIGN KEY (invited_by) REFERENCES users (id));
CREATE TABLE albums (
  id BIGINT PRIMARY KEY, owner_id BIGINT NOT NULL, title VARCHAR(100), cover_photo_id BIGINT,
  FOREIGN KEY (owner_id) REFERENCES users (id));
CREATE TABLE photos (
  id BIGINT PRIMARY KEY, user_id BIGINT NOT NULL, album_id BIGINT, caption VARCHAR(200),
  FOREIGN KEY (user_id) REFERENCES users (id), FOREIGN KEY (album_id) REFERENCES albums (id));
ALTER TABLE users ADD FOREIGN KEY (avatar_id) REFERENCES photos (id);
ALTER TABLE albums ADD FOREIGN KEY (cover_photo_id) REFERENCES photos (id);
-- The primary key is the reference.
CREATE TABLE user_profiles (user_id BIGINT PRIMARY KEY, birth_date DATE, bio VARCHAR(500), FOREIGN KEY (user_id) REFERENCES users (id));
-- The platform's id is in another table than the person.
CREATE TABLE logins (
  id BIGINT PRIMARY KEY, user_id BIGINT NOT NULL, provider VARCHAR(20) NOT NULL, uid VARCHAR(100) NOT NULL,
  UNIQUE (provider, uid), FOREIGN KEY (user_id) REFERENCES users (id));
-- The database deletes these by itself.
CREATE TABLE sessions (id BIGINT PRIMARY KEY, user_id BIGINT NOT NULL, ip VARCHAR(45), FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE);
CREATE TABLE api_tokens (id BIGINT PRIMARY KEY, session_id BIGINT NOT NULL, token VARCHAR(100), FOREIGN KEY (session_id) REFERENCES sessions (id) ON DELETE CASCADE);
CREATE TABLE addresses (id BIGINT PRIMARY KEY, user_id BIGINT NOT NULL, street VARCHAR(100), FOREIGN KEY (user_id) REFERENCES users (id));
-- The database refuses to delete what these refer to, at once and not at the commit.
CREATE TABLE posts (
  id BIGINT PRIMARY KEY, author_id BIGINT NOT NULL, tenant_id BIGINT NOT NULL, body VARCHAR(500),
  FOREIGN KEY (author_id) REFERENCES users (id) ON DELETE RESTRICT, FOREIGN KEY (tenant_id) REFERENCES tenants (id));
-- Keys of two columns, referred to by keys of two columns.
CREATE TABLE post_revisions (post_id BIGINT, revision INTEGER, body VARCHAR(500), PRIMARY KEY (post_id, revision), FOREIGN KEY (post_id) REFERENCES posts (id));
CREATE TABLE revision_notes (
  id BIGINT PRIMARY KEY, post_id BIGINT NOT NULL, revision INTEGER NOT NULL, note VARCHAR(200),
  FOREIGN KEY (post_id, revision) REFERENCES post_revisions (post_id, revision));
-- Others' rows hang on the person's, and on each other.
CREATE TABLE comments (
  id BIGINT PRIMARY KEY, post_id BIGINT NOT NULL, user_id BIGINT NOT NULL, parent_id BIGINT, body VARCHAR(500),
  FOREIGN KEY (post_id) REFERENCES posts (id), FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE RESTRICT,
  FOREIGN KEY (parent_id) REFERENCES comments (id));
CREATE TABLE likes (user_id BIGINT, post_id BIGINT, PRIMARY KEY (user_id, post_id), FOREIGN KEY (user_id) REFERENCES users (id), FOREIGN KEY (post_id) REFERENCES posts (id));
CREATE TABLE tags (id BIGINT PRIMARY KEY, name VARCHAR(50) UNIQUE);
CREATE TABLE post_tags (post_id BIGINT, tag_id BIGINT, PRIMARY KEY (post_id, tag_id), FOREIGN KEY (post_id) REFERENCES posts (id), FOREIGN KEY (tag_id) REFERENCES tags (id));
-- A bare connection of two people.
CREATE TABLE follows (follower_id BIGINT, followee_id BIGINT, PRIMARY KEY (follower_id, followee_id), FOREIGN KEY (follower_id) REFERENCES users (id), FOREIGN KEY (followee_id) REFERENCES users (id));
-- Names that must be quoted, and names in other scripts.
CREATE TABLE "Kunden ""Notizen""" ("Notiz Nr" BIGINT PRIMARY KEY, "Größe; DROP" VARCHAR(100), "select" BIGINT NOT NULL, FOREIGN KEY ("select") REFERENCES users (id));
CREATE TABLE "投稿" ("番号" BIGINT PRIMARY KEY, "作者" BIGINT NOT NULL, "本文" VARCHAR(200), FOREIGN KEY ("作者") REFERENCES users (id));
-- A table that people meet in, and which is nobody's.
CREATE TABLE conversations (id BIGINT PRIMARY KEY, topic VARCHAR(100));
CREATE TABLE conversation_members (conversation_id BIGINT, user_id BIGINT, PRIMARY KEY (conversation_id, user_id), FOREIGN KEY (conversation_id) REFERENCES conversations (id), FOREIGN KEY (user_id) REFERENCES users (id));
CREATE TABLE messages (
  id BIGINT PRIMARY KEY, conversation_id BIGINT NOT NULL, sender_id BIGINT NOT NULL, recipient_id BIGINT, body VARCHAR(500),
  FOREIGN KEY (conversation_id) REFERENCES conversations (id), FOREIGN KEY (sender_id) REFERENCES users (id), FOREIGN KEY (recipient_id) REFERENCES users (id));
CREATE TABLE message_reads (message_id BIGINT, user_id BIGINT, read_at TIMESTAMP NULL, PRIMARY KEY (message_id, user_id), FOREIGN KEY (message_id) REFERENCES messages (id), FOREIGN KEY (user_id) REFERENCES users (id));
-- Bookkeeping, which a law may oblige to keep.
CREATE TABLE orders (
  id BIGINT PRIMARY KEY, user_id BIGINT NOT NULL, number VARCHAR(20) NOT NULL, total DECIMAL(10,2), ordered_on DATE, shipping_address_id BIGINT,
  FOREIGN KEY (user_id) REFERENCES users (id), FOREIGN KEY (shipping_address_id) REFERENCES addresses (id));
-- A product of the house, made by a colleague: not to be erased with her without asking.
CREATE TABLE products (id BIGINT PRIMARY KEY, name VARCHAR(100), created_by BIGINT, FOREIGN KEY (created_by) REFERENCES users (id));
CREATE TABLE order_items (order_id BIGINT, line INTEGER, product_id BIGINT, PRIMARY KEY (order_id, line), FOREIGN KEY (order_id) REFERENCES orders (id), FOREIGN KEY (product_id) REFERENCES products (id));
CREATE TABLE shipments (id BIGINT PRIMARY KEY, order_id BIGINT NOT NULL, line INTEGER NOT NULL, tracking VARCHAR(50), FOREIGN KEY (order_id, line) REFERENCES order_items (order_id, line));
CREATE TABLE invoices (id BIGINT PRIMARY KEY, order_id BIGINT NOT NULL, number VARCHAR(20) NOT NULL, total DECIMAL(10,2), issued_on DATE NOT NULL, billing_name VARCHAR(100), FOREIGN KEY (order_id) REFERENCES orders (id));
CREATE TABLE payments (id BIGINT PRIMARY KEY, invoice_id BIGINT NOT NULL, iban VARCHAR(40), amount DECIMAL(10,2), FOREIGN KEY (invoice_id) REFERENCES invoices (id) ON DELETE RESTRICT);
CREATE TABLE product_reviews (id BIGINT PRIMARY KEY, product_id BIGINT NOT NULL, user_id BIGINT NOT NULL, body VARCHAR(500), FOREIGN KEY (product_id) REFERENCES products (id), FOREIGN KEY (user_id) REFERENCES users (id));
-- Refers to its own table, and to nobody.
CREATE TABLE categories (id BIGINT PRIMARY KEY, name VARCHAR(50), parent_id BIGINT, FOREIGN KEY (parent_id) REFERENCES categories (id));
CREATE TABLE product_categories (product_id BIGINT, category_id BIGINT, PRIMARY KEY (product_id, category_id), FOREIGN KEY (product_id) REFERENCES products (id), FOREIGN KEY (category_id) REFERENCES categories (id));
CREATE TABLE tickets (id BIGINT PRIMARY KEY, user_id BIGINT NOT NULL, assigned_to BIGINT, subject VARCHAR(200), FOREIGN KEY (user_id) REFERENCES users (id), FOREIGN KEY (assigned_to) REFERENCES users (id));
CREATE TABLE ticket_events (id BIGINT PRIMARY KEY, ticket_id BIGINT NOT NULL, actor_id BIGINT, note VARCHAR(200), FOREIGN KEY (ticket_id) REFERENCES tickets (id), FOREIGN KEY (actor_id) REFERENCES users (id));
-- People with a key of two columns, in a language of their own.
CREATE TABLE "Mitglieder" (verein BIGINT, nr INTEGER, "E-Mail" VARCHAR(200) NOT NULL UNIQUE, vorname VARCHAR(50), PRIMARY KEY (verein, nr), FOREIGN KEY (verein) REFERENCES tenants (id));
CREATE TABLE "Beiträge" (verein BIGINT, nr INTEGER, jahr INTEGER, betrag DECIMAL(10,2), PRIMARY KEY (verein, nr, jahr), FOREIGN KEY (verein, nr) REFERENCES "Mitglieder" (verein, nr));
CREATE TABLE "Mahnungen" (id BIGINT PRIMARY KEY, verein BIGINT, nr INTEGER, jahr INTEGER, anrede VARCHAR(100), FOREIGN KEY (verein, nr, jahr) REFERENCES "Beiträge" (verein, nr, jahr));
-- Rows that name people by an address alone: once each, and many times.
CREATE TABLE newsletter (email VARCHAR(200) PRIMARY KEY, since DATE);
CREATE TABLE contact_messages (id BIGINT PRIMARY KEY, email VARCHAR(200), body VARCHAR(500));
-- Refers to users, and no foreign key says so.
CREATE TABLE visits (id BIGINT PRIMARY KEY, user_id BIGINT, path VARCHAR(100));
-- Personal, and nothing in it leads to the person.
CREATE TABLE audit_log (id BIGINT PRIMARY KEY, at TIMESTAMP NULL, payload VARCHAR(500));
-- Nobody.
CREATE TABLE countries (code VARCHAR(2) PRIMARY KEY, name VARCHAR(100));
CREATE TABLE schema_migrations (version VARCHAR(40) PRIMARY KEY);

-- Shows what tables hold.
CREATE VIEW user_directory AS SELECT id, display_name, email FROM users;

INSERT INTO tenants VALUES (1, 'Harbour'), (2, 'Hill');
INSERT INTO users VALUES
  (1, 'zoe@example.org', 'z-1', '$2b$12$abcdefghijklmnopqrstuvwxyz0123', 'zoe', '+49 30 1', NULL, 1, NULL),
  (2, 'adam@example.org', 'a-2', '$2b$12$abcdefghijklmnopqrstuvwxyz0123', 'Adam', NULL, NULL, 1, 1),
  (3, 'eve@example.org', 'e-3', '$2b$12$abcdefghijklmnopqrstuvwxyz0123', 'Eve', NULL, NULL, 1, NULL);
INSERT INTO albums VALUES (1, 1, 'zoe at sea', NULL), (2, 2, 'Adam', NULL);
INSERT INTO photos VALUES (1, 1, 1, 'zoe'), (2, 2, 2, 'Adam');
UPDATE users SET avatar_id = 1 WHERE id = 1;
UPDATE users SET avatar_id = 2 WHERE id = 2;
UPDATE albums SET cover_photo_id = 1 WHERE id = 1;
INSERT INTO user_profiles VALUES (1, '1990-01-01', 'zoe'), (2, '1991-01-01', 'Adam');
INSERT INTO logins VALUES (1, 1, 'facebook', 'zoe-10158'), (2, 2, 'facebook', '20158');
INSERT INTO sessions VALUES (1, 1, '192.0.2.1'), (2, 2, '192.0.2.2');
INSERT INTO api_tokens VALUES (1, 1, 'zoe-token'), (2, 2, 'token');
INSERT INTO addresses VALUES (1, 1, 'zoe street'), (2, 2, 'Adam street');
INSERT INTO posts VALUES (1, 1, 1, 'zoe writes'), (2, 2, 1, 'Adam writes');
INSERT INTO post_revisions VALUES (1, 1, 'zoe wrote'), (1, 2, 'zoe wrote again'), (2, 1, 'Adam wrote');
INSERT INTO revision_notes VALUES (1, 1, 2, 'zoe notes'), (2, 2, 1, 'Adam notes');
INSERT INTO comments VALUES (1, 2, 1, NULL, 'zoe on Adam'), (2, 1, 2, NULL, 'Adam below'), (3, 2, 2, 1, 'Adam answers'), (4, 2, 2, NULL, 'Adam');
INSERT INTO likes VALUES (1, 2), (2, 1), (2, 2);
INSERT INTO tags VALUES (1, 'sea');
INSERT INTO post_tags VALUES (1, 1), (2, 1);
INSERT INTO follows VALUES (1, 2), (2, 1), (3, 2);
INSERT INTO "Kunden ""Notizen""" VALUES (1, 'zoe; --', 1), (2, 'Adam', 2);
INSERT INTO "投稿" VALUES (1, 1, 'zoe 文'), (2, 2, '文');
INSERT INTO conversations VALUES (1, 'boats');
INSERT INTO conversation_members VALUES (1, 1), (1, 2);
INSERT INTO messages VALUES (1, 1, 1, 2, 'zoe to Adam'), (2, 1, 2, 1, 'Adam to her'), (3, 1, 2, 3, 'Adam to Eve');
INSERT INTO message_reads VALUES (1, 2, NULL), (2, 1, NULL), (3, 3, NULL);
INSERT INTO orders VALUES (1, 1, 'O1', 5, '2024-05-01', 1), (2, 2, 'O2', 7, '2024-05-02', 2);
INSERT INTO products VALUES (1, 'Rope', 3), (2, 'Anchor', 3);
INSERT INTO order_items VALUES (1, 1, 1), (2, 1, 2);
INSERT INTO shipments VALUES (1, 1, 1, 'zoe-track'), (2, 2, 1, 'track');
INSERT INTO invoices VALUES (1, 1, 'R1', 5, '2024-05-03', 'zoe'), (2, 2, 'R2', 7, '2024-05-04', 'Adam');
INSERT INTO payments VALUES (1, 1, 'DE-zoe', 5), (2, 2, 'DE', 7);
INSERT INTO product_reviews VALUES (1, 1, 1, 'zoe likes it'), (2, 1, 2, 'Adam too');
INSERT INTO categories VALUES (1, 'Boats', NULL), (2, 'Ropes', 1);
INSERT INTO product_categories VALUES (1, 2);
INSERT INTO tickets VALUES (1, 1, 3, 'zoe asks'), (2, 2, 3, 'Adam asks');
INSERT INTO ticket_events VALUES (1, 1, 3, 'answered zoe'), (2, 2, 2, 'Adam added');
INSERT INTO "Mitglieder" VALUES (1, 7, 'zoe@example.org', 'zoe'), (2, 7, 'adam@example.org', 'Adam');
INSERT INTO "Beiträge" VALUES (1, 7, 2024, 10), (2, 7, 2024, 20);
INSERT INTO "Mahnungen" VALUES (1, 1, 7, 2024, 'Liebe zoe'), (2, 2, 7, 2024, 'Lieber Adam');
INSERT INTO newsletter VALUES ('zoe@example.org', '2020-01-01'), ('adam@example.org', '2020-01-01');
INSERT INTO contact_messages VALUES (1, 'zoe@example.org', 'zoe asks'), (2, 'zoe@example.org', 'zoe again'), (3, 'adam@example.org', 'Adam');
INSERT INTO visits VALUES (1, 1, '/zoe'), (2, 2, '/adam'), (3, NULL, '/');
INSERT INTO audit_log VALUES (1, NULL, 'mail to zoe@example.org bounced');
INSERT INTO countries VALUES ('GR', 'Greece');
INSERT INTO schema_migrations VALUES ('20200101');
