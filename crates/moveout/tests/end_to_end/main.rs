//! The two walks through the shipped binary.

mod callback;
mod crash;
mod demo;
mod operations;
mod scan;
mod support;
mod transfer;
mod webhook;
mod work;
