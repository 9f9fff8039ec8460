//! One message or file <-> model, without IO: every parser here is fuzzed.

pub mod bag;
pub mod callback;
pub mod canonical;
pub mod checkpoint;
pub mod confirmation;
pub mod consistency;
pub mod dtp;
pub mod id_list;
pub mod json_elements;
pub mod mastodon;
pub mod oauth;
pub mod people;
pub mod receipt;
pub mod signed_request;
pub mod webhook;
pub mod world;
