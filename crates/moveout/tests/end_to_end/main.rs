//! The two walks through the shipped binary.

mod callback;
mod support;
mod transfer;
