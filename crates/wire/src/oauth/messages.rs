//! Requests and answers of the endpoints.

use model::{Problem, Result, codes};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::params::Params;
use super::pkce::{Challenge, Verifier};
use super::scopes::{KNOWN_SCOPES, Scopes};

/// What a client asks of a person (RFC 6749 §4.1.1), behind its client id and redirect URI, which are judged first.
#[derive(Debug)]
pub struct AuthorizationRequest {
    /// The scopes asked for; empty if the client named none.
    pub scopes: Scopes,
    /// The PKCE challenge.
    pub challenge: Option<Challenge>,
}

impl AuthorizationRequest {
    /// Reads the parameters whose errors may be sent to the (already verified) redirect URI.
    ///
    /// # Errors
    /// `MO-4014`, `MO-4013`, `MO-4015` or `MO-4021`.
    pub fn parse(params: &Params) -> Result<Self> {
        if params.require("response_type")? != "code" {
            return Err(Problem::new(&codes::landing::RESPONSE_TYPE_UNSUPPORTED, ""));
        }
        let challenge = match (params.get("code_challenge")?, params.get("code_challenge_method")?) {
            (Some(challenge), method) => Some(Challenge::parse(challenge, method)?),
            (None, Some(_)) => {
                return Err(Problem::new(&codes::landing::PKCE_REQUIRED, "there is a method and no code_challenge"));
            }
            (None, None) => None,
        };
        Ok(Self { scopes: params.get("scope")?.unwrap_or_default().parse()?, challenge })
    }
}

/// What a client wants from the token endpoint.
#[derive(Debug)]
pub enum TokenRequest {
    /// Tokens for a code (RFC 6749 §4.1.3).
    Code {
        /// The code.
        code: TokenSubject,
        /// The redirect URI of the authorization request, if it is repeated.
        redirect_uri: Option<String>,
        /// The PKCE verifier.
        verifier: Option<Verifier>,
    },
    /// New tokens for a refresh token (RFC 6749 §6).
    Refresh {
        /// The refresh token.
        token: TokenSubject,
        /// Fewer scopes than before, if the client wants.
        scopes: Option<Scopes>,
    },
}

impl TokenRequest {
    /// Reads a token request.
    ///
    /// # Errors
    /// `MO-4011` for another grant type, else `MO-4021` or `MO-4013`.
    pub fn parse(params: &Params) -> Result<Self> {
        let secret = |text: &str| TokenSubject(Zeroizing::new(text.to_owned()));
        match params.require("grant_type")? {
            "authorization_code" => Ok(Self::Code {
                code: secret(params.require("code")?),
                redirect_uri: params.get("redirect_uri")?.map(str::to_owned),
                verifier: params.get("code_verifier")?.map(Verifier::parse).transpose()?,
            }),
            "refresh_token" => Ok(Self::Refresh {
                token: secret(params.require("refresh_token")?),
                scopes: params.get("scope")?.map(str::parse).transpose()?,
            }),
            _ => Err(Problem::new(&codes::landing::GRANT_UNSUPPORTED, "")),
        }
    }
}

/// A code or token that a request is about; `Debug` hides it.
pub struct TokenSubject(pub Zeroizing<String>);

impl TokenSubject {
    /// Reads the `token` of a revocation (RFC 7009 §2.1) or introspection (RFC 7662 §2.1) request.
    ///
    /// # Errors
    /// `MO-4021` if it is missing.
    pub fn parse(params: &Params) -> Result<Self> {
        Ok(Self(Zeroizing::new(params.require("token")?.to_owned())))
    }
}

impl std::fmt::Debug for TokenSubject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// Which kind of token something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenHint {
    /// An access token.
    AccessToken,
    /// A refresh token.
    RefreshToken,
}

/// The answer of the token endpoint (RFC 6749 §5.1).
#[derive(Serialize, Deserialize)]
pub struct TokenResponse {
    /// The access token: opaque, 256 random bits.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: String,
    /// For how many seconds the access token is good.
    pub expires_in: u64,
    /// The refresh token: a new one each time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// The scopes granted.
    pub scope: String,
}

/// The answer of the introspection endpoint (RFC 7662 §2.2); an inactive token has no other member.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Introspection {
    /// Whether the token is good.
    pub active: bool,
    /// Its scopes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The client it was issued to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The account it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// `Bearer` for an access token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_type: Option<String>,
    /// When it ends, in seconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
    /// When it was issued, in seconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iat: Option<i64>,
    /// Who issued it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
}

/// What the server says of itself (RFC 8414 §2).
#[derive(Debug, Serialize, Deserialize)]
pub struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    revocation_endpoint: String,
    introspection_endpoint: String,
    scopes_supported: Vec<String>,
    response_types_supported: Vec<String>,
    response_modes_supported: Vec<String>,
    grant_types_supported: Vec<String>,
    token_endpoint_auth_methods_supported: Vec<String>,
    revocation_endpoint_auth_methods_supported: Vec<String>,
    introspection_endpoint_auth_methods_supported: Vec<String>,
    code_challenge_methods_supported: Vec<String>,
    authorization_response_iss_parameter_supported: bool,
}

impl Metadata {
    /// Describes the server at `issuer`, an absolute URL without a slash at the end.
    pub fn of(issuer: &str) -> Self {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let confidential = ["client_secret_basic", "client_secret_post"];
        Self {
            issuer: issuer.to_owned(),
            authorization_endpoint: format!("{issuer}/oauth/authorize"),
            token_endpoint: format!("{issuer}/oauth/token"),
            revocation_endpoint: format!("{issuer}/oauth/revoke"),
            introspection_endpoint: format!("{issuer}/oauth/introspect"),
            scopes_supported: KNOWN_SCOPES.iter().map(|(name, _)| (*name).to_owned()).collect(),
            response_types_supported: words(&["code"]),
            response_modes_supported: words(&["query"]),
            grant_types_supported: words(&["authorization_code", "refresh_token"]),
            token_endpoint_auth_methods_supported: words(&[confidential[0], confidential[1], "none"]),
            revocation_endpoint_auth_methods_supported: words(&[confidential[0], confidential[1], "none"]),
            introspection_endpoint_auth_methods_supported: words(&confidential),
            code_challenge_methods_supported: words(&["S256"]),
            authorization_response_iss_parameter_supported: true,
        }
    }
}
