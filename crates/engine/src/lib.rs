//! What requests mean: transfers, the landing, erasure, and the jobs that carry them out.
//!
//! Doors turn bytes into one call here and back; adapters speak to systems; the store remembers. Each right is a folder.

pub mod backup;
pub mod connections;
pub mod erasure;
pub mod jobs;
pub mod landing;
pub mod ledger;
pub mod notify;
pub mod scan;
pub mod status;
pub mod transfer;
pub mod world;

use std::path::Path;
use std::sync::Arc;

use model::Ambient;
use store::Store;

/// What the engine needs to know of the installation.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The absolute URL under which outsiders reach us, without a slash at the end.
    pub public_url: String,
    /// The data folder of this process, for spools and local blobs.
    pub data: std::path::PathBuf,
}

/// The engine: cheap to clone; doors, workers and commands each hold one.
#[derive(Clone)]
pub struct Engine {
    pub(crate) store: Store,
    pub(crate) ambient: Ambient,
    pub(crate) net: net::Client,
    pub(crate) settings: Arc<Settings>,
    pub(crate) systems: Arc<erasure::Systems>,
    pub(crate) overload: Arc<erasure::Overload>,
    /// The folder of the ledger's mirror.
    pub(crate) mirror: Arc<Path>,
    pub(crate) mailer: Option<net::Mailer>,
}

impl Engine {
    /// Creates an engine over an open store.
    pub fn new(store: Store, ambient: Ambient, net: net::Client, settings: Settings) -> Self {
        let (systems, overload) = (Arc::default(), Arc::default());
        let mirror = settings.data.join(ledger::MIRROR).into();
        Self { store, ambient, net, settings: Arc::new(settings), systems, overload, mirror, mailer: None }
    }

    /// Keeps the mirror of the ledger in this folder, best on another disk or machine, instead of within the data folder.
    #[must_use]
    pub fn with_mirror(self, folder: &Path) -> Self {
        Self { mirror: folder.into(), ..self }
    }

    /// Lets it send mail.
    #[must_use]
    pub fn with_mailer(self, mailer: Option<net::Mailer>) -> Self {
        Self { mailer, ..self }
    }

    /// Tells whether it can send mail.
    pub fn sends_mail(&self) -> bool {
        self.mailer.is_some()
    }

    /// Returns what it knows of the installation.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Returns the clock and ids it runs on.
    pub fn ambient(&self) -> &Ambient {
        &self.ambient
    }
}
