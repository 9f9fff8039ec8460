//! The queue: one job a subject, leases that run out, and a fence against those who lost theirs.

use std::collections::{BTreeSet, HashMap};

use crate::bed::{Bed, on_every_database, write};
use futures_util::FutureExt;
use futures_util::future::join_all;
use jiff::SignedDuration;
use model::{Problem, Result, codes};
use store::Store;
use store::jobs::{self, Claim, Job, LEASE, Places, Standing};

on_every_database!(
    urgent_kinds_come_first_and_a_subject_has_one_job,
    a_lease_that_ran_out_goes_to_another_and_the_first_is_fenced,
    what_is_asked_for_while_it_runs_is_run_once_more,
    a_restarted_worker_takes_up_its_own_work_at_once,
    a_parked_job_waits_until_it_is_asked_for_again,
    workers_hear_of_committed_jobs_only,
    one_app_with_many_requests_does_not_keep_another_waiting,
    claimers_side_by_side_take_different_jobs,
    several_jobs_end_together,
);

async fn enqueue(store: &Store, kind: &'static str, subject: &'static str) -> String {
    write!(store, |tx| jobs::enqueue(tx, kind, subject, None)).unwrap()
}

async fn claim(store: &Store, owner: &str, limit: usize) -> Vec<Job> {
    let (kinds, busy) = (vec!["erasure", "transfer"], HashMap::new());
    let claim = Claim { owner: owner.to_owned(), kinds, limit, busy, most: |_| Places::ANY };
    store.write_guarded("test", move |tx| Box::pin(async move { jobs::claim(tx, &claim).await })).await.unwrap()
}

async fn complete(store: &Store, job: &Job) -> Result<()> {
    let job = job.clone();
    write!(store, |tx| jobs::complete(tx, &job))
}

async fn standing(store: &Store, kind: &'static str, subject: &'static str) -> Standing {
    write!(store, |tx| jobs::standing(tx, kind, subject)).unwrap()
}

async fn urgent_kinds_come_first_and_a_subject_has_one_job(bed: Bed) {
    let store = bed.open().await;
    enqueue(&store, "transfer", "t1").await;
    let first = enqueue(&store, "erasure", "e1").await;
    assert_eq!(first, enqueue(&store, "erasure", "e1").await);
    enqueue(&store, "unknown", "u1").await;
    let later = bed.ambient.now() + SignedDuration::from_secs(5);
    write!(store, |tx| jobs::enqueue(tx, "erasure", "e2", Some(later))).unwrap();

    let subjects = |jobs: Vec<Job>| jobs.into_iter().map(|job| job.subject).collect::<Vec<_>>();
    assert_eq!(subjects(claim(&store, "a", 1).await), ["e1"]);
    assert_eq!(subjects(claim(&store, "a", 9).await), ["t1"], "leased, later and unknown jobs are not for us");
    bed.clock.advance(SignedDuration::from_secs(5));
    assert_eq!(subjects(claim(&store, "a", 9).await), ["e2"]);
}

async fn a_lease_that_ran_out_goes_to_another_and_the_first_is_fenced(bed: Bed) {
    let store = bed.open().await;
    enqueue(&store, "transfer", "t1").await;
    let first = claim(&store, "a", 1).await.remove(0);
    bed.clock.advance(LEASE - SignedDuration::from_secs(1));
    let beat = vec![first.clone()];
    assert_eq!(write!(store, |tx| jobs::heartbeat(tx, &beat)).unwrap(), std::slice::from_ref(&first.id));
    bed.clock.advance(LEASE - SignedDuration::from_secs(1));
    assert!(claim(&store, "b", 1).await.is_empty(), "the heartbeat prolonged it");
    bed.clock.advance(SignedDuration::from_secs(1));
    let second = claim(&store, "b", 1).await.remove(0);
    assert_eq!((second.times_leased, second.times_failed), (2, 0));

    let late = vec![first.clone(), second.clone()];
    assert_eq!(
        write!(store, |tx| jobs::heartbeat(tx, &late)).unwrap(),
        std::slice::from_ref(&second.id),
        "the first is told"
    );
    let late = first.clone();
    for refused in [complete(&store, &first).await, write!(store, |tx| jobs::hold(tx, &late))] {
        assert!(refused.unwrap_err().is(&codes::store::LEASE_LOST));
    }
    complete(&store, &second).await.unwrap();
    assert_eq!(standing(&store, "transfer", "t1").await, Standing::Ended);
}

async fn what_is_asked_for_while_it_runs_is_run_once_more(bed: Bed) {
    let store = bed.open().await;
    enqueue(&store, "transfer", "t1").await;
    let job = claim(&store, "a", 1).await.remove(0);
    enqueue(&store, "transfer", "t1").await;
    assert!(claim(&store, "b", 1).await.is_empty(), "never two at once");
    complete(&store, &job).await.unwrap();
    let job = claim(&store, "b", 1).await.remove(0);
    complete(&store, &job).await.unwrap();
    assert!(claim(&store, "b", 1).await.is_empty());
}

