//! What is moved or erased: data types, items, identities, requests, their states and verdicts.
//!
//! This crate is pure: no IO, no async runtime, no database. Everybody may import it and it imports nobody.

pub mod ambient;
pub mod call;
pub mod catalog;
pub mod check;
pub mod codes;
pub mod data;
pub mod erasure;
pub mod identity;
pub mod item;
pub mod location;
pub mod merkle;
pub mod plan;
pub mod problem;
pub mod template;
pub mod transfer;
pub mod world;

pub use ambient::{Ambient, Clock, Ids};
pub use data::DataType;
pub use identity::{Identity, IdentityKind};
pub use item::Item;
pub use problem::{Code, Problem, Result, Verdict};
