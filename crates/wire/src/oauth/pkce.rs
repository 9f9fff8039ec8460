//! Proof Key for Code Exchange with S256 (RFC 7636); `plain` is not taken (RFC 9700 §2.1.1).

use data_encoding::BASE64URL_NOPAD;
use model::{Problem, Result, codes};

use super::params::malformed;

/// The challenge that an authorization request carries: base64url of a SHA-256.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge(String);

impl Challenge {
    /// Reads `code_challenge` and `code_challenge_method`.
    ///
    /// # Errors
    /// `MO-4015` if the method is another than S256; `MO-4021` if the challenge is not 43 characters of base64url.
    pub fn parse(challenge: &str, method: Option<&str>) -> Result<Self> {
        // A missing method means `plain` (RFC 7636 §4.3), which we do not take.
        if method != Some("S256") {
            return Err(Problem::new(&codes::landing::PKCE_REQUIRED, "code_challenge_method is not S256"));
        }
        let decoded = BASE64URL_NOPAD.decode(challenge.as_bytes()).ok();
        if decoded.is_none_or(|digest| digest.len() != 32) {
            return Err(malformed("code_challenge is not the base64url of a SHA-256"));
        }
        Ok(Self(challenge.to_owned()))
    }

    /// Restores a challenge from the text that [`Self::as_str`] gave.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// Returns its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The verifier that a token request carries.
pub struct Verifier(zeroize::Zeroizing<String>);

impl Verifier {
    /// Reads `code_verifier`: 43 to 128 unreserved characters (RFC 7636 §4.1).
    ///
    /// # Errors
    /// `MO-4021` if it has another form.
    pub fn parse(text: &str) -> Result<Self> {
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if !(43..=128).contains(&text.len()) || !text.bytes().all(unreserved) {
            return Err(malformed("code_verifier is not 43 to 128 unreserved characters"));
        }
        Ok(Self(zeroize::Zeroizing::new(text.to_owned())))
    }

    /// Tells whether this is what the challenge was made from.
    pub fn fits(&self, challenge: &Challenge) -> bool {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, self.0.as_bytes());
        let made = BASE64URL_NOPAD.encode(digest.as_ref());
        aws_lc_rs::constant_time::verify_slices_are_equal(made.as_bytes(), challenge.0.as_bytes()).is_ok()
    }
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Verifier")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_7636_appendix_b_fits_and_nothing_else_does() {
        let verifier = Verifier::parse("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").unwrap();
        let challenge = Challenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", Some("S256")).unwrap();
        assert!(verifier.fits(&challenge));
        assert!(!Verifier::parse(&"a".repeat(43)).unwrap().fits(&challenge));
        for (text, method) in [(challenge.as_str(), None), (challenge.as_str(), Some("plain")), ("short", Some("S256"))]
        {
            assert!(Challenge::parse(text, method).is_err(), "{text} {method:?}");
        }
        for text in ["a".repeat(42), "a".repeat(129), format!("{} ", "a".repeat(43))] {
            assert!(Verifier::parse(&text).is_err(), "{text}");
        }
    }
}