async fn a_restarted_worker_takes_up_its_own_work_at_once(bed: Bed) {
    let store = bed.open().await;
    enqueue(&store, "transfer", "t1").await;
    enqueue(&store, "transfer", "t2").await;
    claim(&store, "a", 1).await;
    claim(&store, "b", 1).await;
    drop(store);
    let store = bed.open().await;
    assert_eq!(write!(store, |tx| jobs::release(tx, "a")).unwrap(), 1);
    let again = claim(&store, "a", 9).await;
    assert_eq!(again.len(), 1, "the other worker's lease stays");
    assert_eq!(again[0].times_leased, 2, "a lease without an end counts");
}

async fn a_parked_job_waits_until_it_is_asked_for_again(bed: Bed) {
    let store = bed.open().await;
    enqueue(&store, "erasure", "e1").await;
    let job = claim(&store, "a", 1).await.remove(0);
    let failed = job.clone();
    write!(store, |tx| jobs::fail(tx, &failed, SignedDuration::ZERO)).unwrap();
    let job = claim(&store, "a", 1).await.remove(0);
    assert_eq!((job.times_leased, job.times_failed), (1, 1));

    let reason = Problem::new(&codes::store::JOB_POISONED, "on purpose").reason();
    let stored = reason.clone();
    write!(store, |tx| jobs::park(tx, &job, &stored)).unwrap();
    bed.clock.advance(LEASE * 100);
    assert!(claim(&store, "a", 1).await.is_empty());
    assert_eq!(standing(&store, "erasure", "e1").await, Standing::Parked(reason));
    enqueue(&store, "erasure", "e1").await;
    let job = claim(&store, "a", 1).await.remove(0);
    assert_eq!((job.times_leased, job.times_failed), (1, 0));
}

async fn workers_hear_of_committed_jobs_only(bed: Bed) {
    let store = bed.open().await;
    let rolled_back: Result<()> = store
        .write("test", |tx| {
            Box::pin(async move {
                jobs::enqueue(tx, "transfer", "t1", None).await?;
                Err(Problem::new(&codes::store::BUSY, "on purpose"))
            })
        })
        .await;
    assert!(rolled_back.is_err());
    assert!(store.job_enqueued().now_or_never().is_none());
    enqueue(&store, "transfer", "t1").await;
    store.job_enqueued().now_or_never().unwrap();
}

async fn enqueue_many(store: &Store, app: &'static str, count: usize) {
    store
        .write("test", move |tx| {
            Box::pin(async move {
                for number in 0..count {
                    jobs::enqueue_for(tx, "erasure", app, &format!("{app}{number}"), None).await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
}

async fn one_app_with_many_requests_does_not_keep_another_waiting(bed: Bed) {
    let store = bed.open().await;
    enqueue_many(&store, "many", 300).await;
    bed.clock.advance(SignedDuration::from_secs(1));
    enqueue_many(&store, "few", 1).await;
    let lanes: Vec<String> = claim(&store, "a", 3).await.into_iter().map(|job| job.lane).collect();
    assert_eq!(lanes, ["erasure/many", "erasure/few", "erasure/many"]);

    // With one place left, it goes to whom nothing is done for yet.
    enqueue_many(&store, "new", 1).await;
    let busy = HashMap::from([("erasure/many".to_owned(), 2)]);
    let wanted = Claim { owner: "a".to_owned(), kinds: vec!["erasure"], limit: 1, busy, most: |_| Places::ANY };
    assert_eq!(write!(store, |tx| jobs::claim(tx, &wanted)).unwrap()[0].subject, "new0");
}

async fn claimers_side_by_side_take_different_jobs(bed: Bed) {
    let store = bed.open().await;
    enqueue_many(&store, "a", 60).await;
    enqueue_many(&store, "b", 60).await;
    let mut claimed = Vec::new();
    loop {
        let round = join_all(["a", "b", "c", "d"].map(|owner| claim(&store, owner, 16))).await.concat();
        if round.is_empty() {
            break;
        }
        claimed.extend(round.into_iter().map(|job| job.subject));
    }
    let distinct: BTreeSet<&String> = claimed.iter().collect();
    assert_eq!((claimed.len(), distinct.len()), (120, 120));
}

async fn several_jobs_end_together(bed: Bed) {
    let store = bed.open().await;
    enqueue_many(&store, "a", 3).await;
    let claimed = claim(&store, "a", 3).await;
    let [ends, asked, lost] = [0, 1, 2].map(|place: usize| claimed[place].clone());
    write!(store, |tx| jobs::enqueue_for(tx, "erasure", "a", "a1", None)).unwrap();
    let taken = Job { token: "another's".to_owned(), ..lost.clone() };
    let all = vec![ends.clone(), asked.clone(), taken];
    assert_eq!(write!(store, |tx| jobs::complete_all(tx, &all)).unwrap(), [ends.id, asked.id]);
    let again: Vec<String> = claim(&store, "b", 9).await.into_iter().map(|job| job.subject).collect();
    assert_eq!(again, [asked.subject], "what was asked for meanwhile runs again, what is another's stays");
}
