CREATE TABLE tenants (id BIGINT PRIMARY KEY, note TEXT);
CREATE TABLE users (tenant_id BIGINT NOT NULL REFERENCES tenants (id), id BIGINT NOT NULL, email TEXT NOT NULL UNIQUE, manager_id BIGINT, avatar_id BIGINT, note TEXT,
    PRIMARY KEY (tenant_id, id), FOREIGN KEY (tenant_id, manager_id) REFERENCES users (tenant_id, id) ON DELETE RESTRICT
--sqlite , FOREIGN KEY (avatar_id) REFERENCES photos (id) ON DELETE RESTRICT
    );
CREATE TABLE photos (id BIGINT PRIMARY KEY, tenant_id BIGINT NOT NULL, user_id BIGINT NOT NULL, note TEXT,
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE RESTRICT);
--server ALTER TABLE users ADD FOREIGN KEY (avatar_id) REFERENCES photos (id) ON DELETE RESTRICT;
CREATE TABLE logins (id BIGINT PRIMARY KEY, tenant_id BIGINT NOT NULL, user_id BIGINT NOT NULL, asid TEXT UNIQUE, note TEXT,
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE);
CREATE TABLE profiles (tenant_id BIGINT NOT NULL, user_id BIGINT NOT NULL, bio TEXT, note TEXT,
    PRIMARY KEY (tenant_id, user_id), FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id));
CREATE TABLE "Straßen & Orte" ("Nr" BIGINT PRIMARY KEY, tenant_id BIGINT NOT NULL, user_id BIGINT NOT NULL, "Straße" TEXT, note TEXT,
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE RESTRICT);
CREATE TABLE "order" ("id" BIGINT PRIMARY KEY, tenant_id BIGINT NOT NULL, user_id BIGINT NOT NULL, "Nr" BIGINT NOT NULL, note TEXT,
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE RESTRICT,
    FOREIGN KEY ("Nr") REFERENCES "Straßen & Orte" ("Nr") ON DELETE RESTRICT);
CREATE TABLE categories (id BIGINT PRIMARY KEY, parent_id BIGINT REFERENCES categories (id), note TEXT);
CREATE TABLE products (id BIGINT PRIMARY KEY, category_id BIGINT NOT NULL REFERENCES categories (id), note TEXT);
CREATE TABLE "order-lines" (order_id BIGINT NOT NULL REFERENCES "order" ("id") ON DELETE RESTRICT, pos BIGINT NOT NULL,
    product_id BIGINT NOT NULL REFERENCES products (id), note TEXT, PRIMARY KEY (order_id, pos));
CREATE TABLE payment_methods (id BIGINT PRIMARY KEY, tenant_id BIGINT NOT NULL, user_id BIGINT NOT NULL, note TEXT,
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE RESTRICT);
CREATE TABLE payments (id BIGINT PRIMARY KEY, order_id BIGINT NOT NULL REFERENCES "order" ("id") ON DELETE RESTRICT,
    method_id BIGINT NOT NULL REFERENCES payment_methods (id) ON DELETE RESTRICT, note TEXT);
CREATE TABLE refunds (id BIGINT PRIMARY KEY, payment_id BIGINT NOT NULL REFERENCES payments (id) ON DELETE RESTRICT, note TEXT);
CREATE TABLE shipments (order_id BIGINT NOT NULL REFERENCES "order" ("id") ON DELETE RESTRICT, no BIGINT NOT NULL, note TEXT, PRIMARY KEY (order_id, no));
CREATE TABLE shipment_events (order_id BIGINT NOT NULL, no BIGINT NOT NULL, seq BIGINT NOT NULL, note TEXT, PRIMARY KEY (order_id, no, seq),
    FOREIGN KEY (order_id, no) REFERENCES shipments (order_id, no) ON DELETE RESTRICT);
CREATE TABLE posts (id BIGINT PRIMARY KEY, tenant_id BIGINT NOT NULL, user_id BIGINT NOT NULL, current_rev BIGINT, note TEXT,
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE RESTRICT
--sqlite , FOREIGN KEY (id, current_rev) REFERENCES post_revisions (post_id, rev) ON DELETE RESTRICT
    );
CREATE TABLE post_revisions (post_id BIGINT NOT NULL REFERENCES posts (id) ON DELETE RESTRICT, rev BIGINT NOT NULL, note TEXT, PRIMARY KEY (post_id, rev));
--server ALTER TABLE posts ADD FOREIGN KEY (id, current_rev) REFERENCES post_revisions (post_id, rev) ON DELETE RESTRICT;
CREATE TABLE tags (id BIGINT PRIMARY KEY, note TEXT);
CREATE TABLE post_tags (post_id BIGINT NOT NULL REFERENCES posts (id), tag_id BIGINT NOT NULL REFERENCES tags (id), note TEXT, PRIMARY KEY (post_id, tag_id));
CREATE TABLE votes (post_id BIGINT NOT NULL REFERENCES posts (id), tenant_id BIGINT NOT NULL, user_id BIGINT NOT NULL, note TEXT,
    PRIMARY KEY (post_id, tenant_id, user_id), FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id));
