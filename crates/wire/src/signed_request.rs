//! `signed_request`: how the platform says that a person asked for deletion, or removed the app.
//!
//! `base64url(HMAC-SHA256(app secret, payload text)) "." payload text`, where the payload text is base64url(JSON). The HMAC is over the
//! payload text exactly as received: some tools pad with `=`, and then the padding is signed too.
//! Nothing is parsed as JSON before the signature holds.

use aws_lc_rs::hmac;
use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use model::identity::MAX_VALUE;
use model::{Problem, Result, codes};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

/// The longest text we look at, in bytes; real ones have about 200.
pub const MAX_TEXT: usize = 32 * 1024;

const ALGORITHM: &str = "HMAC-SHA256";

/// An app secret: never empty, wiped when dropped, not shown.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes a secret.
    ///
    /// # Errors
    /// `MO-1011` if it is empty or blank: an empty secret would let everybody sign.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self> {
        let bytes = Zeroizing::new(bytes.into());
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Err(Problem::new(&codes::door::NO_SECRET, "the secret is empty"));
        }
        Ok(Self(bytes))
    }

    fn key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &self.0)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What a signed_request says. Personal data: `Debug` hides the person.
#[derive(Clone, PartialEq, Eq)]
pub struct Payload {
    /// The person, as the platform's app-scoped id: `user_id`, or `asid` for instant games. Always text, digit by digit as received.
    pub user_id: String,
    /// When it was signed.
    pub issued_at: Option<Timestamp>,
    /// Until when the person's token is valid; `None` also where the platform sends 0 (for ever).
    pub expires: Option<Timestamp>,
    /// The page, when a person removes the app from one.
    pub profile_id: Option<String>,
}

impl std::fmt::Debug for Payload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Payload").field("issued_at", &self.issued_at).finish_non_exhaustive()
    }
}

/// A payload whose signature holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// What was signed.
    pub payload: Payload,
    /// Which of the secrets signed it.
    pub secret_index: usize,
}

/// Checks the signature with each secret, and reads the payload if one matches.
///
/// # Errors
/// `MO-1011` without secrets, `MO-1002` for another form, `MO-1001` if no secret matches, and, only after the signature holds,
/// `MO-1003` for another algorithm, `MO-1004` if nobody is named.
pub fn verify(text: &str, secrets: &[Secret]) -> Result<Verified> {
    if secrets.is_empty() {
        return Err(Problem::new(&codes::door::NO_SECRET, "no secret is declared"));
    }
    if text.len() > MAX_TEXT {
        return Err(malformed(format!("it is longer than {MAX_TEXT} bytes")));
    }
    let (signature, payload) = text.split_once('.').ok_or_else(|| malformed("there is no '.' between its parts"))?;
    let signature = decode(signature).ok_or_else(|| malformed("the signature is not base64url"))?;
    let secret_index = secrets
        .iter()
        .position(|secret| hmac::verify(&secret.key(), payload.as_bytes(), &signature).is_ok())
        .ok_or_else(|| Problem::new(&codes::door::SIGNATURE_MISMATCH, "none of the app's secrets made it"))?;
    let json = decode(payload).ok_or_else(|| malformed("the payload is not base64url"))?;
    Ok(Verified { payload: read(&json)?, secret_index })
}

/// Signs a payload as the platform does: unpadded, `algorithm` first.
///
/// # Errors
/// `MO-1002` if it cannot be written as JSON.
pub fn sign(payload: &Payload, secret: &Secret) -> Result<String> {
    let claims = Written {
        algorithm: ALGORITHM,
        expires: payload.expires.map(Timestamp::as_second),
        issued_at: payload.issued_at.map(Timestamp::as_second),
        user_id: &payload.user_id,
        profile_id: payload.profile_id.as_deref(),
    };
    let json = serde_json::to_vec(&claims).map_err(|cause| malformed("it cannot be written").caused_by(cause))?;
    let text = BASE64URL_NOPAD.encode(&json);
    let signature = hmac::sign(&secret.key(), text.as_bytes());
    Ok(format!("{}.{text}", BASE64URL_NOPAD.encode(signature.as_ref())))
}

