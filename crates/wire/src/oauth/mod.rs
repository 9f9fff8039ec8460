//! OAuth 2 messages: what clients send to our authorization server and what it answers.
//!
//! RFC 6749 (framework), 7636 (PKCE), 7009 (revocation), 7662 (introspection), 8252 (native apps), 8414 (metadata),
//! 9207 (issuer identification) and the advice of RFC 9700. Nothing here decides: it reads, compares and writes.

mod client;
mod messages;
mod params;
mod pkce;
mod redirect;
mod scopes;

pub use client::{Credentials, Method};
pub use messages::{
    AuthorizationRequest, Introspection, Metadata, TokenHint, TokenRequest, TokenResponse, TokenSubject,
};
pub use params::Params;
pub use pkce::{Challenge, Verifier};
pub use redirect::{error_redirect, success_redirect, uri_matches};
pub use scopes::{KNOWN_SCOPES, Scopes, scope_in_words};
