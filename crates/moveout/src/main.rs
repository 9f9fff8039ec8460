//! The moveout binary: command line, configuration, wiring.

fn main() {}