/// The claims as they are written.
#[derive(Serialize)]
struct Written<'a> {
    algorithm: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_at: Option<i64>,
    user_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile_id: Option<&'a str>,
}

/// The claims as they are read; others are ignored. Raw values, because ids come as numbers that no float can hold.
#[derive(Deserialize)]
struct Claims<'a> {
    #[serde(borrow, default)]
    algorithm: Option<&'a RawValue>,
    #[serde(borrow, default)]
    user_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    asid: Option<&'a RawValue>,
    #[serde(borrow, default)]
    profile_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    issued_at: Option<&'a RawValue>,
    #[serde(borrow, default)]
    expires: Option<&'a RawValue>,
}

fn read(json: &[u8]) -> Result<Payload> {
    // serde would take an array for a struct, member by member.
    let claims: Option<Claims<'_>> =
        json.trim_ascii_start().starts_with(b"{").then(|| serde_json::from_slice(json).ok()).flatten();
    let claims = claims.ok_or_else(|| malformed("the payload is not a JSON object with each name once"))?;
    let algorithm = word("algorithm", claims.algorithm)?;
    match algorithm {
        Some(algorithm) if algorithm.eq_ignore_ascii_case(ALGORITHM) => {}
        Some(_) => return Err(Problem::new(&codes::door::ALGORITHM_UNSUPPORTED, "it names another one")),
        None => return Err(Problem::new(&codes::door::ALGORITHM_UNSUPPORTED, "it names none")),
    }
    let person = match word("user_id", claims.user_id)? {
        Some(user_id) => Some(user_id),
        None => word("asid", claims.asid)?,
    };
    Ok(Payload {
        user_id: person.ok_or_else(|| Problem::new(&codes::door::USER_ID_MISSING, ""))?,
        issued_at: instant("issued_at", claims.issued_at)?,
        expires: instant("expires", claims.expires)?.filter(|expires| *expires != Timestamp::UNIX_EPOCH),
        profile_id: word("profile_id", claims.profile_id)?,
    })
}

/// Reads a string, or a whole number as its own digits; absent where it is null or empty.
fn word(name: &str, value: Option<&RawValue>) -> Result<Option<String>> {
    let Some(raw) = value.map(RawValue::get).filter(|raw| *raw != "null") else { return Ok(None) };
    let text = if raw.starts_with('"') {
        serde_json::from_str::<String>(raw).map_err(|_| malformed(format!("{name} is not a well-formed string")))?
    } else if raw.bytes().all(|byte| byte.is_ascii_digit()) {
        raw.to_owned()
    } else {
        return Err(malformed(format!("{name} is neither a string nor a whole number")));
    };
    if text.len() > MAX_VALUE || text.chars().any(char::is_control) {
        return Err(malformed(format!("{name} is longer than {MAX_VALUE} bytes or holds control characters")));
    }
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// Reads seconds since the Unix epoch.
fn instant(name: &str, value: Option<&RawValue>) -> Result<Option<Timestamp>> {
    word(name, value)?
        .map(|text| {
            let seconds = text.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
            seconds.ok_or_else(|| malformed(format!("{name} is not a time in seconds since 1970")))
        })
        .transpose()
}

/// Decodes base64url with or without padding; the bits that a last character has too many must be zero.
fn decode(text: &str) -> Option<Vec<u8>> {
    let bare = text.trim_end_matches('=');
    if text.len() - bare.len() > 2 {
        return None;
    }
    BASE64URL_NOPAD.decode(bare.as_bytes()).ok()
}

fn malformed(detail: impl Into<String>) -> Problem {
    Problem::new(&codes::door::SIGNED_REQUEST_MALFORMED, detail)
}
