//! Transfers between a source and a destination that misbehave, and a process that dies at every step.

mod fakes;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use adapters::ContentOrder;
use engine::transfer::{self, Retry, Selection, Start};
use engine::{Engine, Settings};
use fakes::{Behaviour, FakeDestination, FakeSource, Fate, Record, Remote, album, photo, post};
use futures_util::FutureExt;
use model::transfer::{ItemState, Tally, TransferState, TransferView};
use model::{DataType, Problem, Result, codes};

async fn engine(folder: &Path) -> Engine {
    let (ambient, _) = testkit::ambient::ambient();
    // Seeded: the same key in every process of a test.
    let keys = store::Keys::generate(&ambient);
    let store = store::Store::open_sqlite(folder, keys, ambient.clone()).await.unwrap();
    let settings = Settings { public_url: "http://127.0.0.1".to_owned(), data: folder.to_owned() };
    Engine::new(store, ambient, net::Client::new(net::Policy::operator()), settings)
}

async fn start(engine: &Engine) -> String {
    let (from, to) = ("archive:/in.zip".parse().unwrap(), "dir:/out".parse().unwrap());
    transfer::start(engine, &Start { from, to, token: None, selection: Selection::default() }).await.unwrap()
}

async fn carry_out(
    engine: &Engine,
    id: &str,
    source: &Arc<FakeSource>,
    destination: &Arc<FakeDestination>,
) -> Result<TransferState> {
    let (source, destination) = (source.clone(), destination.clone());
    transfer::carry_out(engine, id, move |_| async move { Ok((source as _, destination as _)) }.boxed()).await
}

/// Runs a new transfer to its end.
async fn transfer(source: FakeSource, destination: FakeDestination) -> TransferView {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path()).await;
    let id = start(&engine).await;
    carry_out(&engine, &id, &Arc::new(source), &Arc::new(destination)).await.unwrap();
    transfer::show(&engine, &id).await.unwrap()
}

fn tally(view: &TransferView, data_type: DataType) -> Tally {
    view.types.get(&data_type).copied().unwrap_or_default()
}

