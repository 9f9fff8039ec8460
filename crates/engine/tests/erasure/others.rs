//! Systems where somebody else erases: an API, a processor behind a webhook, a colleague. What cannot be read is attested, never verified.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::requests::claim;
use crate::shop::Shop;
use engine::{connections, erasure, jobs};
use jiff::SignedDuration;
use model::codes;
use model::erasure::{ErasureState, RequestView, SystemState};
use serde_json::{Value, json};
use testkit::api::{Api, Reply};
use wire::webhook::{Headers, Secret, sign};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

async fn with(system: Value) -> Shop {
    let shop = Shop::open().await;
    declare(&shop, &system).await;
    shop
}

async fn declare(shop: &Shop, system: &Value) {
    shop.declare(&shop.declaration(&[&system.to_string()]), |world| {
        world.systems[0].tables[0].identity.insert("id".to_owned(), "user".parse().unwrap());
    })
    .await;
}

fn crm(api: &Api, check: Value) -> Value {
    let mut place = json!({"name": "contact", "erase": {"url": "contacts/{email}?by={user}", "headers": {"authorization": "Bearer {secret:token}"}}});
    place.as_object_mut().unwrap().extend(check.as_object().unwrap().clone());
    json!({"name": "crm", "adapter": "http", "url": format!("{}/api", api.url()), "secrets": {"token": "t0ken"}, "location": [place]})
}

fn reread() -> Value {
    json!({"reread": {"method": "POST", "url": "search", "json": {"filter": {"email": "{email}"}}, "count": "/results"}})
}

fn code(view: &RequestView) -> String {
    view.reason.as_ref().map(|reason| reason.code.clone()).unwrap_or_default()
}

/// Lets a day pass, so that whatever waits is tried again, and does what is due.
async fn a_day_later(shop: &Shop, id: &str) -> RequestView {
    shop.wait(SignedDuration::from_hours(24));
    shop.drained(id).await
}

