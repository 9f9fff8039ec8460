//! What a Generic Importer endpoint sees of us, and what we make of its answers.

use std::sync::{Arc, Mutex};

use adapters::{Body, Context, Destination, ItemKey, Token, open_destination};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use model::item::{Content, Fields};
use model::{DataType, Item, codes};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A partner's endpoint that answers each connection with the next of its answers, and keeps what it was sent.
struct Endpoint {
    spec: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Endpoint {
    async fn new(answers: Vec<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let spec = format!("dtp+http://{}/dtp", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(vec![]));
        let log = seen.clone();
        tokio::spawn(async move {
            for answer in answers {
                let (mut socket, _) = listener.accept().await.unwrap();
                let mut request = Vec::new();
                while !is_whole(&request) {
                    if socket.read_buf(&mut request).await.unwrap() == 0 {
                        break;
                    }
                }
                log.lock().unwrap().push(String::from_utf8_lossy(&request).into_owned());
                let (status, body) = answer.split_once('|').unwrap();
                let length = body.len();
                let head = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
                let _ = socket.write_all(head.as_bytes()).await;
            }
        });
        Self { spec, seen }
    }

    async fn open(&self) -> Arc<dyn Destination> {
        let net = net::Client::new(net::Policy::operator());
        let context = Context { token: Some(Token::new("s3cret")), ..Context::new(net) };
        open_destination(&self.spec.parse().unwrap(), &context).await.unwrap()
    }

    fn last(&self) -> String {
        self.seen.lock().unwrap().last().unwrap().clone()
    }
}

/// Tells whether a request has arrived: its headers, and as much body as they say.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let head = head.to_ascii_lowercase();
    if head.contains("transfer-encoding: chunked") {
        return body.ends_with("0\r\n\r\n");
    }
    let length = head.split_once("content-length: ").map(|(_, rest)| rest.lines().next().unwrap().parse().unwrap());
    body.len() >= length.unwrap_or(0)
}

fn photo() -> Item {
    Item {
        data_type: DataType::Photos,
        id: "p1".to_owned(),
        containers: vec!["a1".to_owned()],
        created: Some("2024-11-14T17:21:03Z".parse().unwrap()),
        modified: None,
        zone: None,
        visibility: None,
        content: Some(Content {
            locator: "p1".to_owned(),
            name: None,
            media_type: "image/png".to_owned(),
            size: None,
            blake3: None,
        }),
        fields: Fields::Media { title: "Sunset".to_owned(), description: None, favorite: None },
        original: None,
    }
}

fn key() -> ItemKey {
    ItemKey { transfer: "t1".to_owned(), key: "00ff".repeat(16) }
}

fn body(size: Option<u64>, chunks: Vec<std::io::Result<Bytes>>) -> Option<Body> {
    Some(Body { size, stream: stream::iter(chunks).boxed() })
}

fn chunk(text: &'static str) -> std::io::Result<Bytes> {
    Ok(Bytes::from_static(text.as_bytes()))
}

const INTRODUCTION: &str = r#"200 OK|{"product":"moveout","repeats":"recognised"}"#;

#[tokio::test]
async fn a_photo_is_sent_as_a_worker_sends_it() {
    let endpoint = Endpoint::new(vec!["404 Not Found|", "201 Created|{\"id\":\"7\"}", "200 OK|"]).await;
    let destination = endpoint.open().await;
    assert!(!destination.capabilities().recognises_repeats);

    let written = destination.write(&photo(), &key(), body(Some(8), vec![chunk("four"), chunk("more")])).await.unwrap();
    assert_eq!((written.remote_id.as_deref(), written.already_there, written.bytes), (Some("7"), false, 8));
    assert_eq!(written.blake3.unwrap(), blake3::hash(b"fourmore").to_hex().to_string());
    let request = endpoint.last();
    let (head, sent) = request.split_once("\r\n\r\n").unwrap();
    let head = head.to_ascii_lowercase();
    assert!(head.starts_with("post /dtp/media http/1.1"), "{head}");
    for header in ["authorization: bearer s3cret", "x-dtp-job-id: t1", "x-dtp-export-service: moveout"] {
        assert!(head.contains(header), "{head}");
    }
    assert!(head.contains(&format!("content-length: {}", sent.len())) && !head.contains("chunked"), "{head}");
    let parts: Vec<_> = sent.split("--moveout-00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff").collect();
    assert_eq!(parts.len(), 4, "{sent}");
    assert!(parts[1].starts_with("\r\nContent-Type: application/json\r\n") && parts[1].contains("\"albumId\":\"a1\""));
    assert_eq!(parts[2], "\r\nContent-Type: image/png\r\nContent-Length: 8\r\n\r\nfourmore\r\n");
    assert_eq!(parts[3], "--\r\n");

    // Where the length is not known, and the endpoint answers with nothing but a status.
    let written = destination.write(&photo(), &key(), body(None, vec![chunk("four")])).await.unwrap();
    assert_eq!((written.remote_id, written.already_there, written.bytes), (None, false, 4));
    assert!(endpoint.last().to_ascii_lowercase().contains("transfer-encoding: chunked"));
}

#[tokio::test]
async fn a_landing_of_ours_tells_a_repeat_from_a_new_item() {
    let endpoint = Endpoint::new(vec![INTRODUCTION, r#"200 OK|{"id":"7"}"#]).await;
    let destination = endpoint.open().await;
    let capabilities = destination.capabilities();
    assert!(capabilities.recognises_repeats && capabilities.concurrency > 4);
    let written = destination.write(&photo(), &key(), body(Some(4), vec![chunk("four")])).await.unwrap();
    assert!(written.already_there);
}

#[tokio::test]
async fn a_source_that_breaks_off_is_blamed_itself() {
    let broken = || Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof));
    let table = [
        (Some(8), vec![chunk("four")], &codes::transfer::CONTENT_CHANGED),
        (Some(3), vec![chunk("four")], &codes::transfer::CONTENT_CHANGED),
        (None, vec![chunk("four"), broken()], &codes::transfer::RECORD_BROKEN),
    ];
    for (size, chunks, code) in table {
        let endpoint = Endpoint::new(vec![INTRODUCTION, r#"201 Created|{"id":"7"}"#]).await;
        let problem = endpoint.open().await.write(&photo(), &key(), body(size, chunks)).await.unwrap_err();
        assert!(problem.is(code), "{problem}");
    }
}

#[tokio::test]
async fn what_the_wire_cannot_carry_is_refused_before_anything_is_sent() {
    let endpoint = Endpoint::new(vec![INTRODUCTION]).await;
    let destination = endpoint.open().await;
    assert!(destination.refuses(&photo()).is_none());
    let like = Item { data_type: DataType::Likes, ..photo() };
    assert!(destination.refuses(&like).unwrap().is(&codes::transfer::TYPE_UNSUPPORTED));
    let empty = Item { content: None, ..photo() };
    assert!(destination.refuses(&empty).unwrap().is(&codes::transfer::MEDIA_MISSING));
}
