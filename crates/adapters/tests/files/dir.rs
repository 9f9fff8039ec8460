//! A folder on this machine.

use std::fs;
use std::path::Path;

use model::codes;

use crate::scene::{FILES, forget_user_7, found, left, open, person, places, values_that_lead_elsewhere_block};

pub fn fill(root: &Path) {
    for file in FILES {
        let path = root.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "x").unwrap();
    }
}

pub fn files(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn exactly_the_persons_files_go() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    let eraser = open(&format!("dir:{}", folder.path().display()), &[]).await.unwrap();
    values_that_lead_elsewhere_block(&*eraser).await;
    assert_eq!(files(folder.path()).len(), FILES.len());
    forget_user_7(&*eraser, 3).await;
    let mut expected = left();
    expected.sort();
    assert_eq!(files(folder.path()), expected);
    assert!(!folder.path().join("avatars/7").exists(), "the folder bears the person's name too");
}

#[tokio::test]
async fn a_link_blocks_because_what_it_leads_to_would_stay() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    fill(folder.path());
    fs::write(elsewhere.path().join("precious"), "x").unwrap();
    let eraser = open(&format!("dir:{}", folder.path().display()), &[]).await.unwrap();
    let survey = eraser.survey(&places(), &person("7")).await.unwrap();

    let inside = folder.path().join("avatars/7/large/link");
    let itself = folder.path().join("avatars/9");
    std::os::unix::fs::symlink(elsewhere.path(), &inside).unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), &itself).unwrap();
    for user in ["7", "9"] {
        let problem = eraser.survey(&places(), &person(user)).await.unwrap_err();
        assert!(problem.is(&codes::erasure::LOCATION_UNREADABLE), "{problem}");
    }
    let problem = eraser.erase(&places(), &survey.frozen).await.unwrap_err();
    assert!(problem.is(&codes::erasure::LOCATION_UNREADABLE), "{problem}");
    assert!(folder.path().join("avatars/7/small.jpg").exists(), "nothing was removed");
    assert!(elsewhere.path().join("precious").exists());
}

#[tokio::test]
async fn what_is_not_as_declared_is_said() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path());
    let eraser = open(&format!("dir:{}", folder.path().display()), &[]).await.unwrap();
    // An empty folder counts, for its name; a folder where one file is declared is not taken for it.
    fs::create_dir_all(folder.path().join("avatars/10/empty")).unwrap();
    assert_eq!(found(&eraser.survey(&places(), &person("10")).await.unwrap().tables), [1, 0, 0]);
    fs::create_dir_all(folder.path().join("letters/11.txt")).unwrap();
    let problem = eraser.survey(&places(), &person("11")).await.unwrap_err();
    assert!(problem.is(&codes::erasure::LOCATION_UNREADABLE) && problem.detail.contains("prefix"), "{problem}");

    let gone = open(&format!("dir:{}", folder.path().join("unmounted").display()), &[]).await.unwrap();
    assert!(
        gone.catalog().await.unwrap_err().is(&codes::erasure::SYSTEM_UNREACHABLE),
        "an unmounted disk is not empty"
    );
}
