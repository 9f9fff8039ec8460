//! Test tools: a manual clock, seeded ids, a temporary PostgreSQL, MariaDB and Redis, schemas of applications, a misbehaving
//! platform. Development only.

pub mod ambient;
pub mod api;
pub mod database;
pub mod mariadb;
pub mod postgres;
pub mod receiver;
pub mod redis;
#[cfg(feature = "s3")]
pub mod s3;
pub mod schemas;
mod service;
pub mod webdav;
