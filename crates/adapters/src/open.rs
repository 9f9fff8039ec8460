//! From a spec to an open system: the one place that knows every adapter.
//!
//! Paths in a spec are opened as given; relative ones are the caller's matter.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Problem, Result, codes};
use serde::Serialize;

use crate::archive::{self, Archive};
use crate::by_hand;
use crate::dir::{self, BagReader, BagWriter, Files, Prospect};
use crate::dtp::{self, Dtp};
use crate::http::{self, Http};
use crate::inspect::Inspector;
use crate::locations::ByLocation;
use crate::mysql::{self, Mysql};
use crate::postgres::{self, Postgres};
use crate::redis::{self, Redis};
use crate::s3::{self, S3};
use crate::spec::Spec;
use crate::sqlite::{self, Sqlite};
use crate::verbs::{Capabilities, Destination, Eraser, Source};
use crate::webdav::{self, WebDav};
use crate::webhook;

/// What an adapter may use besides its spec.
#[derive(Clone, Debug)]
pub struct Context {
    /// The way to other people's addresses.
    pub net: net::Client,
    /// The token that the system asks for, if the person connected it or an operator passed one.
    pub token: Option<Token>,
    /// The transfer that this is opened for; none for a look, which writes nothing, or an erasure.
    pub transfer: Option<String>,
    /// The further secrets that a declared system has, by name.
    pub secrets: BTreeMap<String, Token>,
}

impl Context {
    /// Creates one that holds nothing but the way there.
    pub fn new(net: net::Client) -> Self {
        Self { net, token: None, transfer: None, secrets: BTreeMap::new() }
    }
}

/// A bearer token or password: never shown.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Wraps a secret text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the secret itself, to be sent to the system it is for and nowhere else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// One line of `moveout adapter list`.
#[derive(Clone, Debug, Serialize)]
pub struct Described {
    /// What stands before the `:` of a spec.
    pub name: &'static str,
    /// What it can do.
    pub capabilities: Capabilities,
    /// What it is, for people.
    pub about: &'static str,
}

/// Returns every adapter there is.
pub fn registry() -> Vec<Described> {
    vec![
        archive::described(),
        dir::described(),
        dtp::described(),
        http::described(),
        by_hand::described(),
        house(),
        mysql::described(),
        postgres::described(),
        redis::described(),
        s3::described(),
        sqlite::described(),
        webdav::described(),
        webhook::described(),
    ]
}

/// moveout itself, which the engine opens.
fn house() -> Described {
    Described {
        name: "moveout",
        capabilities: Capabilities { erases: true, ..Capabilities::default() },
        about: "this moveout itself: accounts with what they received, granted and are signed in to",
    }
}

/// Opens a system to read from.
///
/// # Errors
/// `MO-3013` for an unknown kind of system, `MO-3014` for one that cannot be read, or what kept it from opening.
pub async fn open_source(spec: &Spec, _context: &Context) -> Result<Arc<dyn Source>> {
    match spec.adapter.as_str() {
        "dir" => Ok(Arc::new(BagReader::open(&spec.target).await?)),
        "archive" => Ok(Arc::new(Archive::open(&spec.target).await?)),
        known if is_known(known) => Err(verb_unsupported(known, "be read from")),
        unknown => Err(adapter_unknown(unknown)),
    }
}

/// Opens a system to write to.
///
/// # Errors
/// `MO-3013` for an unknown kind of system, `MO-3014` for one that cannot be written, or what kept it from opening.
pub async fn open_destination(spec: &Spec, context: &Context) -> Result<Arc<dyn Destination>> {
    match spec.adapter.as_str() {
        "dir" if context.transfer.is_none() => Ok(Arc::new(Prospect::open(&spec.target)?)),
        "dir" => Ok(Arc::new(BagWriter::open(&spec.target).await?)),
        "dtp" => Ok(Arc::new(Dtp::open(spec, context).await?)),
        known if is_known(known) => Err(verb_unsupported(known, "be written to")),
        unknown => Err(adapter_unknown(unknown)),
    }
}

/// Opens a system to erase in.
///
/// # Errors
/// `MO-3013` for an unknown kind of system, `MO-3014` for one that cannot erase, or what kept it from opening.
pub async fn open_eraser(spec: &Spec, context: &Context) -> Result<Arc<dyn Eraser>> {
    match spec.adapter.as_str() {
        "mysql" => Ok(Arc::new(Mysql::new(&spec.target)?)),
        "dir" => Ok(Arc::new(ByLocation(Files::new(&spec.target)))),
        "postgres" => Ok(Arc::new(Postgres::new(&spec.target)?)),
        "http" => Ok(Arc::new(ByLocation(Http::new(spec, context)?))),
        "redis" => Ok(Arc::new(ByLocation(Redis::new(spec, context)?))),
        "s3" => Ok(Arc::new(ByLocation(S3::new(spec, context)?))),
        "sqlite" => Ok(Arc::new(Sqlite::new(&spec.target))),
        "webdav" => Ok(Arc::new(ByLocation(WebDav::new(spec, context)?))),
        known if is_known(known) => Err(verb_unsupported(known, "erase")),
        unknown => Err(adapter_unknown(unknown)),
    }
}

/// Opens a database to look into, without changing anything.
///
/// # Errors
/// `MO-3013` for an unknown kind of system, `MO-3014` for one that has no tables.
pub async fn open_inspector(spec: &Spec, _context: &Context) -> Result<Arc<dyn Inspector>> {
    match spec.adapter.as_str() {
        "mysql" => Ok(Arc::new(Mysql::new(&spec.target)?)),
        "postgres" => Ok(Arc::new(Postgres::new(&spec.target)?)),
        "sqlite" => Ok(Arc::new(Sqlite::new(&spec.target))),
        known if is_known(known) => Err(verb_unsupported(known, "be looked into for tables")),
        unknown => Err(adapter_unknown(unknown)),
    }
}

fn is_known(name: &str) -> bool {
    registry().iter().any(|described| described.name == name)
}

fn adapter_unknown(name: &str) -> Problem {
    Problem::new(&codes::transfer::SPEC_MALFORMED, format!("there is no kind of system called {name:?}"))
}

fn verb_unsupported(name: &str, verb: &str) -> Problem {
    Problem::new(&codes::transfer::VERB_UNSUPPORTED, format!("{name} cannot {verb}"))
}
