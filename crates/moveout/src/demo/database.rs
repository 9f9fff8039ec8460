//! The sample database: the app that the person is forgotten in, with everybody else around her.

use std::path::Path;

use anyhow::Result;
use rusqlite::{Connection, Statement, params};

/// How many people the app has.
pub const PEOPLE: i64 = 10_000;

/// Who asks to be forgotten: her number in the app, and the id the platform knows her by.
const PERSON: i64 = 4711;
pub const PLATFORM_ID: &str = "10158000004711";

const SCHEMA: &str = "
CREATE TABLE users (id INTEGER PRIMARY KEY, facebook_id TEXT NOT NULL UNIQUE, email TEXT NOT NULL, name TEXT NOT NULL);
CREATE TABLE posts (id INTEGER PRIMARY KEY, author_id INTEGER NOT NULL REFERENCES users(id), body TEXT NOT NULL);
CREATE TABLE comments (id INTEGER PRIMARY KEY, post_id INTEGER NOT NULL REFERENCES posts(id),
  user_id INTEGER NOT NULL REFERENCES users(id), body TEXT NOT NULL);
CREATE TABLE likes (id INTEGER PRIMARY KEY, post_id INTEGER NOT NULL REFERENCES posts(id),
  user_id INTEGER NOT NULL REFERENCES users(id));
CREATE TABLE invoices (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users(id), number TEXT NOT NULL,
  total TEXT NOT NULL, issued_at TEXT NOT NULL, delivery_address TEXT, note TEXT);
CREATE INDEX posts_author ON posts (author_id);
CREATE INDEX comments_post ON comments (post_id);
CREATE INDEX comments_user ON comments (user_id);
CREATE INDEX likes_post ON likes (post_id);
CREATE INDEX likes_user ON likes (user_id);
CREATE INDEX invoices_user ON invoices (user_id);
";

/// The map of the database, for the world file: whose rows are whose, what hangs on what, and what the law keeps.
pub const MAP: &str = r#"
[[system.table]]
name = "users"
identity = { facebook_id = "asid", email = "email" }

[[system.table]]
name = "posts"
owner = { author_id = "users.id" }

[[system.table]]
name = "comments"
owner = { user_id = "users.id" }
container = { post_id = "posts.id", on_erase = "delete" }

[[system.table]]
name = "likes"
owner = { user_id = "users.id" }
container = { post_id = "posts.id", on_erase = "delete" }

[[system.table]]
name = "invoices"
owner = { user_id = "users.id" }
keep = { columns = ["number", "total", "issued_at"], ground = "legal-obligation", law = "HGB §257 (4)", for = "8y", from = "issued_at", round = "year_end" }
"#;

/// Writes the database into a file that does not exist yet.
///
/// # Errors
/// What SQLite gave.
pub fn write(path: &Path) -> Result<()> {
    let mut connection = Connection::open(path)?;
    connection.execute_batch("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;")?;
    let transaction = connection.transaction()?;
    transaction.execute_batch(SCHEMA)?;
    {
        let mut user = transaction.prepare("INSERT INTO users VALUES (?1, ?2, ?3, ?4)")?;
        let mut post = transaction.prepare("INSERT INTO posts VALUES (?1, ?2, ?3)")?;
        for person in 1..=PEOPLE {
            let (id, email) = (format!("{}", 10_158_000_000_000 + person), format!("person{person}@shop.example"));
            user.execute(params![person, id, email, name(person)])?;
            for number in 0..posts_of(person) {
                post.execute(params![person * 100 + number, person, format!("Post {number} of {}", name(person))])?;
            }
        }
        let mut comment = transaction.prepare("INSERT INTO comments VALUES (?1, ?2, ?3, ?4)")?;
        let mut like = transaction.prepare("INSERT INTO likes VALUES (?1, ?2, ?3)")?;
        let mut invoice = transaction.prepare("INSERT INTO invoices VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
        for person in 1..=PEOPLE {
            react(person, &mut comment, &mut like)?;
            for number in 0..invoices_of(person) {
                let issued = format!("202{}-0{}-15", 2 + number, 1 + person % 9);
                let (serial, total) = (format!("R{person:05}-{number}"), format!("{}.90", 10 + person % 90));
                let address = format!("{} Harbour Street", person % 200);
                invoice.execute(params![
                    person * 10 + number,
                    person,
                    serial,
                    total,
                    issued,
                    address,
                    "leave with neighbour"
                ])?;
            }
        }
    }
    transaction.commit()?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(())
}

fn name(person: i64) -> String {
    const FIRST: [&str; 8] = ["Zoë", "Αγνή", "Иван", "美咲", "ليلى", "Jürgen", "Chloé", "Ngọc"];
    format!("{} {person}", FIRST[(person % 8) as usize])
}

fn posts_of(person: i64) -> i64 {
    if person == PERSON { 12 } else { person % 3 }
}

fn invoices_of(person: i64) -> i64 {
    if person == PERSON { 3 } else { i64::from(person % 4 == 0) }
}

/// A person comments on and likes posts of the next people in line, and of the one who will be forgotten.
fn react(person: i64, comment: &mut Statement<'_>, like: &mut Statement<'_>) -> Result<()> {
    let mut others: Vec<i64> = (1..=3).map(|step| (person + step * 37) % PEOPLE + 1).collect();
    if person % 400 == 1 {
        others.push(PERSON);
    }
    for (number, other) in others.into_iter().enumerate().filter(|(_, other)| posts_of(*other) > 0) {
        let (id, target) = (person * 10 + number as i64, other * 100 + person % posts_of(other));
        comment.execute(params![id, target, person, "Wie schön! Πολύ ωραίο."])?;
        like.execute(params![id, target, person])?;
    }
    Ok(())
}
