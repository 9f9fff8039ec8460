//! Schemas of applications as they are found in the wild.

/// A community of 43 tables: circles, keys of several columns, references to the own table, `ON DELETE RESTRICT`, quoted and
/// non-ASCII names, a view. For PostgreSQL, and for MariaDB with `sql_mode = ANSI_QUOTES`.
pub const COMMUNITY: &str = include_str!("../schemas/community.sql");

/// What only PostgreSQL has: partitions, another schema, a materialized view, a trigger, a computed column.
pub const COMMUNITY_ON_POSTGRES: &str = include_str!("../schemas/community.postgres.sql");

/// A blog as WordPress keeps it, on SQLite.
pub const WORDPRESS: &str = include_str!("../schemas/wordpress.sql");

/// A shop and project tool as Rails keeps it, on SQLite.
pub const RAILS: &str = include_str!("../schemas/rails.sql");

/// A magazine as Django keeps it, on SQLite.
pub const DJANGO: &str = include_str!("../schemas/django.sql");
