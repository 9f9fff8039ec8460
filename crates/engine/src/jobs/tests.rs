//! Workers and jobs: verdicts, waits, crash loops, and many workers on one queue.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::SignedDuration;
use model::problem::Reason;
use model::{Code, Problem, Result, codes};
use store::jobs::{LEASE, MOST_LEASES, Places, Standing};
use store::{Keys, Store};
use testkit::ambient::ManualClock;
use tokio_util::sync::CancellationToken;

use super::drain::{drain_one_with, drain_with};
use super::name::Name;
use super::run::{Crew, backoff};
use super::{Handler, Job, Outcome, Worker};
use crate::{Engine, Settings};

/// Notes each run, and fails with the code while `failures` lasts.
#[derive(Clone, Default)]
struct Probe {
    runs: Arc<Mutex<Vec<String>>>,
    parked: Arc<Mutex<Vec<String>>>,
    failures: Arc<Mutex<Vec<&'static Code>>>,
}

#[async_trait]
impl Handler for Probe {
    fn kind(&self) -> &'static str {
        "probe"
    }

    async fn run(&self, _engine: &Engine, job: &Job) -> Result<Outcome> {
        self.runs.lock().unwrap().push(job.subject.clone());
        tokio::task::yield_now().await;
        match self.failures.lock().unwrap().pop() {
            Some(code) => Err(Problem::new(code, "on purpose")),
            None => Ok(Outcome::Done),
        }
    }

    async fn parked(&self, _engine: &Engine, _job: &Job, reason: &Reason) -> Result<()> {
        self.parked.lock().unwrap().push(reason.code.clone());
        Ok(())
    }
}

impl Probe {
    fn handlers(&self) -> Vec<Box<dyn Handler>> {
        vec![Box::new(self.clone())]
    }

    fn runs(&self) -> usize {
        self.runs.lock().unwrap().len()
    }
}

struct Bed {
    _folder: tempfile::TempDir,
    engine: Engine,
    clock: Arc<ManualClock>,
    probe: Probe,
}

