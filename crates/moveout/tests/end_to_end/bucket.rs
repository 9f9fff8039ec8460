//! Large bodies in a bucket: through the landing and out again, with the shipped binary.

use testkit::s3::{ACCESS_KEY, S3, SECRET_KEY};

use crate::support::{Server, json, moveout, run, send};

const BOUNDARY: &str = "b0undary";

/// A body of several parts of an upload: no pattern, so that a part in the wrong place shows.
fn photo(size: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        b'a' + (state % 26) as u8
    };
    std::iter::repeat_with(next).take(size).collect()
}

fn related(photo: &[u8]) -> Vec<u8> {
    let envelope = r#"{"@type":"GenericPayload","schemaSource":".../MediaSerializer.java","apiVersion":"0.1.0","payload":{"@type":"Photo","name":"large.jpg","albumId":null,"description":null,"uploadedTime":"2024-11-14T17:21:03.845Z","favoriteInfo":null}}"#;
    let head = format!(
        "--{BOUNDARY}\r\nContent-Type: application/json\r\n\r\n{envelope}\r\n--{BOUNDARY}\r\nContent-Type: image/jpeg\r\n\r\n"
    );
    [head.as_bytes(), photo, format!("\r\n--{BOUNDARY}--\r\n").as_bytes()].concat()
}

#[tokio::test]
async fn a_large_photo_goes_through_the_landing_into_the_bucket_and_out_again() {
    let s3 = S3::start().unwrap();
    s3.bucket("photos").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::write(here.join("secret"), SECRET_KEY).unwrap();
    let settings = format!(
        "data = \"data\"\n[blobs]\nurl = \"s3://photos/of/people\"\nendpoint = \"{}\"\naccess_key_id = \"env:KEY\"\nsecret_access_key = \"file:secret\"\n",
        s3.endpoint()
    );
    std::fs::write(here.join("moveout.toml"), settings).unwrap();
    let server = Server::launch(moveout().current_dir(here).env("KEY", ACCESS_KEY).args(["--config", "moveout.toml"]));
    let scopes = "media:write inbox:read";
    let issue = ["token", "issue", "--account", "ada", "--scope", scopes, "--data", "data", "--json"];
    let bearer = format!("Bearer {}", json(here, &issue)["access_token"].as_str().unwrap());

    let sent = photo(7 << 20);
    let kind = format!("multipart/related; boundary={BOUNDARY}");
    let headers = [("authorization", bearer.as_str()), ("content-type", kind.as_str())];
    let landed = send("POST", &format!("{}/dtp/media", server.url), &headers, related(&sent)).await;
    assert_eq!(landed.status, 201, "{}", landed.body);
    let bodies = || s3.keys("photos").unwrap().into_iter().filter(|key| !key.ends_with("/.store")).collect::<Vec<_>>();
    assert_eq!(bodies().len(), 1, "{:?}", bodies());
    assert!(bodies()[0].starts_with("of/people/"));
    assert_eq!(s3.unfinished_parts().unwrap(), 0);
    assert!(!here.join("data/blobs").exists(), "nothing of it lies on this machine");

    // The same bytes once more are recognised, and their second copy is removed.
    let again = send("POST", &format!("{}/dtp/media", server.url), &headers, related(&sent)).await;
    assert_eq!((again.status, bodies().len()), (200, 1), "{}", again.body);
    let id = landed.json()["id"].as_str().unwrap().to_owned();
    let url = format!("{}/api/v1/inbox/{id}/content", server.url);
    let handed = send("GET", &url, &[("authorization", &bearer)], vec![]).await;
    assert_eq!(handed.status, 200);
    assert!(handed.body.as_bytes() == sent, "what is handed out is what came");

    // The bucket is away: what needs it fails and says so, and everything else goes on.
    drop(s3);
    let failed = send("POST", &format!("{}/dtp/media", server.url), &headers, related(&photo(6 << 20)[1..])).await;
    assert_eq!(failed.status, 503, "{}", failed.body);
    assert_eq!(send("GET", &format!("{}/readyz", server.url), &[], vec![]).await.status, 200);
    let output =
        moveout().current_dir(here).env("KEY", ACCESS_KEY).args(["doctor", "--config", "moveout.toml"]).output();
    let output = output.unwrap();
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.code() == Some(6) && words.contains("FAILED   blobs"), "{words}");
    assert!(!words.contains(SECRET_KEY));
    assert_eq!(run(here, &["doctor", "--data", "data"]).0, 0, "a store of SQLite may be looked at without its bucket");
}
