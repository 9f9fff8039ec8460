//! A WebDAV server: WsgiDAV.

use std::path::Path;

use model::codes;
use testkit::webdav::{PASSWORD, USER, WebDav};

use crate::dir::{files, fill};
use crate::scene::{FILES, forget_user_7, found, left, open, person, places, values_that_lead_elsewhere_block};

fn start() -> (WebDav, String) {
    let server = WebDav::start(Path::new(env!("CARGO_TARGET_TMPDIR")));
    fill(&server.folder().join("people"));
    let url = format!("webdav+http://{USER}@127.0.0.1:{}/people", server.port());
    (server, url)
}

#[tokio::test]
async fn exactly_the_persons_files_go() {
    let (server, url) = start();
    let root = server.folder().join("people");
    let eraser = open(&url, &[("password", PASSWORD)]).await.unwrap();
    values_that_lead_elsewhere_block(&*eraser).await;
    assert_eq!(files(&root).len(), FILES.len());
    forget_user_7(&*eraser, 3).await;
    let mut expected = left();
    expected.sort();
    assert_eq!(files(&root), expected);
    assert!(!root.join("avatars/7").exists());
}

#[tokio::test]
async fn a_server_that_does_not_let_us_in_or_is_away_is_named() {
    let (server, url) = start();
    let stranger = open(&url, &[("password", "wrong")]).await.unwrap();
    let problem = stranger.catalog().await.unwrap_err();
    assert!(problem.is(&codes::erasure::LOCATION_REFUSED) && !problem.to_string().contains("wrong"), "{problem}");
    let nowhere = open(&format!("{url}/unmounted"), &[("password", PASSWORD)]).await.unwrap();
    assert!(nowhere.catalog().await.unwrap_err().is(&codes::erasure::LOCATION_UNREADABLE));

    let eraser = open(&url, &[("password", PASSWORD)]).await.unwrap();
    std::fs::create_dir_all(server.folder().join("people/avatars/10/empty")).unwrap();
    assert_eq!(found(&eraser.survey(&places(), &person("10")).await.unwrap().tables), [1, 0, 0]);
    drop(server);
    let problem = eraser.survey(&places(), &person("7")).await.unwrap_err();
    assert!(problem.is(&codes::erasure::SYSTEM_UNREACHABLE), "{problem}");
}
