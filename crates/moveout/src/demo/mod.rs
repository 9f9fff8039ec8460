//! The demo: a person who never was moves out of one service, and is forgotten by another.

mod archive;
mod browser;
mod consent;
mod database;
mod files;
mod pictures;
mod script;
mod story;
mod words;

pub use files::Folder;
pub use script::{Outcome, Stage, play};
pub use story::tell;
