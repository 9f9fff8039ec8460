//! The systems of apps, open. Connections stay between requests, and requests that wait together share one look at a catalogue:
//! reading it anew for each costs a database more than the erasure itself.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use adapters::locations::ByLocation;
use adapters::{Context, Eraser, Spec, Token};
use model::catalog::Catalog;
use model::{Problem, Result, codes};
use store::world::System;

use super::house::House;
use super::processor::Processor;
use crate::Engine;

/// The open systems of an engine, by their names.
#[derive(Default)]
pub(crate) struct Systems(Mutex<HashMap<String, Arc<Opened>>>);

/// A system that is open to erase in.
pub(super) struct Opened {
    pub(super) eraser: Arc<dyn Eraser>,
    /// A digest of its address and secrets, which may have been declared anew.
    address: blake3::Hash,
    /// How many readings of the catalogue have begun.
    begun: AtomicU64,
    last: tokio::sync::Mutex<Reading>,
}

/// The last reading of a catalogue.
#[derive(Default)]
struct Reading {
    /// Its number, from 1.
    number: u64,
    /// What it found; none if it failed.
    catalog: Option<Arc<Catalog>>,
}

/// Opens a system to erase in, for this request if there is one; one that is switched off stands in the way, it is never skipped.
///
/// # Errors
/// `MO-2007` if it is switched off, or what kept it from opening.
pub(super) async fn open(engine: &Engine, system: &System, request: Option<&str>) -> Result<Arc<Opened>> {
    let name = &system.declared.name;
    if !system.declared.enabled {
        return Err(Problem::new(&codes::erasure::SYSTEM_DISABLED, format!("{name} is")));
    }
    // Those of our own house know the store and the request, and hold nothing open.
    let own: Option<Arc<dyn Eraser>> = match system.declared.adapter.as_str() {
        "webhook" | "manual" => Some(Arc::new(Processor::open(engine, system, request)?)),
        "moveout" => Some(Arc::new(ByLocation(House(engine.clone())))),
        _ => None,
    };
    if let Some(eraser) = own {
        return Ok(Arc::new(Opened::new(eraser, address(system))));
    }
    let address = address(system);
    let known = || engine.systems.0.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(opened) = known().get(name).filter(|opened| opened.address == address) {
        return Ok(opened.clone());
    }
    let spec: Spec = system.url.parse()?;
    let secrets = system.secrets.iter().map(|(name, secret)| (name.clone(), Token::new(secret.as_str()))).collect();
    let context = Context { secrets, ..Context::new(engine.net.clone()) };
    let eraser = adapters::open_eraser(&spec, &context).await?;
    let opened = Arc::new(Opened::new(eraser, address));
    known().insert(name.clone(), opened.clone());
    Ok(opened)
}

/// A digest of where a system is and of what opens it.
fn address(system: &System) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    let secrets = system.secrets.iter().flat_map(|(name, secret)| [name.as_str(), secret.as_str()]);
    for part in [system.url.as_str()].into_iter().chain(secrets) {
        hasher.update(&(part.len() as u64).to_be_bytes()).update(part.as_bytes());
    }
    hasher.finalize()
}

impl Opened {
    fn new(eraser: Arc<dyn Eraser>, address: blake3::Hash) -> Self {
        Self { eraser, address, begun: AtomicU64::new(0), last: tokio::sync::Mutex::default() }
    }

    /// Returns what the system says of itself, read after this was called: by this call, or by another one that began later.
    ///
    /// # Errors
    /// What kept it from being read.
    pub(super) async fn catalog(&self) -> Result<Arc<Catalog>> {
        let before = self.begun.load(Ordering::SeqCst);
        let mut last = self.last.lock().await;
        if last.number > before {
            match &last.catalog {
                Some(catalog) => return Ok(catalog.clone()),
                // It failed for somebody else: all that wait find out at once, not one after the other.
                None => {
                    drop(last);
                    return self.eraser.catalog().await.map(Arc::new);
                }
            }
        }
        let number = self.begun.fetch_add(1, Ordering::SeqCst) + 1;
        let read = self.eraser.catalog().await.map(Arc::new);
        *last = Reading { number, catalog: read.as_ref().ok().cloned() };
        read
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use model::erasure::TableResult;
    use model::plan::{Erased, Frozen, Plan, Survey};
    use model::{Identity, codes};
    use tokio::sync::Semaphore;

    use super::*;

    /// A system that answers a question for its catalogue whenever the test lets it.
    struct Slow {
        asked: AtomicU64,
        answers: Semaphore,
        broken: bool,
    }

    #[async_trait]
    impl Eraser for Slow {
        async fn catalog(&self) -> Result<Catalog> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            self.answers.acquire().await.unwrap().forget();
            if self.broken {
                return Err(Problem::new(&codes::erasure::SYSTEM_UNREACHABLE, "it is away"));
            }
            Ok(Catalog { tables: vec![] })
        }

        async fn survey(&self, _: &Plan, _: &[Identity]) -> Result<Survey> {
            Ok(Survey::default())
        }

        async fn erase(&self, _: &Plan, _: &Frozen) -> Result<Erased> {
            Ok(Erased::default())
        }

        async fn reread(&self, _: &Plan, _: &Frozen) -> Result<Vec<TableResult>> {
            Ok(vec![])
        }
    }

    fn slow(broken: bool) -> (Arc<Slow>, Arc<Opened>) {
        let slow = Arc::new(Slow { asked: AtomicU64::new(0), answers: Semaphore::new(0), broken });
        let opened = Opened::new(slow.clone(), blake3::hash(b""));
        (slow, Arc::new(opened))
    }

    /// Lets a first question be under way, asks ten times more, lets all be answered, and tells how often the system was asked.
    async fn eleven(broken: bool) -> (Arc<Slow>, Arc<Opened>, usize) {
        let (slow, opened) = slow(broken);
        let ask = || {
            tokio::spawn({
                let opened = opened.clone();
                async move { opened.catalog().await.is_ok() }
            })
        };
        let mut asking = vec![ask()];
        while slow.asked.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        asking.extend((0..10).map(|_| ask()));
        // They have no clock to wait for: after a few turns all have asked.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        slow.answers.add_permits(100);
        let mut well = 0;
        for asked in asking {
            well += usize::from(asked.await.unwrap());
        }
        (slow, opened, well)
    }

    #[tokio::test]
    async fn those_who_wait_share_a_reading_that_began_after_they_asked() {
        let (slow, opened, well) = eleven(false).await;
        assert_eq!((well, slow.asked.load(Ordering::SeqCst)), (11, 2));
        opened.catalog().await.unwrap();
        assert_eq!(slow.asked.load(Ordering::SeqCst), 3, "what was read before is never enough");
    }

    #[tokio::test]
    async fn a_failure_is_nobody_elses() {
        let (slow, _, well) = eleven(true).await;
        assert_eq!((well, slow.asked.load(Ordering::SeqCst)), (0, 11));
    }
}
