//! What the engine keeps of declarations, tokens and the ledger, on every database.

mod contents;
#[path = "../databases/mod.rs"]
mod databases;
mod tokens;
mod world;