#[tokio::test]
async fn an_api_is_asked_until_it_says_that_nothing_is_there() {
    let there = Arc::new(AtomicBool::new(true));
    let failures = Arc::new(AtomicU64::new(0));
    let (holds, fails) = (there.clone(), failures.clone());
    let api = Api::start(move |asked| match asked.method.as_str() {
        "POST" => {
            let results: Vec<u8> = if holds.load(Ordering::SeqCst) { vec![1] } else { vec![] };
            Reply::Answer(200, json!({ "results": results }).to_string())
        }
        _ => match fails.fetch_add(1, Ordering::SeqCst) {
            0 => Reply::With(503, "retry-after", "7"),
            // It erases, and its answer is lost: it is asked again.
            1 => {
                holds.store(false, Ordering::SeqCst);
                Reply::Lost
            }
            _ => Reply::Answer(404, String::new()),
        },
    });
    let shop = with(crm(&api, reread())).await;
    let mut view = shop.ask("asid:1002").await;
    assert_eq!((view.state, code(&view)), (ErasureState::Waiting, codes::erasure::CALL_FAILED.to_string()), "{view:?}");
    for _ in 0..2 {
        view = a_day_later(&shop, &view.id).await;
    }
    assert_eq!((view.state, view.systems[1].state), (ErasureState::Complete, SystemState::VerifiedEmpty), "{view:?}");
    assert_eq!((view.systems[1].tables[0].found, view.systems[1].tables[0].erased), (1, 1));
    let asked = api.asked();
    let delete = asked.iter().find(|asked| asked.method == "DELETE").unwrap();
    assert_eq!(
        (delete.path.as_str(), delete.header("authorization")),
        ("/api/contacts/ben%40example.org?by=2", "Bearer t0ken")
    );
    assert!(asked.iter().any(|asked| asked.body == r#"{"filter":{"email":"ben@example.org"}}"#));
    assert!(!format!("{view:?}").contains("t0ken"));
}

#[tokio::test]
async fn an_api_that_says_ok_and_keeps_the_data_never_completes() {
    let honest = Arc::new(AtomicBool::new(false));
    let erases = honest.clone();
    let api = Api::start(move |asked| match (asked.method.as_str(), erases.load(Ordering::SeqCst)) {
        ("POST", true) => Reply::Answer(200, r#"{"results": null}"#.to_owned()),
        ("POST", false) => Reply::Answer(200, r#"{"results": [{"email": "ben@example.org"}]}"#.to_owned()),
        _ => Reply::Answer(200, "deleted".to_owned()),
    });
    let shop = with(crm(&api, reread())).await;
    let view = shop.ask("asid:1002").await;
    assert_eq!((view.state, code(&view)), (ErasureState::Blocked, codes::erasure::ROWS_REMAIN.to_string()), "{view:?}");
    assert!(view.receipt.is_none());
    honest.store(true, Ordering::SeqCst);
    erasure::resume(&shop.engine, &view.id).await.unwrap();
    assert_eq!(shop.drained(&view.id).await.state, ErasureState::Complete);
}

#[tokio::test]
async fn what_an_api_says_that_is_no_answer_blocks_in_words() {
    let table = [
        (Reply::Answer(403, "no".to_owned()), "403"),
        (Reply::With(302, "location", "http://elsewhere.example"), "redirect"),
        (Reply::Answer(202, String::new()), "202"),
        (Reply::Answer(200, "not json".to_owned()), "not JSON"),
        (Reply::Answer(200, r#"{"found": 0}"#.to_owned()), "no such member"),
        (Reply::Answer(200, r#"{"results": "many"}"#.to_owned()), "neither"),
    ];
    for (reply, words) in table {
        let again = match &reply {
            Reply::Answer(status, body) => (*status, Some(body.clone())),
            Reply::With(status, ..) => (*status, None),
            Reply::Lost => unreachable!("not in the table"),
        };
        let api = Api::start(move |_| match &again {
            (status, Some(body)) => Reply::Answer(*status, body.clone()),
            (status, None) => Reply::With(*status, "location", "http://elsewhere.example"),
        });
        let shop = with(crm(&api, reread())).await;
        let view = shop.ask("asid:1002").await;
        assert_eq!(view.state, ErasureState::Blocked, "{words}: {view:?}");
        assert!(view.reason.unwrap().detail.contains(words), "{words}");
        assert_eq!(shop.rows(), [3, 3, 3, 1], "nothing was erased anywhere");
    }
}

#[tokio::test]
async fn an_api_that_cannot_be_read_is_attested_and_shown_as_that() {
    let api = Api::start(|asked| match asked.path.contains("ben") {
        true => Reply::Answer(200, r#"{"deleted": "ben@example.org"}"#.to_owned()),
        false => Reply::Answer(404, String::new()),
    });
    let why = json!({"attested": "the contract, annex 2, says so"});
    let mut shop = with(crm(&api, why)).await;
    let id = erasure::request(&shop.engine, "shop", vec!["asid:1002".parse().unwrap()], "cli").await.unwrap().id;
    let job = claim(&shop).await;
    for _ in 0..4 {
        erasure::step(&shop.engine, &job).await.unwrap();
    }
    shop.restart().await;
    shop.wait(SignedDuration::from_mins(5));
    let view = shop.drained(&id).await;
    assert_eq!((view.state, view.systems[1].state), (ErasureState::Complete, SystemState::Attested), "{view:?}");
    let evidence = view.systems[1].tables[0].evidence.clone().unwrap();
    assert_eq!((evidence.status, evidence.digest.map(|digest| digest.len())), (Some(200), Some(64)));
    assert!(evidence.words.contains("annex 2") && evidence.at.is_some());
    let receipt = view.receipt.unwrap();
    assert_eq!(receipt["leaf"]["systems"][1]["state"], "attested");
    assert!(receipt["leaf"]["systems"][1]["tables"][0]["evidence"]["digest"].is_string());
    assert!(!receipt.to_string().contains("ben@") && !receipt.to_string().contains("annex"));
    let page = erasure::public_view(&shop.engine, &view.confirmation_code).await.unwrap();
    assert!(page.reason.unwrap().contains("vouches"));
    assert!(page.systems[1].reason.as_deref().unwrap().contains("cannot be read again"));

    // Nobody was there: nothing is claimed to have been erased.
    let nobody = shop.ask("asid:1003").await;
    assert_eq!(nobody.systems[1].tables[0].erased, 0, "{nobody:?}");
}

fn processor(api: &Api) -> Value {
    json!({"name": "mailer", "adapter": "webhook", "url": format!("{}/erase", api.url()), "secrets": {"signing": SECRET},
        "location": [{"name": "subscriber", "send": ["email", "phone"], "within": "14d"}]})
}

fn report(body: &str, at: jiff::Timestamp) -> Headers {
    sign("msg_1", at, body.as_bytes(), &[Secret::parse(SECRET).unwrap()]).unwrap()
}

#[tokio::test]
async fn a_processor_is_told_once_and_waited_for_until_it_reports() {
    let api = Api::start(|_| Reply::Answer(202, String::new()));
    let shop = with(processor(&api)).await;
    let view = shop.ask("asid:1002").await;
    assert_eq!(
        (view.state, code(&view)),
        (ErasureState::Waiting, codes::erasure::AWAITING_PROCESSOR.to_string()),
        "{view:?}"
    );
    assert_eq!(view.systems[0].state, SystemState::VerifiedEmpty, "what we can erase is erased meanwhile");
    let page = erasure::public_view(&shop.engine, &view.confirmation_code).await.unwrap();
    assert!(page.reason.unwrap().contains("Others who hold data"));

    let asked = api.asked();
    assert_eq!(asked.len(), 1);
    let headers = Headers {
        id: asked[0].header("webhook-id").to_owned(),
        timestamp: asked[0].header("webhook-timestamp").to_owned(),
        signature: asked[0].header("webhook-signature").to_owned(),
    };
    let now = shop.engine.ambient().now();
    wire::webhook::verify(&headers, asked[0].body.as_bytes(), &[Secret::parse(SECRET).unwrap()], now).unwrap();
    let message: Value = serde_json::from_str(&asked[0].body).unwrap();
    assert_eq!(
        message["data"]["identities"],
        json!([{"kind": "email", "value": "ben@example.org"}]),
        "and nothing else of them"
    );
    let task = message["data"]["task"].as_str().unwrap().to_owned();
    assert_eq!(message["data"]["report_to"], format!("https://moveout.example/processors/{task}"));
    assert_eq!(headers.id, task, "the same for every attempt");

    // It said nothing of the work, so it is not asked again; an unsigned or meaningless report changes nothing.
    let view = a_day_later(&shop, &view.id).await;
    assert_eq!((view.state, api.asked().len()), (ErasureState::Waiting, 1));
    let now = shop.engine.ambient().now();
    let body = r#"{"state": "done", "evidence": "ticket 7"}"#;
    let other = sign("msg_1", now, body.as_bytes(), &[Secret::parse(&Secret::write(&[1; 32])).unwrap()]).unwrap();
    for (headers, body, code) in [
        (other, body, &codes::erasure::TASK_UNKNOWN),
        (report("{}", now), "{}", &codes::erasure::EVIDENCE_MISSING),
        (report(body, now.saturating_sub(SignedDuration::from_hours(1)).unwrap()), body, &codes::door::WEBHOOK_STALE),
    ] {
        let problem = erasure::accept_report(&shop.engine, &task, &headers, body.as_bytes()).await.unwrap_err();
        assert!(problem.is(code), "{problem}");
    }
    assert!(erasure::accept_report(&shop.engine, "task_x", &report(body, now), body.as_bytes()).await.is_err());

    for _ in 0..2 {
        erasure::accept_report(&shop.engine, &task, &report(body, now), body.as_bytes()).await.unwrap();
    }
    let view = shop.drained(&view.id).await;
    assert_eq!((view.state, view.systems[1].state), (ErasureState::Complete, SystemState::Attested), "{view:?}");
    assert!(view.systems[1].tables[0].evidence.as_ref().unwrap().words.contains("ticket 7"));
    assert!(!view.receipt.unwrap().to_string().contains("ticket 7"), "others' words stay out of the ledger");
}

#[tokio::test]
async fn a_processor_that_tells_how_it_stands_is_asked_and_one_that_is_late_blocks() {
    let done = Arc::new(AtomicBool::new(false));
    let is_done = done.clone();
    let api = Api::start(move |_| {
        let state = if is_done.load(Ordering::SeqCst) { "done" } else { "pending" };
        Reply::Answer(200, json!({ "state": state }).to_string())
    });
    let shop = with(processor(&api)).await;
    let view = shop.ask("asid:1002").await;
    assert_eq!(view.state, ErasureState::Waiting, "{view:?}");
    a_day_later(&shop, &view.id).await;
    assert_eq!(api.asked().len(), 2);
    done.store(true, Ordering::SeqCst);
    assert_eq!(a_day_later(&shop, &view.id).await.state, ErasureState::Complete);

    done.store(false, Ordering::SeqCst);
    let late = shop.ask("asid:1003").await;
    shop.wait(SignedDuration::from_hours(24 * 15));
    let late = shop.drained(&late.id).await;
    assert_eq!(
        (late.state, code(&late)),
        (ErasureState::Blocked, codes::erasure::PROCESSOR_OVERDUE.to_string()),
        "{late:?}"
    );
    let tasks = erasure::open_tasks(&shop.engine).await.unwrap();
    assert!(tasks.len() == 1 && tasks[0].overdue);
    erasure::finish_task(&shop.engine, &tasks[0].id, "they called: done on the 3rd").await.unwrap();
    assert_eq!(shop.drained(&late.id).await.state, ErasureState::Complete);
}

#[tokio::test]
async fn a_colleague_gets_a_task_with_a_due_date_and_says_when_it_is_done() {
    let place = json!({"name": "files", "task": "Shred the paper file of customer {user}", "assignee": "archive@shop.example", "within": "10d"});
    let paper = json!({"name": "paper", "adapter": "manual", "location": [place]});
    let shop = with(paper).await;
    let view = shop.ask("asid:1002").await;
    assert_eq!(view.state, ErasureState::Waiting, "{view:?}");
    let task = erasure::open_tasks(&shop.engine).await.unwrap().remove(0);
    assert_eq!(task.what.as_deref(), Some("Shred the paper file of customer 2"));
    assert_eq!(task.due_at.to_string(), "2026-12-02T12:00:00Z");
    for words in ["", "  ", &"x".repeat(3000)] {
        let problem = erasure::finish_task(&shop.engine, &task.id, words).await.unwrap_err();
        assert!(problem.is(&codes::erasure::EVIDENCE_MISSING));
    }
    erasure::finish_task(&shop.engine, &task.id, "shredded, folder 12").await.unwrap();
    assert!(
        erasure::finish_task(&shop.engine, &task.id, "again").await.unwrap_err().is(&codes::erasure::STATE_CONFLICT)
    );
    jobs::drain(&shop.engine).await.unwrap();
    let view = erasure::show(&shop.engine, &view.id).await.unwrap();
    assert_eq!((view.state, view.systems[1].state), (ErasureState::Complete, SystemState::Attested), "{view:?}");
    assert!(erasure::open_tasks(&shop.engine).await.unwrap().is_empty());

    // Whose number nobody knows is not looked for on paper, and that is said.
    let unknown = shop.ask("email:nobody@example.org").await;
    assert_eq!(unknown.state, ErasureState::NoData, "{unknown:?}");
    assert!(unknown.systems[1].tables[0].note.is_some());
}

#[tokio::test]
async fn what_moveout_itself_holds_of_the_person_goes_too() {
    let place = json!({"name": "accounts", "account": "{email}"});
    let shop = with(json!({"name": "here", "adapter": "moveout", "location": [place]})).await;
    for name in ["ben@example.org", "cem@example.org"] {
        connections::ensure_account(&shop.engine, name).await.unwrap();
    }
    let ben = connections::find_account(&shop.engine, "ben@example.org").await.unwrap().id;
    let cem = connections::find_account(&shop.engine, "cem@example.org").await.unwrap().id;
    let (mut files, accounts) = (Vec::new(), [ben.clone(), cem.clone()]);
    for account in accounts {
        let mut receiving = shop.store.blobs().receive();
        receiving.write(&vec![7; 200_000]).await.unwrap();
        let received = receiving.finish().await.unwrap();
        files.push(
            shop.store
                .write("test.land", move |tx| {
                    let (account, received) = (account.clone(), received.clone());
                    Box::pin(async move {
                        store::oauth::create_grant(tx, &account, None, "media:write").await?;
                        store::blobs::keep(tx, &account, &received).await
                    })
                })
                .await
                .unwrap(),
        );
    }
    let view = shop.ask("asid:1002").await;
    assert_eq!((view.state, view.systems[1].state), (ErasureState::Complete, SystemState::VerifiedEmpty), "{view:?}");
    assert_eq!((view.systems[1].tables[0].found, view.systems[1].tables[0].erased), (3, 3), "account, grant, blob");
    assert!(connections::find_account(&shop.engine, "ben@example.org").await.is_err());
    let is_there = |id: &str| shop.folder.path().join("data/blobs").join(&id[..2]).join(id).exists();
    assert_eq!((is_there(&files[0]), is_there(&files[1])), (false, true));
    let left = shop.store.read("test.left", move |tx| {
        Box::pin(async move { Ok((store::house::count(tx, &ben).await?, store::house::count(tx, &cem).await?)) })
    });
    assert_eq!(left.await.unwrap(), (0, 3));

    // An operator's account is not taken away by a request.
    connections::reset_account(&shop.engine, "cem@example.org", connections::Role::Operator, "a long password")
        .await
        .unwrap();
    let view = shop.ask("asid:1003").await;
    assert_eq!((view.state, code(&view)), (ErasureState::Blocked, codes::erasure::LOCATION_REFUSED.to_string()));
}
