//! Taking back what was granted, by the person or the client, and telling what a token stands for.

use model::{Problem, Result, codes};
use store::oauth::{self, Client, Connection, Kind, RevokedBy};
use wire::oauth::Introspection;

use super::exchange::{Standing, standing};
use super::tokens::digest;
use crate::Engine;

/// Revokes a token of this client: a refresh token with all that came of its grant, an access token alone (RFC 7009 §2.1).
/// A token that is unknown, or another client's, is none of its business and no error (§2.2).
///
/// # Errors
/// Only those of the store.
pub async fn revoke_token(engine: &Engine, client: &Client, token: &str) -> Result<()> {
    let Some(digest) = digest(engine.store.vault(), token) else { return Ok(()) };
    let client = client.id.clone();
    let revoke = engine.store.write("oauth.revoke", move |tx| {
        Box::pin(async move {
            let found = oauth::find_token(tx, &digest).await?;
            match found.filter(|token| token.client.as_deref() == Some(client.as_str())) {
                Some(token) if token.kind == Kind::Refresh => {
                    oauth::revoke_grant(tx, &token.grant, RevokedBy::Client).await
                }
                Some(_) => oauth::delete_token(tx, &digest).await,
                None => Ok(()),
            }
        })
    });
    revoke.await
}

/// Tells what a token of this client stands for; of any other only that it is not active (RFC 7662 §2.2, §4).
///
/// # Errors
/// `MO-4009` if the client is public: introspection wants an authenticated one.
pub async fn introspect(engine: &Engine, client: &Client, token: &str) -> Result<Introspection> {
    if client.secret_digest.is_none() {
        return Err(Problem::new(&codes::landing::CLIENT_INVALID, "introspection is for clients with a secret"));
    }
    let Some(digest) = digest(engine.store.vault(), token) else { return Ok(Introspection::default()) };
    let id = client.id.clone();
    let look = engine.store.read("oauth.introspect", move |tx| {
        Box::pin(async move {
            let found = oauth::find_token(tx, &digest).await?;
            let Some(token) = found.filter(|token| token.client.as_deref() == Some(id.as_str())) else {
                return Ok(None);
            };
            let grant = oauth::grant(tx, &token.grant).await?.filter(|grant| grant.revoked_by.is_none());
            let now = tx.ambient.now();
            let good = grant.is_some_and(|grant| {
                token.kind == Kind::Access || standing(&grant, token.generation, &digest, now) != Standing::Stale
            });
            Ok(good.then_some(token))
        })
    });
    let Some(token) = look.await? else { return Ok(Introspection::default()) };
    Ok(Introspection {
        active: true,
        scope: Some(token.scopes),
        client_id: token.client,
        sub: Some(token.account),
        token_type: (token.kind == Kind::Access).then(|| "Bearer".to_owned()),
        exp: Some(token.expires_at.as_second()),
        iat: Some(token.created_at.as_second()),
        iss: Some(engine.settings.public_url.clone()),
    })
}

/// Returns what an account has granted and not taken back, newest first.
///
/// # Errors
/// Only those of the store.
pub async fn connections(engine: &Engine, account: &str) -> Result<Vec<Connection>> {
    let account = account.to_owned();
    let list = engine
        .store
        .read("oauth.connections", move |tx| Box::pin(async move { oauth::connections(tx, &account).await }));
    list.await
}

/// Takes a grant of this account back; the next refresh tells the client that the person did.
///
/// # Errors
/// `MO-1012` if this account has no such grant.
pub async fn withdraw(engine: &Engine, account: &str, grant: &str) -> Result<()> {
    let (account, grant) = (account.to_owned(), grant.to_owned());
    let withdraw = engine.store.write("oauth.withdraw", move |tx| {
        Box::pin(async move {
            match oauth::grant(tx, &grant).await?.filter(|found| found.account == account) {
                Some(found) => oauth::revoke_grant(tx, &found.id, RevokedBy::Person).await,
                None => Err(Problem::new(&codes::door::NOT_FOUND, "")),
            }
        })
    });
    withdraw.await
}
