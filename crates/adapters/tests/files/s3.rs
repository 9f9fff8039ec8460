//! A bucket, on a server without versions and on one that keeps them.

use model::codes;
use testkit::s3::{ACCESS_KEY, Kind, S3, SECRET_KEY, Versioned};

use crate::dir::fill;
use crate::scene::{FILES, forget_user_7, found, left, open, person, places, values_that_lead_elsewhere_block};

const KEYS: &[(&str, &str)] = &[("access_key_id", ACCESS_KEY), ("secret_access_key", SECRET_KEY)];

fn spec(s3: &S3) -> String {
    format!("s3://people/all/of%20them?endpoint={}", s3.endpoint())
}

#[tokio::test]
async fn exactly_the_persons_objects_go() {
    let s3 = S3::start().unwrap();
    fill(&s3.bucket("people").unwrap().join("all/of them"));
    let eraser = open(&spec(&s3), KEYS).await.unwrap();
    values_that_lead_elsewhere_block(&*eraser).await;
    assert_eq!(s3.keys("people").unwrap().len(), FILES.len());
    forget_user_7(&*eraser, 3).await;
    let mut expected: Vec<_> = left().iter().map(|file| format!("all/of them/{file}")).collect();
    expected.sort();
    assert_eq!(s3.keys("people").unwrap(), expected);
}

#[tokio::test]
async fn a_bucket_that_does_not_let_us_in_or_is_not_there_is_named() {
    let s3 = S3::start().unwrap();
    let eraser = open(&spec(&s3), KEYS).await.unwrap();
    let problem = eraser.catalog().await.unwrap_err();
    assert!(problem.is(&codes::erasure::LOCATION_UNREADABLE), "no bucket: {problem}");
    s3.bucket("people").unwrap();
    eraser.catalog().await.unwrap();

    let stranger = open(&spec(&s3), &[("access_key_id", ACCESS_KEY), ("secret_access_key", "wrong")]).await.unwrap();
    let problem = stranger.catalog().await.unwrap_err();
    assert!(problem.is(&codes::erasure::LOCATION_REFUSED), "{problem}");
    assert!(!problem.to_string().contains(ACCESS_KEY) && problem.detail.contains("SignatureDoesNotMatch"), "{problem}");
    assert!(open(&spec(&s3), &[]).await.is_err(), "without keys nothing is tried");

    drop(s3);
    let problem = eraser.survey(&places(), &person("7")).await.unwrap_err();
    assert!(problem.is(&codes::erasure::SYSTEM_UNREACHABLE), "{problem}");
}

#[tokio::test]
async fn every_version_marker_and_unfinished_upload_goes_and_what_is_held_blocks() {
    let s3 = Versioned::start().unwrap();
    for file in FILES {
        for (id, kind) in [("1", Kind::Version), ("2", Kind::Marker), ("3", Kind::Upload)] {
            s3.put(file, id, kind);
        }
    }
    let eraser = open(&format!("s3://people?endpoint={}", s3.endpoint()), KEYS).await.unwrap();
    eraser.catalog().await.unwrap();
    let survey = eraser.survey(&places(), &person("7")).await.unwrap();
    assert_eq!(found(&survey.tables), [9, 3, 0]);
    let erased = eraser.erase(&places(), &survey.frozen).await.unwrap();
    assert_eq!(found(&erased.tables), [9, 3, 0]);
    assert!(eraser.reread(&places(), &erased.frozen).await.unwrap().iter().all(|table| table.remaining == 0));
    let mut expected: Vec<_> = left().iter().flat_map(|file| [file.clone(), file.clone(), file.clone()]).collect();
    expected.sort();
    assert_eq!(s3.keys(), expected);

    s3.put("avatars/7/contract.pdf", "1", Kind::Held);
    let problem = eraser.erase(&places(), &survey.frozen).await.unwrap_err();
    assert!(problem.is(&codes::erasure::LOCATION_REFUSED) && problem.detail.contains("AccessDenied"), "{problem}");
    assert_eq!(eraser.reread(&places(), &survey.frozen).await.unwrap()[0].remaining, 1);
}
