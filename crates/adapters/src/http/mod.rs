//! An HTTP API of somebody who holds data for us: `https://crm.example/api/`, asked by calls that the map describes.

mod answer;
mod erase;
mod request;

use std::collections::BTreeMap;

use model::{Problem, Result, codes};
use url::Url;

use crate::open::{Context, Described, Token};
use crate::spec::Spec;
use crate::verbs::Capabilities;

/// Somebody's API.
#[derive(Debug)]
pub struct Http {
    net: net::Client,
    base: Url,
    secrets: BTreeMap<String, Token>,
}

impl Http {
    /// Reads the address; nothing is sent before a call.
    ///
    /// # Errors
    /// `MO-3013` if it is no address of an API.
    pub fn new(spec: &Spec, context: &Context) -> Result<Self> {
        let malformed = |detail: &str| Problem::new(&codes::transfer::SPEC_MALFORMED, detail);
        let mut base = Url::parse(&spec.target).map_err(|_| malformed("write it like https://host/api/"))?;
        if base.query().is_some()
            || base.fragment().is_some()
            || !base.username().is_empty()
            || base.password().is_some()
        {
            return Err(malformed(
                "the address of an API has no '?', '#', user name or password; those go into the calls",
            ));
        }
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        Ok(Self { net: context.net.clone(), base, secrets: context.secrets.clone() })
    }
}

/// What this adapter says of itself.
pub(crate) fn described() -> Described {
    Described {
        name: "http",
        capabilities: Capabilities { erases: true, ..Capabilities::default() },
        about: "an HTTP API: erases by a call that the map describes, and reads again by another or takes its word",
    }
}
