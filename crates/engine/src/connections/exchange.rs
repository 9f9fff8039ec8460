//! The token endpoint: tokens for a code, and new tokens for a refresh token (RFC 6749 §4.1.3, §6; RFC 9700 §4.14).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use jiff::{SignedDuration, Timestamp};
use model::{Code, Problem, Result, codes};
use store::Tx;
use store::oauth::{self, Client, Digest, FoundCode, Kind, RevokedBy};
use wire::oauth::{Challenge, Credentials, Scopes, TokenRequest, TokenResponse, Verifier};

use super::tokens::{New, digest, fresh_secret};
use crate::Engine;

/// How long an access token lives.
const ACCESS_TTL: SignedDuration = SignedDuration::from_hours(1);
/// How long a refresh token lives when it is not used.
const REFRESH_TTL: SignedDuration = SignedDuration::from_hours(24 * 180);
/// How long a refresh token may be used again when the answer with the new one was lost.
const GRACE: SignedDuration = SignedDuration::from_secs(60);

/// Finds out which client sent a request.
///
/// # Errors
/// `MO-4009` if it is unknown or its secret does not fit.
pub async fn authenticate(engine: &Engine, credentials: Credentials) -> Result<Client> {
    let invalid = |detail: &str| Problem::new(&codes::landing::CLIENT_INVALID, detail);
    let id = credentials.client_id.clone();
    let client = engine.store.read("oauth.client", move |tx| Box::pin(async move { oauth::client(tx, &id).await }));
    let client = client.await?.ok_or_else(|| invalid("no such client, or another secret"))?;
    match (&client.secret_digest, &credentials.secret) {
        (None, None) => Ok(client),
        (Some(kept), Some(secret)) => {
            let presented = engine.store.vault().digest("client-secret", secret.as_bytes());
            verify_slices_are_equal(kept, &presented)
                .map(|()| client)
                .map_err(|_| invalid("no such client, or another secret"))
        }
        (None, Some(_)) => Err(invalid("the client is public and has no secret")),
        (Some(_), None) => Err(invalid("the client must send its secret")),
    }
}

/// What an operation decided: tokens for these scopes, or a refusal whose effect (a revoked grant) is kept.
type Decision = std::result::Result<Scopes, &'static Code>;

/// The digests of the pair of tokens to be issued.
#[derive(Clone, Copy)]
struct Pair {
    access: Digest,
    refresh: Digest,
}

/// Answers a token request.
///
/// # Errors
/// `MO-4010` if code or refresh token is not valid, `MO-4013` for more scopes than granted, `MO-4019` if the person took it back.
pub async fn exchange(engine: &Engine, client: &Client, request: TokenRequest) -> Result<TokenResponse> {
    let (access_token, access) = fresh_secret(engine);
    let (refresh_token, refresh) = fresh_secret(engine);
    let pair = Pair { access, refresh };
    let refused = |code| Problem::new(code, "");
    let vault = engine.store.vault();
    let id = client.id.clone();
    let decision = match request {
        TokenRequest::Code { code, redirect_uri, verifier } => {
            let digest = digest(vault, &code.0).ok_or_else(|| refused(&codes::landing::GRANT_INVALID))?;
            let verifier = verifier.map(std::sync::Arc::new);
            let redeem = engine.store.write("oauth.code.use", move |tx| {
                Box::pin(
                    async move { redeem(tx, &id, &digest, redirect_uri.as_deref(), verifier.as_deref(), pair).await },
                )
            });
            redeem.await?
        }
        TokenRequest::Refresh { token, scopes } => {
            let digest = digest(vault, &token.0).ok_or_else(|| refused(&codes::landing::GRANT_INVALID))?;
            let renew = engine
                .store
                .write("oauth.refresh", move |tx| Box::pin(async move { renew(tx, &id, &digest, scopes, pair).await }));
            renew.await?
        }
    };
    let scopes = decision.map_err(refused)?;
    Ok(TokenResponse {
        access_token,
        token_type: "Bearer".to_owned(),
        expires_in: ACCESS_TTL.as_secs().unsigned_abs(),
        refresh_token: Some(refresh_token),
        scope: scopes.to_string(),
    })
}

