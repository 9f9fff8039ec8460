//! Erasure: resolve identities, check holds, erase, read again, prove.

pub mod plan;
