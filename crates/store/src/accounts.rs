//! Local accounts, who is signed in, and failed sign-ins.

use jiff::{SignedDuration, Timestamp};
use model::{Problem, Result, codes};

use crate::params;
use crate::tx::Tx;
use crate::value::Row;

/// What an account may do here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Grants clients access to its own data, and takes it back.
    Person,
    /// Sees the console too.
    Operator,
}

impl Role {
    /// Returns the word in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Operator => "operator",
        }
    }
}

impl std::str::FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "person" => Ok(Self::Person),
            "operator" => Ok(Self::Operator),
            other => Err(format!("{other:?} is not a role")),
        }
    }
}

/// A local account.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its id: what tokens and received items belong to.
    pub id: String,
    /// The name to sign in with.
    pub name: String,
    /// What it may do.
    pub role: Role,
}

fn account(row: &Row) -> Result<Account> {
    Ok(Account { id: row.get("id")?, name: row.get("name")?, role: row.parse("role")? })
}

/// Creates an account.
///
/// # Errors
/// `MO-4024` if there is one of this name.
pub async fn create(tx: &mut Tx<'_>, name: &str, role: Role, password_hash: Option<&str>) -> Result<Account> {
    let (id, now) = (tx.ambient.id(), tx.ambient.now());
    let made = tx
        .exec(
            "INSERT INTO account (id, name, role, password_hash, created_at) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (name) DO NOTHING",
            params![&id, name, role.name(), password_hash, now],
        )
        .await?;
    if made == 0 {
        return Err(Problem::new(&codes::landing::ACCOUNT_EXISTS, ""));
    }
    Ok(Account { id, name: name.to_owned(), role })
}

/// Returns the account of this name.
pub async fn find(tx: &mut Tx<'_>, name: &str) -> Result<Option<Account>> {
    let row = tx.query_opt("SELECT id, name, role FROM account WHERE name = $1", params![name]).await?;
    row.as_ref().map(account).transpose()
}

/// Returns the account of this id.
pub async fn get(tx: &mut Tx<'_>, id: &str) -> Result<Option<Account>> {
    let row = tx.query_opt("SELECT id, name, role FROM account WHERE id = $1", params![id]).await?;
    row.as_ref().map(account).transpose()
}

/// Returns every account, by name.
pub async fn list(tx: &mut Tx<'_>) -> Result<Vec<Account>> {
    let rows = tx.query("SELECT id, name, role FROM account ORDER BY name", params![]).await?;
    rows.iter().map(account).collect()
}

/// Returns the account of this name with the hash of its password, if it has one.
pub async fn with_password(tx: &mut Tx<'_>, name: &str) -> Result<Option<(Account, Option<String>)>> {
    let row = tx.query_opt("SELECT id, name, role, password_hash FROM account WHERE name = $1", params![name]).await?;
    row.map(|row| Ok((account(&row)?, row.get("password_hash")?))).transpose()
}

/// Sets password and role of an account, and signs it out everywhere.
pub async fn reset(tx: &mut Tx<'_>, id: &str, role: Role, password_hash: &str) -> Result<()> {
    tx.exec("UPDATE account SET password_hash = $2, role = $3 WHERE id = $1", params![id, password_hash, role.name()])
        .await?;
    tx.exec("DELETE FROM session WHERE account = $1", params![id]).await?;
    Ok(())
}

/// Tells whether somebody can sign in as an operator.
pub async fn has_operator(tx: &mut Tx<'_>) -> Result<bool> {
    let rows = tx
        .query(
            "SELECT 1 AS found FROM account WHERE role = $1 AND password_hash IS NOT NULL LIMIT 1",
            params![Role::Operator.name()],
        )
        .await?;
    Ok(!rows.is_empty())
}

/// Signs an account in: `digest` is that of what the cookie holds.
pub async fn sign_in(tx: &mut Tx<'_>, digest: &[u8; 32], account: &str, for_how_long: SignedDuration) -> Result<()> {
    let now = tx.ambient.now();
    tx.exec("DELETE FROM session WHERE expires_at <= $1", params![now]).await?;
    tx.exec(
        "INSERT INTO session (digest, account, created_at, expires_at) VALUES ($1, $2, $3, $4)",
        params![&digest[..], account, now, later(now, for_how_long)],
    )
    .await?;
    Ok(())
}

/// Returns who is signed in with the cookie of this digest.
pub async fn signed_in(tx: &mut Tx<'_>, digest: &[u8; 32]) -> Result<Option<Account>> {
    let now = tx.ambient.now();
    let row = tx
        .query_opt(
            "SELECT a.id, a.name, a.role FROM session s JOIN account a ON a.id = s.account \
             WHERE s.digest = $1 AND s.expires_at > $2",
            params![&digest[..], now],
        )
        .await?;
    row.as_ref().map(account).transpose()
}

/// Signs out.
pub async fn sign_out(tx: &mut Tx<'_>, digest: &[u8; 32]) -> Result<()> {
    tx.exec("DELETE FROM session WHERE digest = $1", params![&digest[..]]).await?;
    Ok(())
}

/// Returns how often signing in failed in the current window of `digest`, and when the window ends.
pub async fn failures(tx: &mut Tx<'_>, digest: &[u8; 32]) -> Result<Option<(u64, Timestamp)>> {
    let now = tx.ambient.now();
    let row = tx
        .query_opt(
            "SELECT failures, expires_at FROM login_attempt WHERE digest = $1 AND expires_at > $2",
            params![&digest[..], now],
        )
        .await?;
    row.map(|row| Ok((row.get("failures")?, row.get("expires_at")?))).transpose()
}

/// Counts a failed sign-in; the first opens a window.
pub async fn count_failure(tx: &mut Tx<'_>, digest: &[u8; 32], window: SignedDuration) -> Result<()> {
    let now = tx.ambient.now();
    tx.exec("DELETE FROM login_attempt WHERE expires_at <= $1", params![now]).await?;
    tx.exec(
        "INSERT INTO login_attempt (digest, failures, expires_at) VALUES ($1, 1, $2) \
         ON CONFLICT (digest) DO UPDATE SET failures = login_attempt.failures + 1",
        params![&digest[..], later(now, window)],
    )
    .await?;
    Ok(())
}

/// Takes back one counted failure: the attempt succeeded.
pub async fn uncount_failure(tx: &mut Tx<'_>, digest: &[u8; 32]) -> Result<()> {
    tx.exec(
        "UPDATE login_attempt SET failures = failures - 1 WHERE digest = $1 AND failures > 0",
        params![&digest[..]],
    )
    .await?;
    Ok(())
}

/// Forgets failed sign-ins after one that succeeded.
pub async fn forget_failures(tx: &mut Tx<'_>, digest: &[u8; 32]) -> Result<()> {
    tx.exec("DELETE FROM login_attempt WHERE digest = $1", params![&digest[..]]).await?;
    Ok(())
}

/// Adds a duration to an instant; the end of time is late enough.
pub(crate) fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.saturating_add(by).unwrap_or(Timestamp::MAX)
}
