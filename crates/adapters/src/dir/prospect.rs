//! A folder that is only looked at, for plans: nothing is made and nothing is written.

use std::path::Path;

use async_trait::async_trait;
use model::{Item, Problem, Result};

use super::write::{Occupancy, occupancy};
use super::{capabilities, errors};
use crate::verbs::{Body, Capabilities, Destination, ItemKey, Written};

/// A folder that may become a bag.
pub struct Prospect;

impl Prospect {
    /// Looks whether a bag could be written in `root`.
    ///
    /// # Errors
    /// `MO-3019` if the folder holds other things or cannot be looked into.
    pub fn open(root: impl AsRef<Path>) -> Result<Self> {
        match occupancy(root.as_ref()) {
            Ok(Occupancy::Foreign) => Err(errors::occupied()),
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(errors::unwritable(error.kind())),
            _ => Ok(Self),
        }
    }
}

#[async_trait]
impl Destination for Prospect {
    fn capabilities(&self) -> Capabilities {
        capabilities()
    }

    fn refuses(&self, _: &Item) -> Option<Problem> {
        None
    }

    async fn write(&self, _: &Item, _: &ItemKey, _: Option<Body>) -> Result<Written> {
        Err(errors::unwritable(std::io::ErrorKind::ReadOnlyFilesystem))
    }
}