fn problem(code: &'static model::Code) -> Problem {
    Problem::new(code, "on purpose")
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_fails_in_every_way_gets_every_good_item_and_every_bad_one_is_explained() {
    let remote = Arc::new(Remote::default());
    let mut source = FakeSource::new((0..1000).map(|n| post(n.to_string())));
    source.page_size = 77;
    // Two items with one id are two items; a broken record is counted and explained.
    source.records[501] = Record::Whole(Box::new(post("500")));
    source.records[502] = Record::Broken("outbox.json#502".to_owned());
    let mut destination = FakeDestination::doing(&remote, |item, nth| {
        let n: u32 = item.id.parse().unwrap();
        match n {
            _ if n % 100 == 7 => Behaviour::Fail(problem(&codes::transfer::DESTINATION_FAILED)),
            _ if n % 100 == 8 => Behaviour::Fail(problem(&codes::transfer::ITEM_REFUSED)),
            _ if (n * 31 + nth).is_multiple_of(10) => Behaviour::Fail(problem(&codes::transfer::DESTINATION_FAILED)),
            _ if n % 50 == 9 && nth < 8 => {
                Behaviour::Fail(problem(&codes::transfer::DESTINATION_FAILED).after(Some(3)))
            }
            333 => Behaviour::Hang,
            _ => Behaviour::Take,
        }
    });
    destination.refused = vec!["600".to_owned()];
    let view = transfer(source, destination).await;

    assert_eq!((view.state, view.difference), (TransferState::DoneWithFailures, 0), "{view:?}");
    // Failed: 1 % for ever and the broken record. The one that hangs is recognised when it is sent again, and hangs again.
    let expected = Tally { read: 1000, written: 977, refused: 11, failed: 12, ..Tally::default() };
    assert_eq!(tally(&view, DataType::Posts), expected, "{:?}", view.problems);
    assert_eq!(remote.doubled(), Vec::<String>::new());
    assert_eq!(remote.count(), 977 + 1, "what was written, and the one that never answered");
    let mut reasons: Vec<_> =
        view.problems.iter().map(|problem| (problem.state, problem.reason.code.as_str(), problem.count)).collect();
    reasons.sort();
    assert_eq!(
        reasons,
        [
            (ItemState::Refused, "MO-3007", 11),
            (ItemState::Failed, "MO-3004", 1),
            (ItemState::Failed, "MO-3008", 10),
            (ItemState::Failed, "MO-6004", 1),
        ]
    );
}

fn small_world(fate: &Arc<Fate>) -> FakeSource {
    let items = [album("holiday")].into_iter().chain((0..7).map(|n| photo(format!("p{n}"), "holiday")));
    let mut source = FakeSource::new(items.chain((0..4).map(|n| post(format!("t{n}")))));
    source.page_size = 5;
    source.fate = fate.clone();
    source
}

/// Lets a process die at the step `fatal`, starts another, and returns what came of it; `None` when it ended before that step.
async fn die_and_come_back(fatal: u64, recognises_repeats: bool) -> Option<(TransferView, Arc<Remote>)> {
    let folder = tempfile::tempdir().unwrap();
    let remote = Arc::new(Remote::default());
    let ends = |fate: &Arc<Fate>| {
        let mut destination = FakeDestination::new(&remote);
        (destination.fate, destination.recognises_repeats) = (fate.clone(), recognises_repeats);
        (Arc::new(small_world(fate)), Arc::new(destination))
    };
    let id = {
        let engine = engine(folder.path()).await;
        let id = start(&engine).await;
        let fate = Fate::at(fatal);
        let (source, destination) = ends(&fate);
        tokio::select! {
            biased;
            () = fate.died.notified() => {}
            state = carry_out(&engine, &id, &source, &destination) => {
                state.unwrap();
                assert!(fate.steps() <= fatal);
                return None;
            }
        }
        id
    };
    let engine = engine(folder.path()).await;
    let (source, destination) = ends(&Arc::default());
    carry_out(&engine, &id, &source, &destination).await.unwrap();
    Some((transfer::show(&engine, &id).await.unwrap(), remote))
}

#[tokio::test(start_paused = true)]
async fn after_death_at_any_step_a_destination_that_recognises_repeats_holds_every_item_once() {
    let mut fatal = 0;
    while let Some((view, remote)) = die_and_come_back(fatal, true).await {
        assert_eq!((view.state, view.difference), (TransferState::Done, 0), "death at {fatal}: {view:?}");
        assert_eq!(view.types.values().map(|tally| tally.written).sum::<u64>(), 12, "death at {fatal}: {view:?}");
        assert_eq!((remote.count(), remote.doubled()), (12, vec![]), "death at {fatal}");
        fatal += 1;
    }
    assert!(fatal > 25, "the process died {fatal} times");
}

#[tokio::test(start_paused = true)]
async fn after_death_at_any_step_what_nobody_can_tell_is_uncertain_and_nothing_is_doubled() {
    let mut fatal = 0;
    let mut most_uncertain = 0;
    while let Some((view, remote)) = die_and_come_back(fatal, false).await {
        let sum = |count: fn(&Tally) -> u64| view.types.values().map(count).sum::<u64>();
        let (written, uncertain) = (sum(|tally| tally.written), sum(|tally| tally.uncertain));
        assert_eq!((view.difference, written + uncertain), (0, 12), "death at {fatal}: {view:?}");
        assert_eq!(remote.doubled(), Vec::<String>::new(), "death at {fatal}");
        let stored = remote.count() as u64;
        assert!(written <= stored && stored <= written + uncertain, "death at {fatal}: {stored} are there, {view:?}");
        most_uncertain = most_uncertain.max(uncertain);
        fatal += 1;
    }
    assert!(fatal > 25, "the process died {fatal} times");
    assert!((1..=8).contains(&most_uncertain), "{most_uncertain} were uncertain: only what was about to leave may be");
}

#[tokio::test(start_paused = true)]
async fn many_are_in_flight_at_once_but_containers_come_first_and_content_in_order() {
    let remote = Arc::new(Remote::default());
    let mut source = small_world(&Arc::default());
    source.order = ContentOrder::AsRead;
    let source = Arc::new(source);
    let mut destination = FakeDestination::doing(&remote, |item, nth| match item.id.as_str() {
        "holiday" if nth < 3 => Behaviour::Fail(problem(&codes::transfer::DESTINATION_FAILED)),
        _ => Behaviour::Take,
    });
    destination.takes = Duration::from_millis(30);
    let destination = Arc::new(destination);
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path()).await;
    let id = start(&engine).await;
    assert_eq!(carry_out(&engine, &id, &source, &destination).await.unwrap(), TransferState::Done);

    assert_eq!(remote.order.lock().unwrap()[0], "holiday");
    let opened = source.opened.lock().unwrap().clone();
    assert_eq!(opened, (0..7).map(|n| format!("p{n}")).collect::<Vec<_>>());
    let most = destination.most_at_once.load(Ordering::SeqCst);
    assert!((3..=4).contains(&most), "{most} at once");
}

