//! A person is forgotten everywhere or the request says why not: on real SQLite databases, with a clock that only the tests move.

mod notices;
mod places;
mod requests;
mod shop;
mod systems;
