//! Tokens: opaque, 256 random bits, kept as keyed digests only.

use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use jiff::SignedDuration;
use model::{Ambient, Problem, Result, codes};
use serde::Serialize;
use store::oauth::{self, Digest, Kind};
use store::{Tx, Vault};
use wire::oauth::Scopes;

use super::accounts::ensure_account;
use crate::Engine;

/// How long the text of a code or token of ours is.
const SECRET_LENGTH: usize = 43;
/// A used token's row is written at most this often, so that checking one stays a read.
const USE_NOTED_EVERY: SignedDuration = SignedDuration::from_hours(1);
/// The longest life of a token that an operator mints.
const LONGEST_TTL: SignedDuration = SignedDuration::from_hours(24 * 366);

/// What a valid access token stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The id of the account whose data it is about.
    pub account: String,
    /// The client it was issued to; `None` if an operator minted it.
    pub client: Option<String>,
    /// What it allows.
    pub scopes: Scopes,
}

/// Checks an access token for one scope: one indexed read.
///
/// # Errors
/// `MO-4001` if the token is unknown, expired or revoked; `MO-4002` if it lacks the scope.
pub async fn authorize_bearer(engine: &Engine, token: &str, scope: &str) -> Result<Grant> {
    let invalid = || Problem::new(&codes::landing::TOKEN_INVALID, "");
    let digest = digest(engine.store.vault(), token).ok_or_else(invalid)?;
    let found =
        engine.store.read("token.check", move |tx| Box::pin(async move { oauth::find_token(tx, &digest).await }));
    let token = found.await?.filter(|token| token.kind == Kind::Access).ok_or_else(invalid)?;
    let scopes = Scopes::from_str(&token.scopes)?;
    if !scopes.contains(scope) {
        return Err(Problem::new(&codes::landing::SCOPE_INSUFFICIENT, format!("the scope {scope} is needed")));
    }
    let now = engine.ambient.now();
    if token.used_at.is_none_or(|used| now.duration_since(used) >= USE_NOTED_EVERY) {
        let note =
            engine.store.write("token.use", move |tx| Box::pin(async move { oauth::touch_token(tx, &digest).await }));
        note.await?;
    }
    Ok(Grant { account: token.account, client: token.client, scopes })
}

/// A token that an operator minted (`moveout token issue --json`).
#[derive(Serialize)]
pub struct Issued {
    /// The token.
    pub access_token: String,
    /// For how many seconds it is good.
    pub expires_in: i64,
    /// Whether the account was made for it, without a password.
    pub account_created: bool,
}

/// Mints an access token for an account by its name, for scripts and tests. An unknown account is made, without a password.
///
/// # Errors
/// `MO-4013` if there is no scope, `MO-4026` if the name cannot be used, `MO-7008` if the time is not positive or over a year.
pub async fn issue_token(engine: &Engine, account: &str, scopes: &Scopes, ttl: SignedDuration) -> Result<Issued> {
    if scopes.is_empty() {
        return Err(Problem::new(&codes::landing::SCOPE_INVALID, "name at least one scope"));
    }
    if !ttl.is_positive() || ttl > LONGEST_TTL {
        return Err(Problem::new(&codes::config::USAGE, "a token lives between one second and 366 days"));
    }
    let (account, account_created) = ensure_account(engine, account).await?;
    let (access_token, digest) = fresh_secret(engine);
    let scopes = scopes.to_string();
    engine
        .store
        .write("token.issue", move |tx| {
            Box::pin(async move {
                let grant = oauth::create_grant(tx, &account.id, None, &scopes).await?;
                let new =
                    New { kind: Kind::Access, grant: &grant, account: &account.id, client: None, scopes: &scopes };
                new.put(tx, &digest, 0, ttl).await
            })
        })
        .await?;
    Ok(Issued { access_token, expires_in: ttl.as_secs(), account_created })
}

/// A token about to be kept.
pub(super) struct New<'a> {
    pub(super) kind: Kind,
    pub(super) grant: &'a str,
    pub(super) account: &'a str,
    pub(super) client: Option<&'a str>,
    pub(super) scopes: &'a str,
}

impl New<'_> {
    /// Keeps it under the digest of its text.
    pub(super) async fn put(
        self,
        tx: &mut Tx<'_>,
        digest: &Digest,
        generation: u64,
        ttl: SignedDuration,
    ) -> Result<()> {
        let created_at = tx.ambient.now();
        let token = oauth::Token {
            kind: self.kind,
            grant: self.grant.to_owned(),
            account: self.account.to_owned(),
            client: self.client.map(str::to_owned),
            scopes: self.scopes.to_owned(),
            generation,
            created_at,
            expires_at: created_at.saturating_add(ttl).unwrap_or(created_at),
            used_at: None,
        };
        oauth::put_token(tx, digest, &token).await
    }
}

/// Makes a code or token of 256 random bits, and its digest.
pub(super) fn fresh_secret(engine: &Engine) -> (String, Digest) {
    let text = random_text(&engine.ambient);
    let digest = engine.store.vault().digest("oauth-secret", text.as_bytes());
    (text, digest)
}

/// Returns 256 random bits as text.
pub(super) fn random_text(ambient: &Ambient) -> String {
    BASE64URL_NOPAD.encode(&ambient.random::<32>())
}

/// Returns the digest of a presented code or token; `None` if it cannot be one of ours.
pub(super) fn digest(vault: &Vault, text: &str) -> Option<Digest> {
    (text.len() == SECRET_LENGTH).then(|| vault.digest("oauth-secret", text.as_bytes()))
}
