//! How a client says who it is at the token, revocation and introspection endpoints (RFC 6749 §2.3).

use data_encoding::BASE64;
use model::{Problem, Result, codes};
use percent_encoding::percent_decode_str;
use zeroize::Zeroizing;

use super::params::{Params, malformed};

/// How a client authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// HTTP Basic.
    Basic,
    /// `client_id` and `client_secret` in the body.
    Post,
    /// `client_id` alone: a public client.
    None,
}

/// What a client presented.
pub struct Credentials {
    /// Its id.
    pub client_id: String,
    /// Its secret, unless it is public.
    pub secret: Option<Zeroizing<String>>,
    /// How it was presented.
    pub method: Method,
}

impl Credentials {
    /// Reads the credentials from the `Authorization` header or the body, never from both.
    ///
    /// # Errors
    /// `MO-4021` if both are there, `MO-4009` if there are none or they cannot be read.
    pub fn read(authorization: Option<&str>, params: &Params) -> Result<Self> {
        let (id, secret) = (params.get("client_id")?, params.get("client_secret")?);
        let Some(header) = authorization else {
            let id = id.ok_or_else(|| Problem::new(&codes::landing::CLIENT_INVALID, "no client_id was sent"))?;
            let method = if secret.is_some() { Method::Post } else { Method::None };
            return Ok(Self {
                client_id: id.to_owned(),
                secret: secret.map(|secret| Zeroizing::new(secret.to_owned())),
                method,
            });
        };
        if secret.is_some() {
            return Err(malformed("the client authenticates in the header and in the body; it must choose one"));
        }
        let unreadable = || Problem::new(&codes::landing::CLIENT_INVALID, "the Authorization header is not HTTP Basic");
        let (scheme, encoded) = header.split_once(' ').ok_or_else(unreadable)?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return Err(unreadable());
        }
        let bytes = Zeroizing::new(BASE64.decode(encoded.trim().as_bytes()).map_err(|_| unreadable())?);
        let text = std::str::from_utf8(&bytes).map_err(|_| unreadable())?;
        let (name, password) = text.split_once(':').ok_or_else(unreadable)?;
        let client_id = form_decode(name).ok_or_else(unreadable)?;
        if id.is_some_and(|id| id != client_id) {
            return Err(malformed("the header and the body name different clients"));
        }
        let secret = Zeroizing::new(form_decode(password).ok_or_else(unreadable)?);
        Ok(Self { client_id, secret: Some(secret).filter(|secret| !secret.is_empty()), method: Method::Basic })
    }
}

/// Both halves of Basic are form-encoded first (RFC 6749 §2.3.1).
fn form_decode(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("client_id", &self.client_id)
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_says_who_it_is_in_one_way() {
        let empty = Params::parse("").unwrap();
        let header = format!("Basic {}", BASE64.encode(b"an+id:s%3Acret%2B"));
        let read = Credentials::read(Some(&header), &empty).unwrap();
        assert_eq!((read.client_id.as_str(), read.secret.unwrap().as_str()), ("an id", "s:cret+"));

        let both = Params::parse("client_id=an+id&client_secret=x").unwrap();
        assert!(Credentials::read(Some(&header), &both).unwrap_err().is(&codes::landing::OAUTH_REQUEST_MALFORMED));
        let other = Params::parse("client_id=other").unwrap();
        assert!(Credentials::read(Some(&header), &other).is_err());
        assert_eq!(Credentials::read(None, &both).unwrap().method, Method::Post);
        assert!(Credentials::read(None, &empty).unwrap_err().is(&codes::landing::CLIENT_INVALID));
        for broken in ["Basic", "Basic !", "Bearer abc", "Basic YWJj"] {
            assert!(
                Credentials::read(Some(broken), &empty).unwrap_err().is(&codes::landing::CLIENT_INVALID),
                "{broken}"
            );
        }
    }
}
