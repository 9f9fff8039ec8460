//! The socket: HTTPS from certificate files, a stop that lets running requests end, and no waiting for ever.
#![expect(clippy::disallowed_methods, reason = "the tests play outsiders who connect to us")]

use std::sync::Arc;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::get;
use server::listen::{Tls, bind};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use tokio_util::sync::CancellationToken;

const ANYWHERE: &str = "127.0.0.1:0";

async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> String {
    stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn trusting(certificate: CertificateDer<'static>) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

#[tokio::test]
async fn https_from_certificate_files_beside_a_client_that_never_shakes_hands() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();

    let tls = Tls::from_pem(&certificate, &key).unwrap();
    let listener = bind(ANYWHERE.parse().unwrap(), Some(tls)).await.unwrap();
    let address = listener.address();
    let stop = CancellationToken::new();
    let peer = |ConnectInfo(peer): ConnectInfo<std::net::SocketAddr>| async move { peer.ip().to_string() };
    let serving = tokio::spawn(server::serve(listener, Router::new().route("/", get(peer)), stop.clone()));

    let silent = TcpStream::connect(address).await.unwrap();
    let tcp = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let secured = trusting(made.cert.der().clone()).connect(name, tcp).await.unwrap();
    let answer = exchange(secured).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("127.0.0.1"), "{answer}");

    drop(silent);
    stop.cancel();
    serving.await.unwrap();
}

#[test]
fn a_file_that_is_no_certificate_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cert.pem");
    std::fs::write(&path, "not a certificate").unwrap();
    let problem = Tls::from_pem(&path, &path).unwrap_err();
    assert!(problem.is(&model::codes::config::CERTIFICATE_INVALID));
    assert!(problem.detail.contains("cert.pem"), "{problem}");
}

#[tokio::test]
async fn a_stop_takes_nobody_new_and_lets_the_running_request_end() {
    let (started, mut arrived) = tokio::sync::mpsc::channel::<()>(1);
    let gate = Arc::new(tokio::sync::Notify::new());
    let handler = {
        let gate = gate.clone();
        move || async move {
            started.send(()).await.unwrap();
            gate.notified().await;
            "whole"
        }
    };
    let listener = bind(ANYWHERE.parse().unwrap(), None).await.unwrap();
    let address = listener.address();
    let stop = CancellationToken::new();
    let serving = tokio::spawn(server::serve(listener, Router::new().route("/", get(handler)), stop.clone()));

    let running = tokio::spawn(async move { exchange(TcpStream::connect(address).await.unwrap()).await });
    arrived.recv().await.unwrap();
    stop.cancel();
    gate.notify_one();
    assert!(running.await.unwrap().ends_with("whole"));
    serving.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}
