//! The few commands that we send, each on its own: no transaction spans them, and reading again tells what is there.

use std::collections::HashSet;

use model::{Problem, Result, codes};
use redis::aio::MultiplexedConnection;
use redis::{Cmd, FromRedisValue, RedisResult};

use super::errors;

/// How many keys the server looks at before it answers once: it serves nobody else meanwhile.
const SCANNED_AT_ONCE: usize = 1000;
/// How many keys are removed by one command.
const UNLINKED_AT_ONCE: usize = 500;
/// How many keys of one person a pattern may find: they are held in memory.
const MAX_KEYS: usize = 250_000;

/// A connection with the commands that we need.
pub(super) struct Commands(pub(super) MultiplexedConnection);

/// What a key holds, where that has members.
enum Holds {
    Nothing,
    Set,
    SortedSet,
    List,
}

impl Commands {
    async fn ask<T: FromRedisValue>(&mut self, command: &Cmd) -> Result<T> {
        let answer: RedisResult<T> = command.query_async(&mut self.0).await;
        answer.map_err(|error| errors::map(&error))
    }

    /// Runs a command whose answer is a number.
    pub(super) async fn number(&mut self, name: &str, arguments: &[&str]) -> Result<u64> {
        self.ask(redis::cmd(name).arg(arguments)).await
    }

    /// Tells whether the keys are spread over several servers.
    pub(super) async fn is_cluster(&mut self) -> Result<bool> {
        let info: RedisResult<String> = redis::cmd("INFO").arg("cluster").query_async(&mut self.0).await;
        match info {
            Ok(info) => Ok(info.lines().any(|line| line.trim() == "cluster_enabled:1")),
            // An account that may touch its own keys only: a cluster would still tell by its refusals.
            Err(error) if error.code() == Some("NOPERM") => Ok(false),
            Err(error) => Err(errors::map(&error)),
        }
    }

    /// Finds every key that matches. A key that is there all the while is found; the server may name one twice.
    pub(super) async fn scan(&mut self, pattern: &str) -> Result<HashSet<Vec<u8>>> {
        let (mut found, mut cursor) = (HashSet::new(), "0".to_owned());
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(&cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(SCANNED_AT_ONCE);
            let (next, keys): (String, Vec<Vec<u8>>) = self.ask(&scan).await?;
            found.extend(keys);
            if found.len() > MAX_KEYS {
                let detail = format!("a pattern finds more than {MAX_KEYS} keys");
                return Err(Problem::new(&codes::erasure::TOO_MANY_ROWS, detail));
            }
            if next == "0" {
                return Ok(found);
            }
            cursor = next;
        }
    }

    /// Removes keys and returns how many were there.
    pub(super) async fn unlink(&mut self, keys: HashSet<Vec<u8>>) -> Result<u64> {
        let keys: Vec<Vec<u8>> = keys.into_iter().collect();
        let mut removed = 0;
        for some in keys.chunks(UNLINKED_AT_ONCE) {
            removed += self.ask::<u64>(redis::cmd("UNLINK").arg(some)).await?;
        }
        Ok(removed)
    }

    /// Counts how often a set, sorted set or list holds a member.
    pub(super) async fn count_member(&mut self, key: &str, member: &str) -> Result<u64> {
        match self.holds(key).await? {
            Holds::Nothing => Ok(0),
            Holds::Set => self.number("SISMEMBER", &[key, member]).await,
            Holds::SortedSet => {
                let score: Option<String> = self.ask(redis::cmd("ZSCORE").arg(key).arg(member)).await?;
                Ok(u64::from(score.is_some()))
            }
            Holds::List => {
                let places: Vec<u64> = self.ask(redis::cmd("LPOS").arg(&[key, member, "COUNT", "0"])).await?;
                Ok(places.len() as u64)
            }
        }
    }

    /// Removes a member from a set, sorted set or list.
    pub(super) async fn remove_member(&mut self, key: &str, member: &str) -> Result<u64> {
        match self.holds(key).await? {
            Holds::Nothing => Ok(0),
            Holds::Set => self.number("SREM", &[key, member]).await,
            Holds::SortedSet => self.number("ZREM", &[key, member]).await,
            Holds::List => self.number("LREM", &[key, "0", member]).await,
        }
    }

    async fn holds(&mut self, key: &str) -> Result<Holds> {
        let name: String = self.ask(redis::cmd("TYPE").arg(key)).await?;
        match name.as_str() {
            "none" => Ok(Holds::Nothing),
            "set" => Ok(Holds::Set),
            "zset" => Ok(Holds::SortedSet),
            "list" => Ok(Holds::List),
            other => {
                let detail = format!("the key holds a {other}, which has no members; is a field meant?");
                Err(Problem::new(&codes::erasure::LOCATION_UNREADABLE, detail))
            }
        }
    }
}
