//! Erasing in a Redis.

use async_trait::async_trait;
use model::location::Place;
use model::{Problem, Result, codes};

use super::Redis;
use super::commands::Commands;
use crate::locations::{Locations, Person, Removed};

#[async_trait]
impl Locations for Redis {
    async fn reach(&self) -> Result<()> {
        if Commands(self.connect().await?).is_cluster().await? {
            let detail = "it is a cluster, which this adapter does not search: it would see one node's keys only";
            return Err(Problem::new(&codes::erasure::LOCATION_UNREADABLE, detail));
        }
        Ok(())
    }

    async fn count(&self, place: &Place, person: &Person<'_>) -> Result<u64> {
        let counted = count(self.commands().await?, place, person).await;
        self.noticed(counted).await
    }

    async fn erase(&self, place: &Place, person: &Person<'_>) -> Result<Removed> {
        let erased = erase(self.commands().await?, place, person).await;
        self.noticed(erased).await.map(Removed::from)
    }
}

async fn count(mut commands: Commands, place: &Place, person: &Person<'_>) -> Result<u64> {
    match place {
        Place::Key(key) => commands.number("EXISTS", &[&person.fill(key)]).await,
        Place::Pattern(pattern) => {
            let found = commands.scan(&person.fill_parts(pattern, str::to_owned, escape)).await?;
            Ok(found.len() as u64)
        }
        Place::Field { key, field } => commands.number("HEXISTS", &[&person.fill(key), &person.fill(field)]).await,
        Place::Member { key, member } => commands.count_member(&person.fill(key), &person.fill(member)).await,
        _ => Err(not_ours()),
    }
}

async fn erase(mut commands: Commands, place: &Place, person: &Person<'_>) -> Result<u64> {
    match place {
        Place::Key(key) => commands.number("UNLINK", &[&person.fill(key)]).await,
        Place::Pattern(pattern) => {
            let found = commands.scan(&person.fill_parts(pattern, str::to_owned, escape)).await?;
            commands.unlink(found).await
        }
        Place::Field { key, field } => commands.number("HDEL", &[&person.fill(key), &person.fill(field)]).await,
        Place::Member { key, member } => commands.remove_member(&person.fill(key), &person.fill(member)).await,
        _ => Err(not_ours()),
    }
}

/// Writes a value so that a pattern takes each of its characters for itself. Values with such characters are refused
/// before they come here; this is the second lock on the same door.
fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '*' | '?' | '[' | ']' | '^' | '\\') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

fn not_ours() -> Problem {
    Problem::new(&codes::erasure::LOCATION_UNREADABLE, "a Redis has keys")
}
