//! Claiming: which of the jobs that are due come next, and the lease on them.

use std::collections::HashMap;

use jiff::Timestamp;
use model::Result;

use super::{Class, Job, LEASE};
use crate::{Row, Tx, Value, hold, params};

/// How many lanes one claim looks at; where there are more, each claim begins at another place.
const LANES: usize = 64;

/// Which jobs somebody wants to claim.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Who claims, so that a restarted worker finds its own leases.
    pub owner: String,
    /// The kinds that the claimer can run.
    pub kinds: Vec<&'static str>,
    /// At most this many.
    pub limit: usize,
    /// How many jobs of each lane the claimer runs already.
    pub busy: HashMap<String, usize>,
    /// How many it runs at most.
    pub most: fn(Class) -> Places,
}

/// How many jobs of a class run at once at most.
#[derive(Clone, Copy, Debug)]
pub struct Places {
    /// In all.
    pub in_all: usize,
    /// Of one lane.
    pub per_lane: usize,
}

impl Places {
    /// As many as are claimed.
    pub const ANY: Self = Self { in_all: usize::MAX, per_lane: usize::MAX };
}

/// A job that could be claimed.
struct Candidate {
    id: String,
    class: Class,
    priority: i64,
    run_at: i64,
}

/// Takes leases on jobs that are due and that nobody works on: the most urgent kinds first, and within a kind in turn from the
/// lanes of which the fewest are under way. After a restore outgoing work is held.
///
/// # Errors
/// A problem of the store.
pub async fn claim(tx: &mut Tx<'_>, claim: &Claim) -> Result<Vec<Job>> {
    let mut kinds = claim.kinds.clone();
    if hold::held(tx).await?.is_some() {
        kinds.retain(|kind| hold::stays_inside(kind));
    }
    if kinds.is_empty() {
        return Ok(vec![]);
    }
    let lanes = lanes(tx).await?;
    let candidates = candidates(tx, claim, &kinds, &lanes).await?;
    let chosen = share(candidates, claim);
    lease(tx, &claim.owner, &chosen).await
}

/// Takes the lease on the job of one subject, if it is due and nobody works on it.
///
/// # Errors
/// A problem of the store.
pub async fn claim_one(tx: &mut Tx<'_>, owner: &str, kind: &str, subject: &str) -> Result<Option<Job>> {
    if !hold::stays_inside(kind) && hold::held(tx).await?.is_some() {
        return Ok(None);
    }
    let sql = "SELECT id FROM job WHERE kind = $1 AND subject = $2";
    let Some(row) = tx.query_opt(sql, params![kind, subject]).await? else { return Ok(None) };
    Ok(lease(tx, owner, &[row.get("id")?]).await?.pop())
}

/// What a job must be to be taken at `$1`.
const FREE: &str = "parked IS NULL AND run_at <= $1 AND (lease_until IS NULL OR lease_until <= $1)";

/// Returns the lanes in which something waits. It jumps along the index from lane to lane, however many jobs there are.
async fn lanes(tx: &mut Tx<'_>) -> Result<Vec<String>> {
    let rows = tx
        .query(
            "WITH RECURSIVE lanes (lane) AS (
                 SELECT MIN(lane) FROM job WHERE parked IS NULL
                 UNION ALL
                 SELECT (SELECT MIN(job.lane) FROM job WHERE job.parked IS NULL AND job.lane > lanes.lane)
                 FROM lanes WHERE lanes.lane IS NOT NULL)
             SELECT lane FROM lanes WHERE lane IS NOT NULL",
            params![],
        )
        .await?;
    let mut lanes = rows.iter().map(|row| row.get("lane")).collect::<Result<Vec<String>>>()?;
    if lanes.len() > LANES {
        let begin = usize::from(u16::from_le_bytes(tx.ambient.random())) % lanes.len();
        lanes.rotate_left(begin);
        lanes.truncate(LANES);
    }
    Ok(lanes)
}

/// Returns the jobs of each lane whose turn could be now, the longest due first.
async fn candidates(
    tx: &mut Tx<'_>,
    claim: &Claim,
    kinds: &[&'static str],
    lanes: &[String],
) -> Result<HashMap<String, Vec<Candidate>>> {
    let mut values: Vec<Value> = params![tx.now(), claim.limit].to_vec();
    let mut place = |value: Value| {
        values.push(value);
        format!("${}", values.len())
    };
    let kinds = kinds.iter().map(|kind| place((*kind).into())).collect::<Vec<_>>().join(", ");
    // Where claimers run side by side, each looks past what another is just taking.
    let lock = tx.skip_locked();
    let of_lane = |lane: &String| {
        let lane = place(lane.into());
        format!(
            "SELECT * FROM (SELECT id, kind, lane, priority, run_at FROM job
                 WHERE lane = {lane} AND {FREE} AND kind IN ({kinds}) ORDER BY run_at LIMIT $2 {lock}) AS waiting"
        )
    };
    let sql = lanes.iter().map(of_lane).collect::<Vec<_>>().join(" UNION ALL ");
    let mut candidates: HashMap<String, Vec<Candidate>> = HashMap::new();
    if sql.is_empty() {
        return Ok(candidates);
    }
    for row in tx.query(&sql, &values).await? {
        let candidate = Candidate {
            id: row.get("id")?,
            class: Class::of(&row.get::<String>("kind")?),
            priority: row.get("priority")?,
            run_at: row.get("run_at")?,
        };
        candidates.entry(row.get("lane")?).or_default().push(candidate);
    }
    for waiting in candidates.values_mut() {
        // The last is the next; a lane holds one kind, but for jobs of older versions.
        waiting.sort_by_key(|candidate| std::cmp::Reverse((candidate.priority, candidate.run_at)));
    }
    Ok(candidates)
}

