//! What the store promises, tested on every database it runs on.

mod away;
mod bed;
mod blobs;
mod clock;
mod encrypted;
mod erasures;
mod full;
mod house;
mod inbox;
mod jobs;
mod landing;
mod ledger;
mod lists;
mod lost_answer;
mod operations;
mod retention;
mod rotation;
