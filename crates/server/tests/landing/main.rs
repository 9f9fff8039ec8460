//! The landing as a Data Transfer Project host meets it: over real HTTP, by a sender written from the public documentation.

mod delivery;
mod hostile;
mod pickup;
mod roundtrip;
mod sender;
