//! The connection breaks at the COMMIT: whoever waits for the answer must learn what became of it.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use store::postgres::Settings;
use store::{Store, params};
use testkit::postgres::cluster;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::bed::Bed;

/// What happens to the next COMMIT.
#[derive(Clone, Debug)]
enum Fate {
    /// It is carried out, and the answer is lost.
    AnswerLost,
    /// It never arrives.
    Lost,
    /// It arrives when its sender has long given up: after the first, and the second is told when it was answered.
    Late(Arc<Notify>, Arc<Notify>),
}

type Next = Arc<Mutex<Option<Fate>>>;

/// Stands between the store and the server, and returns its port.
async fn bad_line(next: Next) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (client, _) = listener.accept().await.unwrap();
            let next = next.clone();
            tokio::spawn(async move { relay(client, next).await.unwrap_or_default() });
        }
    });
    port
}

#[expect(clippy::disallowed_methods, reason = "this is the line itself, not a connection of the program")]
async fn relay(mut client: TcpStream, next: Next) -> std::io::Result<()> {
    let mut server = TcpStream::connect(("127.0.0.1", cluster().port())).await?;
    let (mut question, mut answer) = (vec![0; 65536], vec![0; 65536]);
    loop {
        tokio::select! {
            asked = client.read(&mut question) => {
                let text = &question[..asked?];
                if text.is_empty() { return Ok(()) }
                let commits = text.ends_with(b"; COMMIT\0");
                let fate = if commits { next.lock().unwrap_or_else(PoisonError::into_inner).take() } else { None };
                match fate {
                    None => server.write_all(text).await?,
                    Some(Fate::Lost) => return Ok(()),
                    Some(Fate::AnswerLost) => {
                        server.write_all(text).await?;
                        let _answered = server.read(&mut answer).await?;
                        return Ok(());
                    }
                    Some(Fate::Late(go, gone)) => {
                        drop(client);
                        go.notified().await;
                        server.write_all(text).await?;
                        let _answered = server.read(&mut answer).await?;
                        gone.notify_one();
                        return Ok(());
                    }
                }
            }
            answered = server.read(&mut answer) => {
                let text = &answer[..answered?];
                if text.is_empty() { return Ok(()) }
                client.write_all(text).await?;
            }
        }
    }
}

/// Writes a row under a fresh name, so that one that is written twice is there twice.
fn add<'t>(tx: &'t mut store::Tx<'_>, entry: String) -> BoxFuture<'t, model::Result<()>> {
    Box::pin(async move {
        let sql = "INSERT INTO setting (name, value) VALUES ($1, $2)";
        tx.exec(sql, params![tx.ambient.id(), entry]).await.map(drop)
    })
}

async fn count(store: &Store, entry: &'static str) -> u64 {
    let sql = "SELECT COUNT(*) AS n FROM setting WHERE value = $1";
    let ask = store.read("test.count", move |tx| Box::pin(async move { tx.query_one(sql, params![entry]).await }));
    ask.await.unwrap().get("n").unwrap()
}

#[tokio::test]
async fn a_write_is_there_once_whatever_became_of_its_commit() {
    let mut bed = Bed::postgres().await;
    let next = Next::default();
    let port = bad_line(next.clone()).await;
    let settings = bed.postgres.take().unwrap();
    let url = settings.url.replace(&format!(":{}/", cluster().port()), &format!(":{port}/"));
    bed.postgres = Some(Settings { url, ..settings });
    let store = bed.open().await;

    let (go, gone) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let fates = [
        ("answer lost", Fate::AnswerLost, 0),
        ("lost", Fate::Lost, 1),
        ("late", Fate::Late(go.clone(), gone.clone()), 1),
    ];
    for (entry, fate, retries) in fates {
        let before = store.figures().get("test.add").map_or(0, |figures| figures.retries);
        *next.lock().unwrap_or_else(PoisonError::into_inner) = Some(fate);
        store.write("test.add", move |tx| add(tx, entry.to_owned())).await.unwrap();
        assert!(next.lock().unwrap_or_else(PoisonError::into_inner).is_none(), "{entry}: the line was never bad");
        assert_eq!(count(&store, entry).await, 1, "{entry}");
        assert_eq!(store.figures()["test.add"].retries - before, retries, "{entry}");
    }
    go.notify_one();
    gone.notified().await;
    assert_eq!(count(&store, "late").await, 1, "a COMMIT that came late was carried out all the same");
}
