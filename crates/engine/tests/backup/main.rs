//! Backups: from any store into any store, refused where they would lose something, and honest about what is forgotten.

mod house;
mod moves;
mod refusals;