/// Takes a code: once, by its client, with the redirect URI and verifier that belong to it.
async fn redeem(
    tx: &mut Tx<'_>,
    client: &str,
    digest: &Digest,
    redirect_uri: Option<&str>,
    verifier: Option<&Verifier>,
    pair: Pair,
) -> Result<Decision> {
    let Some(found) = oauth::code(tx, digest).await?.filter(|found| found.code.client == client) else {
        return Ok(Err(&codes::landing::GRANT_INVALID));
    };
    if let Some(grant) = &found.grant {
        // Somebody has the code who should not (RFC 6749 §10.5): what came of it ends.
        oauth::revoke_grant(tx, grant, RevokedBy::Reuse).await?;
        return Ok(Err(&codes::landing::GRANT_INVALID));
    }
    if !fits(&found, redirect_uri, verifier) {
        return Ok(Err(&codes::landing::GRANT_INVALID));
    }
    let oauth::Code { account, scopes, .. } = found.code;
    let grant = oauth::create_grant(tx, &account, Some(client), &scopes).await?;
    oauth::use_code(tx, digest, &grant).await?;
    let granted: Scopes = scopes.parse()?;
    issue(tx, &Holder { grant: &grant, account: &account, client, granted: &scopes }, &granted, 1, pair).await?;
    Ok(Ok(granted))
}

/// Tells whether a token request belongs to the authorization request that its code came of.
fn fits(found: &FoundCode, redirect_uri: Option<&str>, verifier: Option<&Verifier>) -> bool {
    let code = &found.code;
    let same_redirect = match redirect_uri {
        Some(uri) => uri == code.redirect_uri,
        None => !code.redirect_named,
    };
    // A verifier without a challenge means that somebody stripped the challenge (RFC 9700 §4.8.2).
    let proven = match (&code.challenge, verifier) {
        (Some(challenge), Some(verifier)) => verifier.fits(&Challenge::from_stored(challenge.clone())),
        (None, None) => true,
        _ => false,
    };
    !found.expired && same_redirect && proven
}

/// Takes a refresh token and rotates it.
async fn renew(tx: &mut Tx<'_>, client: &str, digest: &Digest, wanted: Option<Scopes>, pair: Pair) -> Result<Decision> {
    let token = oauth::find_token(tx, digest).await?;
    let token = token.filter(|token| token.kind == Kind::Refresh && token.client.as_deref() == Some(client));
    let Some(token) = token else { return Ok(Err(&codes::landing::GRANT_INVALID)) };
    let Some(grant) = oauth::grant(tx, &token.grant).await? else { return Ok(Err(&codes::landing::GRANT_INVALID)) };
    match grant.revoked_by {
        Some(RevokedBy::Person) => return Ok(Err(&codes::landing::SESSION_INVALIDATED)),
        Some(_) => return Ok(Err(&codes::landing::GRANT_INVALID)),
        None => {}
    }
    let granted: Scopes = grant.scopes.parse()?;
    let scopes = wanted.unwrap_or_else(|| granted.clone());
    match standing(&grant, token.generation, digest, tx.ambient.now()) {
        Standing::Stale => {
            oauth::revoke_grant(tx, &grant.id, RevokedBy::Reuse).await?;
            return Ok(Err(&codes::landing::GRANT_INVALID));
        }
        _ if scopes.is_empty() || !scopes.within(&granted) => return Ok(Err(&codes::landing::SCOPE_INVALID)),
        Standing::Newest => oauth::use_refresh(tx, &grant.id, token.generation, digest).await?,
        Standing::Repeated => {}
    }
    let holder = Holder { grant: &grant.id, account: &grant.account, client, granted: &grant.scopes };
    issue(tx, &holder, &scopes, token.generation + 1, pair).await?;
    Ok(Ok(scopes))
}

/// Where a refresh token stands among those of its grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Not used yet, and nor is any that came after it.
    Newest,
    /// Used last, a moment ago: the answer may have been lost.
    Repeated,
    /// One that came after it, or beside it, was used: two parties hold tokens of this grant.
    Stale,
}

/// Tells where a refresh token stands.
pub(super) fn standing(grant: &oauth::Grant, generation: u64, digest: &Digest, now: Timestamp) -> Standing {
    if generation > grant.refresh_generation {
        return Standing::Newest;
    }
    let used_last = generation == grant.refresh_generation
        && grant.refresh_used.as_deref().is_some_and(|used| verify_slices_are_equal(used, digest).is_ok());
    let lately = grant.refresh_used_at.is_some_and(|used| now.duration_since(used) <= GRACE);
    if used_last && lately { Standing::Repeated } else { Standing::Stale }
}

/// Whom tokens are issued to.
struct Holder<'a> {
    grant: &'a str,
    account: &'a str,
    client: &'a str,
    granted: &'a str,
}

/// Keeps a new pair: the access token with the scopes wanted, the refresh token with all that were granted.
async fn issue(tx: &mut Tx<'_>, holder: &Holder<'_>, scopes: &Scopes, generation: u64, pair: Pair) -> Result<()> {
    let &Holder { grant, account, client, granted } = holder;
    let scopes = scopes.to_string();
    let new = |kind, scopes| New { kind, grant, account, client: Some(client), scopes };
    new(Kind::Access, &scopes).put(tx, &pair.access, 0, ACCESS_TTL).await?;
    new(Kind::Refresh, granted).put(tx, &pair.refresh, generation, REFRESH_TTL).await
}
