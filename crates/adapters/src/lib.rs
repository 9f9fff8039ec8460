//! One adapter speaks for one kind of system, with up to three verbs: read, write, erase.
//!
//! What an adapter can do is a value ([`Capabilities`]), not a type hierarchy; the behaviour suite and the plans read it.
//! Every adapter is a folder of the same shape: `mod.rs` (configuration, capabilities), `read.rs`, `write.rs`, `erase.rs`, `errors.rs`.

pub mod archive;
pub mod behaviour;
mod body;
mod by_hand;
pub mod dir;
pub mod dtp;
mod files;
pub mod http;
pub mod inspect;
pub mod locations;
pub mod manual;
pub mod mysql;
pub mod open;
pub mod postgres;
pub mod redis;
pub mod s3;
pub mod spec;
mod sql;
pub mod sqlite;
pub mod verbs;
pub mod webdav;
pub mod webhook;
mod xml;

pub use inspect::Inspector;
pub use open::{Context, Described, Token, open_destination, open_eraser, open_inspector, open_source, registry};
pub use spec::Spec;
pub use verbs::{Body, Capabilities, ContentOrder, Cursor, Destination, Entry, Eraser, ItemKey, Page, Source, Written};
