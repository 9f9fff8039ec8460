//! What makes two deliveries the same item, and what makes them equal.

use model::{DataType, Item, Result};
use store::Vault;
use store::landing::Digest;
use store::value::json;

use super::Job;

/// Who sends to whom: the room in which ids mean something.
pub(super) struct Room<'a> {
    pub vault: &'a Vault,
    pub account: &'a str,
    pub job: &'a Job,
}

impl Room<'_> {
    /// Returns the identity of an item that has an id of its own: the same in every job from the same service.
    pub fn by_id(&self, data_type: DataType, id: &str) -> Digest {
        self.digest(&["id", self.account, &self.job.service, data_type.name(), id])
    }

    /// Returns the identity of an item without an id: the same within one job, or all runs of a recurring one.
    pub fn by_content(&self, item: &Item, blake3: &str) -> Digest {
        let job = self.job.recurring.as_deref().unwrap_or(&self.job.id);
        let created = item.created.map(|created| created.to_string()).unwrap_or_default();
        let container = item.containers.first().map(String::as_str);
        // An album without a name is not the same as no album.
        let (in_album, album) = (if container.is_some() { "in" } else { "" }, container.unwrap_or_default());
        let kind = item.data_type.name();
        self.digest(&[
            "content",
            self.account,
            &self.job.service,
            job,
            kind,
            in_album,
            album,
            item.label(),
            &created,
            blake3,
        ])
    }

    /// Returns the version of an item: everything that we model of it. The sender's own JSON may differ in white space.
    pub fn version(&self, item: &Item) -> Result<Digest> {
        let modelled = Item { original: None, ..item.clone() };
        Ok(self.vault.digest("landing version", json(&modelled)?.as_bytes()))
    }

    fn digest(&self, parts: &[&str]) -> Digest {
        let framed: Vec<u8> =
            parts.iter().flat_map(|part| [&(part.len() as u64).to_be_bytes()[..], part.as_bytes()].concat()).collect();
        self.vault.digest("landing identity", &framed)
    }
}