#[tokio::test(start_paused = true)]
async fn a_pause_takes_effect_between_items_and_the_transfer_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path()).await;
    let id = start(&engine).await;
    let remote = Arc::new(Remote::default());
    let source = Arc::new(FakeSource::new((0..500).map(|n| post(n.to_string()))));
    let mut destination = FakeDestination::new(&remote);
    destination.takes = Duration::from_millis(100);
    let destination = Arc::new(destination);
    let asked = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        transfer::pause(&engine, &id).await.unwrap();
        tokio::time::Instant::now()
    };
    let (state, asked_at) = tokio::join!(carry_out(&engine, &id, &source, &destination), asked);
    assert_eq!(state.unwrap(), TransferState::Paused);
    assert!(asked_at.elapsed() < Duration::from_secs(1), "{:?}", asked_at.elapsed());
    let view = transfer::show(&engine, &id).await.unwrap();
    let posts = tally(&view, DataType::Posts);
    assert_eq!((posts.written as usize, view.difference), (remote.count(), 0));
    assert!(posts.written < 200, "{posts:?}");
    let again = carry_out(&engine, &id, &source, &destination).await.unwrap_err();
    assert!(again.is(&codes::transfer::TRANSFER_STATE_CONFLICT), "a paused transfer is left alone");

    transfer::resume(&engine, &id).await.unwrap();
    assert_eq!(carry_out(&engine, &id, &source, &destination).await.unwrap(), TransferState::Done);
    assert_eq!((remote.count(), remote.doubled()), (500, vec![]));
    assert_eq!(tally(&transfer::show(&engine, &id).await.unwrap(), DataType::Posts).written, 500);
    assert!(transfer::cancel(&engine, &id).await.unwrap_err().is(&codes::transfer::TRANSFER_STATE_CONFLICT));
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_waits_for_the_person_and_costs_no_item() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path()).await;
    let id = start(&engine).await;
    let remote = Arc::new(Remote::default());
    let source = Arc::new(FakeSource::new((0..40).map(|n| post(n.to_string()))));
    let refusing = Arc::new(FakeDestination::doing(&remote, |item, _| match item.id.as_str() {
        "17" => Behaviour::Fail(problem(&codes::transfer::TOKEN_REFUSED)),
        _ => Behaviour::Take,
    }));
    assert_eq!(carry_out(&engine, &id, &source, &refusing).await.unwrap(), TransferState::Waiting);
    let view = transfer::show(&engine, &id).await.unwrap();
    assert_eq!(view.reason.as_ref().map(|reason| reason.code.as_str()), Some("MO-3010"));
    let posts = tally(&view, DataType::Posts);
    assert_eq!((posts.failed, posts.pending + posts.written, view.difference), (0, posts.read, 0));

    transfer::resume(&engine, &id).await.unwrap();
    let connected = Arc::new(FakeDestination::new(&remote));
    assert_eq!(carry_out(&engine, &id, &source, &connected).await.unwrap(), TransferState::Done);
    assert_eq!((remote.count(), remote.doubled()), (40, vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_is_gone_stops_the_run_and_the_job_tries_again() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path()).await;
    let id = start(&engine).await;
    let remote = Arc::new(Remote::default());
    let source = Arc::new(FakeSource::new((0..100).map(|n| post(n.to_string()))));
    let gone = Arc::new(FakeDestination::doing(&remote, |item, _| match item.id.parse::<u32>().unwrap() {
        0..30 => Behaviour::Take,
        _ => Behaviour::Fail(problem(&codes::net::UNREACHABLE)),
    }));
    let again = carry_out(&engine, &id, &source, &gone).await.unwrap_err();
    assert_eq!(again.verdict(), model::Verdict::Retry);
    let view = transfer::show(&engine, &id).await.unwrap();
    assert_eq!((view.state, tally(&view, DataType::Posts).failed), (TransferState::Waiting, 0), "{view:?}");
    let tried: u32 = remote.tries.lock().unwrap().values().sum();
    assert!(tried < 30 + 30, "{tried} attempts");

    let back = Arc::new(FakeDestination::new(&remote));
    assert_eq!(carry_out(&engine, &id, &source, &back).await.unwrap(), TransferState::Done);
    assert_eq!((remote.count(), remote.doubled()), (100, vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_hanging_destination_that_cannot_tell_makes_items_uncertain_and_a_person_resolves_them() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path()).await;
    let id = start(&engine).await;
    let remote = Arc::new(Remote::default());
    let source = Arc::new(FakeSource::new((0..30).map(|n| post(n.to_string()))));
    let mut destination = FakeDestination::doing(&remote, |item, nth| match (item.id.as_str(), nth) {
        ("3", 1) => Behaviour::Hang,
        _ => Behaviour::Take,
    });
    destination.recognises_repeats = false;
    let destination = Arc::new(destination);
    assert_eq!(carry_out(&engine, &id, &source, &destination).await.unwrap(), TransferState::DoneWithFailures);
    let view = transfer::show(&engine, &id).await.unwrap();
    assert_eq!((tally(&view, DataType::Posts).uncertain, tally(&view, DataType::Posts).written), (1, 29));
    assert_eq!(remote.tries.lock().unwrap()["3"], 1, "never sent again by itself");
    assert_eq!((view.problems[0].reason.code.as_str(), view.problems[0].example.as_str()), ("MO-3012", "3"));

    assert!(transfer::retry(&engine, &id, Retry::Item("4".to_owned())).await.is_err(), "what is written is left alone");
    assert_eq!(transfer::retry(&engine, &id, Retry::Item("3".to_owned())).await.unwrap(), 1);
    assert_eq!(carry_out(&engine, &id, &source, &destination).await.unwrap(), TransferState::Done);
    let view = transfer::show(&engine, &id).await.unwrap();
    assert_eq!((tally(&view, DataType::Posts).written, view.problems.len(), view.difference), (30, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_source_that_changed_ends_the_transfer_before_anything_else_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path()).await;
    let id = start(&engine).await;
    let remote = Arc::new(Remote::default());
    let source = Arc::new(FakeSource::new((0..30).map(|n| post(n.to_string()))));
    let full = Arc::new(FakeDestination::doing(&remote, |item, _| match item.id.as_str() {
        "5" => Behaviour::Fail(problem(&codes::transfer::DESTINATION_FULL)),
        _ => Behaviour::Take,
    }));
    assert_eq!(carry_out(&engine, &id, &source, &full).await.unwrap(), TransferState::Waiting);
    let there = remote.count();
    let mut other = FakeSource::new((0..30).map(|n| post(format!("other {n}"))));
    other.fingerprint = "2".to_owned();
    let free = Arc::new(FakeDestination::new(&remote));
    assert_eq!(carry_out(&engine, &id, &Arc::new(other), &free).await.unwrap(), TransferState::Failed);
    let view = transfer::show(&engine, &id).await.unwrap();
    assert_eq!((view.reason.unwrap().code.as_str(), remote.count()), ("MO-3016", there));
}

#[tokio::test(start_paused = true)]
async fn content_that_is_not_what_was_announced_is_not_counted_as_written() {
    let remote = Arc::new(Remote::default());
    let mut lies = photo("short", "none");
    lies.content.as_mut().unwrap().size = Some(1_000_000);
    let mut other = photo("other", "none");
    other.content.as_mut().unwrap().blake3 = Some("00".repeat(32));
    let mut source = FakeSource::new([photo("good", "none"), lies, other, photo("broken", "none")]);
    source.breaks_off = vec!["broken".to_owned()];
    let view = transfer(source, FakeDestination::new(&remote)).await;
    let photos = tally(&view, DataType::Photos);
    assert_eq!((photos.written, photos.failed, photos.bytes), (1, 3, 12), "{view:?}");
    let codes: Vec<_> = view.problems.iter().map(|problem| (problem.reason.code.as_str(), problem.count)).collect();
    assert_eq!(codes, [("MO-3017", 2), ("MO-3031", 1)]);
}
