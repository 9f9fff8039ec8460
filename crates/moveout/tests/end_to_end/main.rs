//! The two walks through the shipped binary.

mod callback;
mod demo;
mod support;
mod transfer;
