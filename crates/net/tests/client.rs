//! Where the client connects and where not, and what it makes of answers: against listeners of our own.

use model::{Code, codes};
use net::{Client, Method, Network, Policy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Answers every connection on a free loopback port with the same bytes; returns the port.
async fn answering(answer: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = socket.read(&mut request).await;
            let _ = socket.write_all(answer).await;
        }
    });
    port
}

async fn get(client: &Client, url: &str) -> model::Result<net::Response> {
    net::send(client.request(Method::GET, url)?).await
}

fn loopback() -> Policy {
    let networks: Vec<Network> = ["127.0.0.0/8", "::1"].iter().map(|network| network.parse().unwrap()).collect();
    Policy::outsider(networks)
}

const HELLO: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello";

#[tokio::test]
async fn an_outsider_reaches_no_network_of_ours() {
    let port = answering(HELLO).await;
    let client = Client::new(Policy::outsider(Vec::new()));
    let table: [(String, &Code); 9] = [
        (format!("http://127.0.0.1:{port}/"), &codes::net::ADDRESS_FORBIDDEN),
        (format!("https://127.0.0.1:{port}/"), &codes::net::ADDRESS_FORBIDDEN),
        (format!("https://0x7f.1:{port}/"), &codes::net::ADDRESS_FORBIDDEN),
        (format!("https://[::ffff:127.0.0.1]:{port}/"), &codes::net::ADDRESS_FORBIDDEN),
        // A name: judged where it is resolved.
        (format!("https://localhost:{port}/"), &codes::net::ADDRESS_FORBIDDEN),
        ("http://example.org/".into(), &codes::net::ADDRESS_FORBIDDEN),
        ("https://user:hunter2@example.org/".into(), &codes::net::URL_MALFORMED),
        ("file:///etc/passwd".into(), &codes::net::URL_MALFORMED),
        ("/relative".into(), &codes::net::URL_MALFORMED),
    ];
    for (url, code) in table {
        let problem = get(&client, &url).await.unwrap_err();
        assert!(problem.is(code), "{url}: {problem}");
        assert!(!format!("{problem:?}").contains("hunter2"), "{problem:?}");
    }
}

#[tokio::test]
async fn an_operator_and_an_opened_network_reach_it() {
    let port = answering(HELLO).await;
    for policy in [Policy::operator(), loopback()] {
        let client = Client::new(policy);
        for host in ["127.0.0.1", "localhost"] {
            let response = get(&client, &format!("http://{host}:{port}/")).await.unwrap();
            assert_eq!(net::read_limited(response, 5).await.unwrap(), "hello");
        }
    }
}

#[tokio::test]
async fn redirects_are_answers_and_long_bodies_are_cut_off() {
    let port = answering(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n").await;
    let client = Client::new(loopback());
    let response = get(&client, &format!("http://127.0.0.1:{port}/")).await.unwrap();
    assert_eq!(response.status(), net::StatusCode::FOUND);

    // One body announces its length, the other only ends.
    let endless = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello, world";
    for answer in [HELLO, endless] {
        let port = answering(answer).await;
        let response = get(&client, &format!("http://127.0.0.1:{port}/")).await.unwrap();
        let problem = net::read_limited(response, 4).await.unwrap_err();
        assert!(problem.is(&codes::net::RESPONSE_TOO_LARGE), "{problem}");
    }
}

#[tokio::test]
async fn failures_have_a_verdict() {
    let port = answering(b"this is not TLS, whatever you say").await;
    let client = Client::new(loopback());
    let problem = get(&client, &format!("https://127.0.0.1:{port}/")).await.unwrap_err();
    assert!(problem.is(&codes::net::TLS_FAILED), "{problem:?}");

    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let problem = get(&client, &format!("http://127.0.0.1:{closed}/?secret=1")).await.unwrap_err();
    assert!(problem.is(&codes::net::UNREACHABLE), "{problem:?}");
    assert!(!format!("{problem:?}").contains("secret"), "{problem:?}");
}
