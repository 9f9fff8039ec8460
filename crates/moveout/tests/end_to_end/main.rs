//! The two walks through the shipped binary.

mod backup;
mod bucket;
mod callback;
mod crash;
mod demo;
mod in_flight;
mod keys;
mod operations;
mod postgres;
mod replay;
mod scan;
mod spread;
mod support;
mod transfer;
mod webhook;
mod work;
