//! A person is forgotten everywhere or the request says why not: on real databases, with a clock that only the tests move.

mod app_databases;
mod control;
#[path = "../databases/mod.rs"]
mod databases;
mod kept;
mod lists;
mod notices;
mod others;
mod people;
mod places;
mod replay;
mod requests;
mod shop;
mod systems;