CREATE TABLE comments (id BIGINT PRIMARY KEY, post_id BIGINT NOT NULL REFERENCES posts (id) ON DELETE RESTRICT, tenant_id BIGINT NOT NULL, user_id BIGINT NOT NULL,
    parent_id BIGINT REFERENCES comments (id) ON DELETE RESTRICT, note TEXT,
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE RESTRICT);
CREATE TABLE reactions (comment_id BIGINT NOT NULL REFERENCES comments (id), tenant_id BIGINT NOT NULL, user_id BIGINT NOT NULL, note TEXT,
    PRIMARY KEY (comment_id, tenant_id, user_id), FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id));
CREATE TABLE albums (id BIGINT PRIMARY KEY, tenant_id BIGINT NOT NULL, user_id BIGINT NOT NULL, cover_id BIGINT REFERENCES photos (id) ON DELETE RESTRICT, note TEXT,
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id));
CREATE TABLE album_photos (album_id BIGINT NOT NULL REFERENCES albums (id), photo_id BIGINT NOT NULL REFERENCES photos (id), note TEXT, PRIMARY KEY (album_id, photo_id));
CREATE TABLE friendships (tenant_id BIGINT NOT NULL, a_id BIGINT NOT NULL, b_id BIGINT NOT NULL, note TEXT, PRIMARY KEY (tenant_id, a_id, b_id),
    FOREIGN KEY (tenant_id, a_id) REFERENCES users (tenant_id, id), FOREIGN KEY (tenant_id, b_id) REFERENCES users (tenant_id, id));
CREATE TABLE conversations (id BIGINT PRIMARY KEY, note TEXT);
CREATE TABLE participants (conversation_id BIGINT NOT NULL REFERENCES conversations (id), tenant_id BIGINT NOT NULL, user_id BIGINT NOT NULL, note TEXT,
    PRIMARY KEY (conversation_id, tenant_id, user_id), FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id));
CREATE TABLE messages (id BIGINT PRIMARY KEY, conversation_id BIGINT NOT NULL REFERENCES conversations (id), tenant_id BIGINT NOT NULL, user_id BIGINT NOT NULL, note TEXT,
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE RESTRICT);
CREATE TABLE message_reads (message_id BIGINT NOT NULL REFERENCES messages (id), tenant_id BIGINT NOT NULL, user_id BIGINT NOT NULL, note TEXT,
    PRIMARY KEY (message_id, tenant_id, user_id), FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id));
CREATE TABLE attachments (id BIGINT PRIMARY KEY, message_id BIGINT NOT NULL REFERENCES messages (id) ON DELETE RESTRICT, note TEXT);
CREATE TABLE sessions (token VARCHAR(40) PRIMARY KEY, tenant_id BIGINT NOT NULL, user_id BIGINT NOT NULL, note TEXT,
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id));
CREATE TABLE devices (id BIGINT PRIMARY KEY, tenant_id BIGINT NOT NULL, user_id BIGINT NOT NULL, note TEXT,
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id));
CREATE TABLE push_tokens (device_id BIGINT NOT NULL REFERENCES devices (id), token VARCHAR(40) NOT NULL, note TEXT, PRIMARY KEY (device_id, token));
CREATE TABLE "通知" ("番号" BIGINT PRIMARY KEY, tenant_id BIGINT NOT NULL, "受信者" BIGINT NOT NULL, "本文" TEXT, note TEXT,
    FOREIGN KEY (tenant_id, "受信者") REFERENCES users (tenant_id, id));
CREATE TABLE audit_log (id BIGINT NOT NULL, at DATE NOT NULL, email TEXT, note TEXT, PRIMARY KEY (id, at))
--postgres PARTITION BY RANGE (at)
--mariadb PARTITION BY RANGE COLUMNS (at) (PARTITION first VALUES LESS THAN ('2026-01-01'), PARTITION rest VALUES LESS THAN (MAXVALUE))
    ;
--postgres CREATE TABLE audit_first PARTITION OF audit_log FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
--postgres CREATE TABLE audit_rest PARTITION OF audit_log DEFAULT;
CREATE TABLE page_views (email TEXT, page TEXT, note TEXT)
--postgres PARTITION BY HASH (email)
--mariadb PARTITION BY KEY (email) PARTITIONS 3
    ;
--postgres CREATE TABLE page_views_0 PARTITION OF page_views FOR VALUES WITH (MODULUS 2, REMAINDER 0);
--postgres CREATE TABLE page_views_1 PARTITION OF page_views FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE newsletter (email VARCHAR(190) PRIMARY KEY, note TEXT);
CREATE TABLE tickets (id BIGINT PRIMARY KEY, email TEXT, note TEXT);
CREATE TABLE ticket_messages (ticket_id BIGINT NOT NULL REFERENCES tickets (id) ON DELETE RESTRICT, no BIGINT NOT NULL, note TEXT, PRIMARY KEY (ticket_id, no));
CREATE TABLE teams (id BIGINT PRIMARY KEY, tenant_id BIGINT NOT NULL, lead_id BIGINT, note TEXT,
    FOREIGN KEY (tenant_id, lead_id) REFERENCES users (tenant_id, id) ON DELETE RESTRICT);
CREATE TABLE team_members (team_id BIGINT NOT NULL REFERENCES teams (id), tenant_id BIGINT NOT NULL, user_id BIGINT NOT NULL, note TEXT,
    PRIMARY KEY (team_id, tenant_id, user_id), FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id));
CREATE TABLE invitations (id BIGINT PRIMARY KEY, tenant_id BIGINT NOT NULL, user_id BIGINT NOT NULL, invited TEXT, note TEXT,
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id));
CREATE VIEW everybody AS SELECT tenant_id, id, email FROM users;