/// Chooses whose turn it is.
fn share(mut waiting: HashMap<String, Vec<Candidate>>, claim: &Claim) -> Vec<String> {
    let mut busy = claim.busy.clone();
    let mut of_class: HashMap<Class, usize> = HashMap::new();
    for (lane, count) in &busy {
        *of_class.entry(Class::of_lane(lane)).or_default() += count;
    }
    let mut chosen = Vec::new();
    while chosen.len() < claim.limit {
        let heads = waiting.iter().filter_map(|(lane, waiting)| {
            let (head, busy) = (waiting.last()?, busy.get(lane).copied().unwrap_or(0));
            let most = (claim.most)(head.class);
            let room = busy < most.per_lane && of_class.get(&head.class).is_none_or(|count| *count < most.in_all);
            room.then_some(((head.priority, busy, head.run_at), lane))
        });
        let Some((_, lane)) = heads.min() else { break };
        let lane = lane.clone();
        if let Some(candidate) = waiting.get_mut(&lane).and_then(Vec::pop) {
            *of_class.entry(candidate.class).or_default() += 1;
            chosen.push(candidate.id);
        }
        *busy.entry(lane).or_default() += 1;
    }
    chosen
}

/// Takes the leases on these jobs, but for those that another was faster to take.
async fn lease(tx: &mut Tx<'_>, owner: &str, ids: &[String]) -> Result<Vec<Job>> {
    if ids.is_empty() {
        return Ok(vec![]);
    }
    let now = tx.now();
    let until = now.saturating_add(LEASE).unwrap_or(Timestamp::MAX);
    let mut values: Vec<Value> = params![now, until, tx.ambient.id(), owner].to_vec();
    values.extend(ids.iter().map(Value::from));
    let places: Vec<String> = (5..=values.len()).map(|place| format!("${place}")).collect();
    // The condition makes two claimers safe on a database that runs them side by side: the second sees the first's lease.
    let sql = format!(
        "UPDATE job SET lease_until = $2, lease_token = $3, lease_owner = $4, times_leased = times_leased + 1, asked_again = 0
         WHERE {FREE} AND id IN ({})
         RETURNING id, kind, subject, lane, lease_token, times_leased, times_failed",
        places.join(", ")
    );
    let rows = tx.query(&sql, &values).await?;
    let mut jobs = rows.iter().map(job).collect::<Result<Vec<_>>>()?;
    // RETURNING promises no order.
    jobs.sort_by_key(|job| ids.iter().position(|id| *id == job.id));
    Ok(jobs)
}

fn job(row: &Row) -> Result<Job> {
    Ok(Job {
        id: row.get("id")?,
        kind: row.get("kind")?,
        subject: row.get("subject")?,
        lane: row.get("lane")?,
        token: row.get("lease_token")?,
        times_leased: row.get("times_leased")?,
        times_failed: row.get("times_failed")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which lanes get a turn, in order, where each has so many jobs waiting and under way.
    fn turns(lanes: &[(&str, usize, usize)], limit: usize, most: fn(Class) -> Places) -> Vec<String> {
        let mut waiting = HashMap::new();
        for (lane, count, _) in lanes {
            let kind = lane.split('/').next().unwrap();
            let candidate = |number: usize| Candidate {
                id: (*lane).to_owned(),
                class: Class::of(kind),
                priority: crate::jobs::priority(kind),
                run_at: number as i64,
            };
            waiting.insert((*lane).to_owned(), (0..*count).rev().map(candidate).collect());
        }
        let busy = lanes.iter().map(|(lane, _, busy)| ((*lane).to_owned(), *busy)).collect();
        share(waiting, &Claim { owner: String::new(), kinds: vec![], limit, busy, most })
    }

    #[test]
    fn lanes_take_turns_within_their_kind_and_urgent_kinds_go_first() {
        let any: fn(Class) -> Places = |_| Places::ANY;
        let (a, b, c) = ("erasure/a", "erasure/b", "transfer/c");
        assert_eq!(turns(&[(a, 9, 0), (b, 1, 0), (c, 9, 0)], 4, any), [a, b, a, a]);
        assert_eq!(turns(&[(a, 9, 5), (b, 2, 0)], 4, any), [b, b, a, a], "what runs already counts");
        assert_eq!(turns(&[(a, 1, 0), (c, 2, 0)], 9, any), [a, c, c]);
    }

    #[test]
    fn no_lane_and_no_class_takes_more_places_than_it_may() {
        let some: fn(Class) -> Places = |class| match class {
            Class::Bulk => Places { in_all: 3, per_lane: 2 },
            _ => Places::ANY,
        };
        let (a, b) = ("transfer/a", "transfer/b");
        assert_eq!(turns(&[(a, 9, 0)], 9, some), [a, a]);
        assert_eq!(turns(&[(a, 9, 0), (b, 9, 0)], 9, some), [a, b, a]);
        assert_eq!(turns(&[(a, 9, 2), (b, 9, 0)], 9, some), [b]);
    }
}
