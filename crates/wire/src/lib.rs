//! One message or file <-> model, without IO: every parser here is fuzzed.
