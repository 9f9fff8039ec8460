//! Test tools: a manual clock, seeded ids, a temporary PostgreSQL, a misbehaving platform. Development only.

pub mod ambient;
pub mod postgres;
