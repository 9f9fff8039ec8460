//! What a well-behaved host delivers, in its documented and its observed forms, and what it gets for a repeat.

use model::DataType;
use model::item::Fields;

use crate::sender::{JOB, Landing, envelope, photo, picture, related};

const LARGE: usize = 300_000;

#[tokio::test]
async fn a_job_of_albums_photos_and_posts_lands_whole() {
    let landing = Landing::start().await;
    let album = envelope(r#"{"@type":"Album","id":"a1","name":"Fjorde & Bäume","description":null}"#);
    let album = landing.post_json("media", &album).await;
    assert_eq!(album.status, 201);
    let (small, large) = (picture(1, 5000), picture(2, LARGE));
    let first = landing.post_related(related(&photo("one.png", "\"a1\""), "image/png", &small)).await;
    let second = landing.post_related(related(&photo("two.jpg", "null"), "image/jpeg", &large)).await;
    assert_eq!((first.status, second.status), (201, 201));
    // The forms of the README, of the shipped example file, and of the worker's code.
    for (id, kind, time) in [
        ("p1", "SocialActivityData", "1731604863.845677"),
        ("p2", "SocialActivity", "\"1731604863.845677\""),
        ("p3", "SocialActivity", "\"2024-11-14T17:21:03.845677Z\""),
    ] {
        let post = envelope(&format!(
            r#"{{"@type":"{kind}","metadata":{{"@type":"SocialActivityMetadata","actor":{{"@type":"SocialActivityActor","id":"321","name":"Steve","url":null}}}},"activity":{{"@type":"SocialActivityModel","id":"{id}","published":{time},"type":"NOTE","attachments":[],"location":null,"title":null,"content":"Hi there","url":null}}}}"#
        ));
        assert_eq!(landing.post_json("social-posts", &post).await.status, 201, "{kind} {time}");
    }

    let items = landing.items().await;
    assert_eq!(items.len(), 6);
    let find = |id: &str| items.iter().find(|item| item.id == id).unwrap();
    let one = find(first.id());
    assert_eq!((one.container.as_deref(), one.item.label()), (Some(album.id()), "one.png"));
    assert_eq!(one.item.content.as_ref().unwrap().media_type, "image/png");
    assert_eq!(landing.bytes(first.id()).await, small);
    assert_eq!(landing.bytes(second.id()).await, large);
    let hash = find(second.id()).item.content.as_ref().unwrap().blake3.clone().unwrap();
    assert_eq!(hash, blake3::hash(&large).to_hex().to_string());
    let posts: Vec<_> = items.iter().filter(|item| item.item.data_type == DataType::Posts).collect();
    assert!(posts.iter().all(|post| post.item.created == posts[0].item.created));
    assert!(posts[0].item.original.as_ref().unwrap().get().contains("schemaSource"));

    let received = engine::landing::transfers(&landing.engine, Some(landing.account()), 10).await.unwrap();
    assert_eq!((received.len(), received[0].job.as_str(), received[0].service.as_str()), (1, JOB, "Photobook"));
    let photos = received[0].types[&DataType::Photos];
    assert_eq!((photos.items, photos.bytes), (2, 5000 + LARGE as u64));
}

#[tokio::test]
async fn a_retry_after_a_lost_answer_gets_the_same_id_and_makes_no_second_object() {
    let landing = Landing::start().await;
    let body = related(&photo("one.png", "\"a1\""), "image/png", &picture(3, LARGE));
    let first = landing.post_related(body.clone()).await;
    let files = landing.files();
    for _ in 0..2 {
        let again = landing.post_related(body.clone()).await;
        assert_eq!((again.status, again.id()), (200, first.id()));
    }
    // The photo, and the album that never came.
    assert_eq!(landing.items().await.len(), 2);
    assert_eq!((landing.files().len(), landing.files()), (1, files));

    let other_bytes = related(&photo("one.png", "\"a1\""), "image/png", &picture(4, LARGE));
    let other = landing.post_related(other_bytes).await;
    assert_eq!(other.status, 201);
    assert_ne!(other.id(), first.id());
}

#[tokio::test]
async fn two_workers_that_send_one_photo_at_once_get_one_id() {
    let landing = Landing::start().await;
    let body = related(&photo("one.png", "null"), "image/png", &picture(5, LARGE));
    let answers = futures_util::future::join_all((0..8).map(|_| landing.post_related(body.clone()))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    assert!(answers.iter().all(|answer| answer.id() == answers[0].id()));
    assert_eq!((landing.items().await.len(), landing.files().len()), (1, 1));
}

#[tokio::test]
async fn an_album_that_changes_or_comes_late_keeps_its_id() {
    let landing = Landing::start().await;
    landing.post_related(related(&photo("one.png", "\"a1\""), "image/png", b"png")).await;
    let held = landing.items().await.into_iter().find(|item| item.placeholder).unwrap();
    for name in ["Norway", "Norway 2024"] {
        let album = envelope(&format!(r#"{{"@type":"Album","id":"a1","name":"{name}"}}"#));
        let answer = landing.post_json("photos", &album).await;
        assert_eq!((answer.status, answer.id()), (201, held.id.as_str()), "{name}");
        let again = landing.post_json("media", &album).await;
        assert_eq!((again.status, again.id()), (200, held.id.as_str()), "{name}");
    }
    let items = landing.items().await;
    assert_eq!((items.len(), items.last().unwrap().item.label()), (2, "Norway 2024"));
}

#[tokio::test]
async fn names_are_data_and_never_paths() {
    let landing = Landing::start().await;
    for name in ["../../../../tmp/evil", "nul\\u0000byte", "..\\\\x", "a/b"] {
        let json = photo(name, "\"../..\"");
        let answer = landing.post_related(related(&json, "image/png", name.as_bytes())).await;
        assert_eq!(answer.status, 201, "{name}");
        assert_eq!(landing.bytes(answer.id()).await, name.as_bytes());
    }
    let titles: Vec<_> = landing.items().await.into_iter().map(|item| item.item.fields).collect();
    assert!(titles.iter().any(|fields| matches!(fields, Fields::Media { title, .. } if title == "nul\0byte")));
}