impl Bed {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (ambient, clock) = testkit::ambient::ambient();
        let store = Store::open_sqlite(folder.path(), Keys::generate(&ambient), ambient.clone()).await.unwrap();
        let settings = Settings { public_url: "https://moveout.test".to_owned(), data: folder.path().to_owned() };
        let net = net::Client::new(net::Policy::operator());
        Self { engine: Engine::new(store, ambient, net, settings), _folder: folder, clock, probe: Probe::default() }
    }

    async fn enqueue(&self, subject: &str) {
        let subject = subject.to_owned();
        self.engine
            .store
            .write("test", move |tx| Box::pin(async move { store::jobs::enqueue(tx, "probe", &subject, None).await }))
            .await
            .unwrap();
    }

    async fn drain(&self) -> usize {
        drain_with(&self.engine, self.probe.handlers()).await.unwrap()
    }

    async fn standing(&self, subject: &'static str) -> Standing {
        self.engine
            .store
            .read("test", move |tx| Box::pin(async move { store::jobs::standing(tx, "probe", subject).await }))
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn the_verdict_decides_between_another_try_and_a_reason() {
    let bed = Bed::new().await;
    *bed.probe.failures.lock().unwrap() = vec![&codes::store::KEY_WRONG, &codes::store::BUSY];
    bed.enqueue("a").await;
    assert_eq!(bed.drain().await, 1, "after a failure that may pass it waits");
    assert_eq!(bed.standing("a").await, Standing::Open);
    bed.clock.advance(SignedDuration::from_secs(2));
    assert_eq!(bed.drain().await, 1);
    assert!(matches!(bed.standing("a").await, Standing::Parked(reason) if reason.code == "MO-5004"));
    assert_eq!(*bed.probe.parked.lock().unwrap(), ["MO-5004"]);
    let told = drain_one_with(&bed.engine, bed.probe.handlers(), "probe", "a").await.unwrap();
    assert_eq!(told.unwrap().code, "MO-5004");

    bed.enqueue("a").await;
    assert_eq!(drain_one_with(&bed.engine, bed.probe.handlers(), "probe", "a").await.unwrap(), None);
    assert_eq!(bed.standing("a").await, Standing::Ended);
    assert_eq!(bed.probe.runs(), 3);
}

#[tokio::test]
async fn waits_grow_stay_below_their_limit_and_respect_the_other_side() {
    let (ambient, _) = testkit::ambient::ambient();
    let longest = |times: u32| (0..200).map(|_| backoff(&ambient, times, None)).max().unwrap();
    assert!(longest(0) < SignedDuration::from_secs(2));
    assert!(longest(3) > SignedDuration::from_secs(8) && longest(3) < SignedDuration::from_secs(16));
    assert!(longest(u32::MAX) > SignedDuration::from_mins(50) && longest(u32::MAX) < SignedDuration::from_hours(1));
    assert!(backoff(&ambient, 0, Some(90)) >= SignedDuration::from_secs(90));
}

#[tokio::test]
async fn a_job_that_kills_its_workers_is_put_aside() {
    let bed = Bed::new().await;
    bed.enqueue("poison").await;
    for _ in 0..MOST_LEASES {
        let crew = Crew::new(bed.engine.clone(), bed.probe.handlers());
        assert_eq!(
            crew.claim(1, HashMap::new(), |_| Places::ANY).await.unwrap().len(),
            1,
            "a worker that dies never says how it ended"
        );
        bed.clock.advance(LEASE);
    }
    bed.drain().await;
    assert_eq!(bed.probe.runs(), 0);
    assert!(matches!(bed.standing("poison").await, Standing::Parked(reason) if reason.code == "MO-5013"));
    assert_eq!(*bed.probe.parked.lock().unwrap(), ["MO-5013"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_workers_share_the_queue_and_do_everything_once() {
    let bed = Bed::new().await;
    let stop = CancellationToken::new();
    let workers: Vec<_> = (0..3)
        .map(|_| {
            let worker = Worker::with_handlers(bed.engine.clone(), bed.probe.handlers());
            tokio::spawn(worker.run(stop.clone()))
        })
        .collect();
    for n in 0..300 {
        bed.enqueue(&format!("s{n}")).await;
    }
    while bed.probe.runs() < 300 {
        tokio::task::yield_now().await;
    }
    stop.cancel();
    for worker in workers {
        worker.await.unwrap().unwrap();
    }
    assert_eq!(bed.drain().await, 0, "nothing is left over");
    let mut runs = bed.probe.runs.lock().unwrap().clone();
    runs.sort_unstable();
    runs.dedup();
    assert_eq!((runs.len(), bed.probe.runs()), (300, 300));
}

#[tokio::test]
async fn the_leases_of_a_process_that_is_gone_are_given_back_at_once() {
    let bed = Bed::new().await;
    let living = Name::take(&bed.engine).unwrap().0;
    let dead = Name::take(&bed.engine).unwrap().0.owner.clone();
    std::fs::write(bed.engine.settings.data.join("workers/3"), "elsewhere another-boot").unwrap();
    let elsewhere = "elsewhere".to_owned();
    for (subject, owner) in
        [("of the living", &living.owner), ("of the dead", &dead), ("of another machine", &elsewhere)]
    {
        bed.enqueue(subject).await;
        let mut crew = Crew::new(bed.engine.clone(), bed.probe.handlers());
        crew.owner.clone_from(owner);
        assert_eq!(crew.claim(1, HashMap::new(), |_| Places::ANY).await.unwrap().len(), 1);
    }
    bed.drain().await;
    assert_eq!(*bed.probe.runs.lock().unwrap(), ["of the dead"], "without waiting: the clock stood still");
    drop(living);

    let stop = CancellationToken::new();
    let worker = Worker::with_handlers(bed.engine.clone(), bed.probe.handlers());
    let running = tokio::spawn(worker.run(stop.clone()));
    while bed.standing("of the living").await != Standing::Ended {
        tokio::task::yield_now().await;
    }
    stop.cancel();
    running.await.unwrap().unwrap();
    assert_eq!(bed.probe.runs(), 2);
}
