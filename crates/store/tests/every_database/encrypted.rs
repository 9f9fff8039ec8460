//! The way to PostgreSQL, encrypted.

use model::codes;
use store::postgres::Settings;
use store::{Store, params};
use testkit::postgres::cluster;

use crate::bed::{Bed, write};

#[tokio::test]
async fn the_connection_is_encrypted_and_the_server_is_who_it_says() {
    let mut bed = Bed::postgres().await;
    let plain = bed.postgres.take().unwrap().url;
    let authority = bed.folder.path().join("authority.pem");
    std::fs::write(&authority, cluster().certificate()).unwrap();
    let verified = format!("{plain}?sslmode=verify-full&sslrootcert={}", authority.display());
    let encrypted = async |store: &Store| {
        let sql = "SELECT CAST(ssl AS TEXT) AS encrypted FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
        write!(store, |tx| tx.query_one(sql, params![])).unwrap().get::<String>("encrypted").unwrap() == "true"
    };
    for (url, expected) in [(&plain, false), (&format!("{plain}?sslmode=require"), true), (&verified, true)] {
        bed.postgres = Some(Settings::new(url));
        assert_eq!(encrypted(&bed.open().await).await, expected, "{url}");
    }

    // Another authority, and no authority at all.
    let stranger = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.pem();
    for (text, code) in [(stranger.as_str(), &codes::store::UNAVAILABLE), ("", &codes::config::CONFIG_INVALID)] {
        std::fs::write(&authority, text).unwrap();
        bed.postgres = Some(Settings::new(&verified));
        let refused = bed.try_open(&bed.keys).await.err().unwrap();
        assert!(refused.is(code), "{refused}");
    }
}
