//! What no host should send: each has its own answer, which a worker understands, and nothing of it stays.

use std::io::{Read, Write};
use std::net::Shutdown;

use crate::sender::{Answer, BOUNDARY, Landing, envelope, photo, picture, related};

async fn refused(landing: &Landing, answer: Answer, status: u16, error: &str, code: &str) {
    assert_eq!((answer.status, answer.error()), (status, error), "{answer:?}");
    assert_eq!(answer.body["code"], code, "{answer:?}");
    assert_eq!((landing.items().await.len(), landing.files().len()), (0, 0), "{answer:?}");
}

#[tokio::test]
async fn a_token_that_does_not_allow_it() {
    let landing = Landing::start().await;
    let album = envelope(r#"{"@type":"Album","id":"a1","name":"x"}"#);
    let json = ("content-type", "application/json");
    let answer = landing.post_with("media", &[json], album.clone().into()).await;
    refused(&landing, answer, 401, "invalid_token", "MO-4001").await;
    let answer = landing.post_with("media", &[json, ("authorization", "Bearer forged")], album.clone().into()).await;
    refused(&landing, answer, 401, "invalid_token", "MO-4001").await;

    // A worker that gets no answer to a large body because we hung up would never refresh its token.
    let large = related(&photo("x", "null"), "image/png", &picture(1, 20_000_000));
    let kind = format!("multipart/related; boundary={BOUNDARY}");
    let headers = [("content-type", kind.as_str()), ("authorization", "Bearer forged")];
    let answer = landing.post_with("media", &headers, large).await;
    refused(&landing, answer, 401, "invalid_token", "MO-4001").await;

    let bearer = format!("Bearer {}", landing.token_for("social-posts:write").await);
    let answer = landing.post_with("media", &[json, ("authorization", &bearer)], album.clone().into()).await;
    refused(&landing, answer, 403, "insufficient_scope", "MO-4002").await;
    let bearer = format!("Bearer {}", landing.token_for("videos:write").await);
    let kind = ("content-type", kind.as_str());
    let body = related(&photo("x", "null"), "image/png", b"png");
    let answer = landing.post_with("media", &[kind, ("authorization", &bearer)], body).await;
    refused(&landing, answer, 403, "insufficient_scope", "MO-4002").await;
}

#[tokio::test]
async fn bodies_that_are_not_what_they_should_be() {
    let landing = Landing::start().await;
    let whole = related(&photo("x", "null"), "image/png", &picture(2, 200_000));
    let replaced = |from: &str, to: &str| {
        let parts: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
        let lines =
            parts.into_iter().map(|line| match line.windows(from.len()).position(|part| part == from.as_bytes()) {
                Some(at) => [&line[..at], to.as_bytes(), &line[at + from.len()..]].concat(),
                None => line.to_vec(),
            });
        lines.collect::<Vec<_>>().concat()
    };
    let end = whole.len() - BOUNDARY.len() - 6;
    let third = [&whole[..end], format!("--{BOUNDARY}\r\n\r\nmore\r\n--{BOUNDARY}--\r\n").as_bytes()].concat();
    let envelope_only = related("{}", "image/png", b"x");
    let table = [
        ("another boundary", replaced(BOUNDARY, "another"), "MO-4005"),
        ("another boundary, large", [vec![b'a'; 3_000_000], whole.clone()].concat(), "MO-4005"),
        ("cut off", whole[..100_000].to_vec(), "MO-4005"),
        ("no last boundary", whole[..end].to_vec(), "MO-4005"),
        ("a lying length", replaced("Content-Length: 200000", "Content-Length: 199999"), "MO-4005"),
        ("a third part", third, "MO-4005"),
        ("no envelope", envelope_only, "MO-4003"),
        ("headers without end", [format!("--{BOUNDARY}\r\n").into_bytes(), vec![b'h'; 3_000_000]].concat(), "MO-4005"),
        ("nothing", vec![], "MO-4005"),
    ];
    for (what, body, code) in table {
        let answer = landing.post_related(body).await;
        assert_eq!(answer.body["code"], code, "{what}");
        refused(&landing, answer, 400, "invalid_request", code).await;
    }
    let answer = landing.post_json("media", &photo("x", "null")).await;
    refused(&landing, answer, 400, "invalid_request", "MO-4003").await;
    let album = envelope(r#"{"@type":"Album","id":"a1","name":"x"}"#);
    let answer = landing.post_related(related(&album, "image/png", &picture(3, 200_000))).await;
    refused(&landing, answer, 400, "invalid_request", "MO-4005").await;
}

#[tokio::test]
async fn json_that_is_too_deep_too_large_or_at_the_wrong_door() {
    let landing = Landing::start().await;
    let deep = envelope(&format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)));
    let answer = landing.post_json("media", &deep).await;
    refused(&landing, answer, 400, "invalid_request", "MO-4008").await;

    let large = envelope(&format!(r#"{{"@type":"Album","id":"a1","name":"{}"}}"#, "x".repeat(100_000_000)));
    let answer = landing.post_json("media", &large).await;
    refused(&landing, answer, 413, "invalid_request", "MO-4007").await;
    let answer = landing.post_related(related(&large[..3_000_000], "image/png", b"x")).await;
    refused(&landing, answer, 413, "invalid_request", "MO-4007").await;

    let album = envelope(r#"{"@type":"Album","id":"a1","name":"x"}"#);
    let answer = landing.post_json("social-posts", &album).await;
    refused(&landing, answer, 400, "invalid_request", "MO-4004").await;
    let answer = landing.post_json("tasks", &album).await;
    refused(&landing, answer, 404, "not_found", "MO-4020").await;
    let bearer = format!("Bearer {}", landing.token);
    let headers = [("authorization", bearer.as_str()), ("content-type", "text/plain")];
    let answer = landing.post_with("media", &headers, album.clone().into()).await;
    refused(&landing, answer, 415, "invalid_request", "MO-1008").await;
    let headers =
        [("authorization", bearer.as_str()), ("content-type", "application/json"), ("x-dtp-job-id", &"j".repeat(500))];
    let answer = landing.post_with("media", &headers, album.into()).await;
    refused(&landing, answer, 400, "invalid_request", "MO-4003").await;
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the test plays a sender whose connection breaks off")]
async fn a_connection_that_breaks_off_mid_file_leaves_nothing() {
    let landing = Landing::start().await;
    let body = related(&photo("x", "null"), "image/png", &picture(4, 400_000));
    let head = format!(
        "POST /dtp/media HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\ncontent-type: multipart/related; boundary={BOUNDARY}\r\ncontent-length: {}\r\n\r\n",
        landing.token,
        body.len()
    );
    let address = landing.address;
    let answer = tokio::task::spawn_blocking(move || {
        let mut socket = std::net::TcpStream::connect(address).unwrap();
        socket.write_all(head.as_bytes()).unwrap();
        socket.write_all(&body[..300_000]).unwrap();
        socket.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        let _ = socket.read_to_string(&mut answer);
        answer
    });
    let answer = answer.await.unwrap();
    assert!(answer.is_empty() || answer.contains("MO-1014"), "{answer}");
    assert_eq!((landing.items().await.len(), landing.files().len()), (0, 0));
}
