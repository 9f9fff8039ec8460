//! Another person's rows are never touched, whatever the database holds.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::json;

use crate::database::Database;

/// A small random database: posts by author, comments by (user, post), all of five people.
type Rows = (Vec<i64>, Vec<(i64, Option<i64>)>);

fn rows() -> impl Strategy<Value = Rows> {
    let people = 1..=5_i64;
    let posts = prop::collection::vec(people.clone(), 0..8);
    let comments = prop::collection::vec((people, prop::option::of(0..8_i64)), 0..16);
    (posts, comments)
}

pub async fn nothing_of_others_is_touched(db: Database) {
    db.run(
        "CREATE TABLE users (id BIGINT PRIMARY KEY, email TEXT);
         CREATE TABLE posts (id BIGINT PRIMARY KEY, author_id BIGINT NOT NULL REFERENCES users (id), body TEXT);
         CREATE TABLE comments (id BIGINT PRIMARY KEY, user_id BIGINT NOT NULL REFERENCES users (id), post_id BIGINT REFERENCES posts (id), body TEXT);",
    )
    .await;
    let mut runner = TestRunner::deterministic();
    for on_erase in ["detach", "delete"] {
        let map = json!([
            { "name": "users", "identity": { "email": "email" } },
            { "name": "posts", "owner": { "author_id": "users.id" } },
            { "name": "comments", "owner": { "user_id": "users.id" }, "container": { "post_id": "posts.id", "on_erase": on_erase } },
        ]);
        let plan = db.plan(&map).await.unwrap();
        for _ in 0..8 {
            let (posts, comments) = rows().new_tree(&mut runner).unwrap().current();
            fill(&db, &posts, &comments).await;
            let expected = without_the_first(&posts, &comments, on_erase == "delete");
            db.carry_out(&plan, &["email:p1@example.org"]).await;
            let mut found = db.rows("SELECT 'u', id, email FROM users ORDER BY id").await;
            found.extend(db.rows("SELECT 'p', id, author_id, body FROM posts ORDER BY id").await);
            found.extend(db.rows("SELECT 'c', id, user_id, post_id, body FROM comments ORDER BY id").await);
            assert_eq!(found, expected, "{on_erase}: posts {posts:?}, comments {comments:?}");
        }
    }
}

async fn fill(db: &Database, posts: &[i64], comments: &[(i64, Option<i64>)]) {
    let mut statements = "DELETE FROM comments; DELETE FROM posts; DELETE FROM users;".to_owned();
    for person in 1..=5 {
        statements += &format!("INSERT INTO users VALUES ({person}, 'p{person}@example.org');");
    }
    for (id, author) in posts.iter().enumerate() {
        statements += &format!("INSERT INTO posts VALUES ({id}, {author}, 'post {id}');");
    }
    for (id, (user, post)) in comments.iter().enumerate() {
        let post = post.filter(|post| posts.len() as i64 > *post).map_or("NULL".to_owned(), |post| post.to_string());
        statements += &format!("INSERT INTO comments VALUES ({id}, {user}, {post}, 'comment {id}');");
    }
    db.run(&statements).await;
}

/// What must be left when person 1 is gone, worked out from the rules of the map alone.
fn without_the_first(posts: &[i64], comments: &[(i64, Option<i64>)], with_others: bool) -> Vec<String> {
    let mut left: Vec<String> = (2..=5).map(|person| format!("u|{person}|p{person}@example.org")).collect();
    let others = posts.iter().enumerate().filter(|(_, author)| **author != 1);
    left.extend(others.map(|(id, author)| format!("p|{id}|{author}|post {id}")));
    for (id, (user, post)) in comments.iter().enumerate().filter(|(_, (user, _))| *user != 1) {
        let author = post.and_then(|post| posts.get(post as usize));
        if author == Some(&1) && with_others {
            continue;
        }
        let post = post.filter(|_| author.is_some_and(|author| *author != 1));
        let post = post.map_or("-".to_owned(), |post| post.to_string());
        left.push(format!("c|{id}|{user}|{post}|comment {id}"));
    }
    left
}
