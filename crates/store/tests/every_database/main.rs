//! What the store promises, tested on every database it runs on.

mod bed;
mod erasures;
mod house;
mod inbox;
mod jobs;
mod ledger;
mod lists;
mod operations;
mod retention;
