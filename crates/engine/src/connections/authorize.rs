//! The authorization endpoint: what a client asks of a person, and what comes of the answer (RFC 6749 §4.1.1 and §4.1.2).

use jiff::SignedDuration;
use model::{Problem, Result, codes};
use store::oauth::{self, Client};
use wire::oauth::{AuthorizationRequest, Challenge, Params, Scopes, error_redirect, success_redirect, uri_matches};

use super::tokens::fresh_secret;
use crate::Engine;

/// For how long a code is good: a redirect and one request of the client's server.
const CODE_TTL: SignedDuration = SignedDuration::from_secs(60);

/// A well-formed request of a known client, ready to be shown to a person.
pub struct Asked {
    /// Who asks.
    pub client: Client,
    /// Where the browser goes with the answer.
    pub redirect_uri: String,
    /// What is asked for.
    pub scopes: Scopes,
    redirect_named: bool,
    state: Option<String>,
    challenge: Option<Challenge>,
}

/// Why a request is not shown to a person.
pub enum Refusal {
    /// The person is told, and nobody is redirected: the client or its redirect URI is not known (RFC 6749 §4.1.2.1).
    Page(Problem),
    /// The browser goes back to the client with an error.
    Redirect(String),
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Page(problem)
    }
}

/// Judges an authorization request.
///
/// # Errors
/// A [`Refusal`], which says who is told.
pub async fn judge_request(engine: &Engine, params: &Params) -> Result<Asked, Refusal> {
    let id = params.require("client_id")?.to_owned();
    let client = engine.store.read("oauth.client", move |tx| Box::pin(async move { oauth::client(tx, &id).await }));
    let client = client.await?.ok_or_else(|| Problem::new(&codes::landing::CLIENT_UNKNOWN, ""))?;
    let presented = params.get("redirect_uri")?;
    let redirect_uri = redirect_uri(&client, presented)?;
    let state = params.get("state")?.map(str::to_owned);
    match scopes_and_challenge(&client, params) {
        Ok(AuthorizationRequest { scopes, challenge }) => {
            Ok(Asked { client, redirect_uri, redirect_named: presented.is_some(), state, scopes, challenge })
        }
        Err(problem) => {
            Err(Refusal::Redirect(error_redirect(&redirect_uri, &problem, state.as_deref(), issuer(engine))?))
        }
    }
}

/// Returns where the browser may be sent: a registered URI, or the only one if the client named none.
fn redirect_uri(client: &Client, presented: Option<&str>) -> Result<String> {
    let mismatch = |detail: &str| Problem::new(&codes::landing::REDIRECT_MISMATCH, detail);
    let public = client.secret_digest.is_none();
    match (presented, client.redirect_uris.as_slice()) {
        (Some(presented), registered) if registered.iter().any(|uri| uri_matches(uri, presented, public)) => {
            Ok(presented.to_owned())
        }
        (Some(_), _) => Err(mismatch("nobody was redirected")),
        (None, [only]) => Ok(only.clone()),
        (None, _) => Err(mismatch("the client must name one of its redirect URIs")),
    }
}

/// Judges what may be told to the client.
fn scopes_and_challenge(client: &Client, params: &Params) -> Result<AuthorizationRequest> {
    let mut request = AuthorizationRequest::parse(params)?;
    if client.pkce_required && request.challenge.is_none() {
        return Err(Problem::new(&codes::landing::PKCE_REQUIRED, "there is no code_challenge"));
    }
    let allowed: Scopes = client.scopes.iter().map(String::as_str).collect();
    if request.scopes.is_empty() {
        request.scopes = allowed.clone();
    }
    if request.scopes.is_empty() || !request.scopes.within(&allowed) {
        return Err(Problem::new(&codes::landing::SCOPE_INVALID, "the client may not ask for all of these scopes"));
    }
    Ok(request)
}

/// Records that a person said yes to some or all of what was asked, and returns where the browser goes with the code.
///
/// # Errors
/// `MO-4013` if nothing, or more than was asked, is granted.
pub async fn consent(engine: &Engine, account: &str, asked: Asked, granted: Scopes) -> Result<String> {
    if granted.is_empty() || !granted.within(&asked.scopes) {
        return Err(Problem::new(
            &codes::landing::SCOPE_INVALID,
            "grant at least one of the scopes that were asked for",
        ));
    }
    let (text, digest) = fresh_secret(engine);
    let code = oauth::Code {
        client: asked.client.id,
        account: account.to_owned(),
        redirect_uri: asked.redirect_uri.clone(),
        redirect_named: asked.redirect_named,
        challenge: asked.challenge.map(|challenge| challenge.as_str().to_owned()),
        scopes: granted.to_string(),
    };
    let put = engine
        .store
        .write("oauth.code", move |tx| Box::pin(async move { oauth::put_code(tx, &digest, &code, CODE_TTL).await }));
    put.await?;
    success_redirect(&asked.redirect_uri, &text, asked.state.as_deref(), issuer(engine))
}

/// Returns where the browser goes when the person said no.
///
/// # Errors
/// `MO-4012` if the registered URI is no URL.
pub fn refuse(engine: &Engine, asked: &Asked) -> Result<String> {
    let problem = Problem::new(&codes::landing::CONSENT_REFUSED, "");
    error_redirect(&asked.redirect_uri, &problem, asked.state.as_deref(), issuer(engine))
}

/// Returns the issuer: our public URL.
fn issuer(engine: &Engine) -> &str {
    &engine.settings.public_url
}
