//! Standard Webhooks (standardwebhooks.com, specification 1.0): a body, signed with its id and the time of sending.
//!
//! The signed text is `{id}.{timestamp}.{body}`; a signature is `v1,` and the Base64 of HMAC-SHA256. While secrets rotate, the
//! sender signs with each of them and the receiver takes what any of its own made. Asymmetric signatures (`v1a`) are passed over.

use aws_lc_rs::hmac;
use data_encoding::BASE64;
use jiff::{SignedDuration, Timestamp};
use model::{Problem, Result, codes};
use zeroize::Zeroizing;

/// The header with the message's id: the same for every attempt to deliver it.
pub const ID: &str = "webhook-id";
/// The header with the time of this attempt, in seconds since 1970.
pub const TIMESTAMP: &str = "webhook-timestamp";
/// The header with the signatures, separated by spaces.
pub const SIGNATURE: &str = "webhook-signature";

/// How far the sender's clock may be from ours.
pub const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);
/// The longest id we sign or take, in bytes.
pub const MAX_ID: usize = 256;
/// The longest list of signatures we read, in bytes.
pub const MAX_SIGNATURES: usize = 4096;

/// What a secret begins with, so that people recognise it.
const SECRET_PREFIX: &str = "whsec_";
/// What a symmetric signature begins with.
const VERSION: &str = "v1,";
/// How many bytes a secret has ("between 24 bytes and 64 bytes").
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A signing secret: never shown.
#[derive(Clone)]
pub struct Secret(hmac::Key);

impl Secret {
    /// Reads a secret as it is written, `whsec_` and Base64; the prefix may be missing.
    ///
    /// # Errors
    /// `MO-1043` for another form or length.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let bytes = BASE64.decode(text.strip_prefix(SECRET_PREFIX).unwrap_or(text).as_bytes()).map(Zeroizing::new);
        match bytes {
            Ok(bytes) if SECRET_BYTES.contains(&bytes.len()) => Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes))),
            Ok(bytes) => Err(bad_secret(&format!("it has {} bytes, 24 to 64 are needed", bytes.len()))),
            Err(_) => Err(bad_secret("what stands behind whsec_ is not Base64")),
        }
    }

    /// Writes fresh random bytes as a secret.
    pub fn write(random: &[u8; 32]) -> Zeroizing<String> {
        Zeroizing::new(format!("{SECRET_PREFIX}{}", BASE64.encode(random)))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The three headers of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headers {
    /// The value of [`ID`].
    pub id: String,
    /// The value of [`TIMESTAMP`].
    pub timestamp: String,
    /// The value of [`SIGNATURE`].
    pub signature: String,
}

impl Headers {
    /// Returns names and values.
    pub fn pairs(&self) -> [(&'static str, &str); 3] {
        [(ID, &self.id), (TIMESTAMP, &self.timestamp), (SIGNATURE, &self.signature)]
    }
}

/// Signs a message with every secret, the newest first.
///
/// # Errors
/// `MO-1043` without secrets, `MO-1040` for an id that cannot be signed.
pub fn sign(id: &str, at: Timestamp, body: &[u8], secrets: &[Secret]) -> Result<Headers> {
    if secrets.is_empty() {
        return Err(bad_secret("there is none"));
    }
    check_id(id)?;
    let timestamp = at.as_second().to_string();
    let signature = |secret: &Secret| {
        let mut context = hmac::Context::with_key(&secret.0);
        signed_parts(id, &timestamp, body).iter().for_each(|part| context.update(part));
        format!("{VERSION}{}", BASE64.encode(context.sign().as_ref()))
    };
    let signature = secrets.iter().map(signature).collect::<Vec<_>>().join(" ");
    Ok(Headers { id: id.to_owned(), timestamp, signature })
}

/// Checks that one of the secrets signed the message, and when: `body` must be the bytes as received.
///
/// A receiver that must not act twice remembers the ids it has seen for twice [`TOLERANCE`].
///
/// # Errors
/// `MO-1043` without secrets, `MO-1040` for malformed headers, `MO-1041` if no secret signed it, and, only after the signature
/// holds, `MO-1042` if it is older or newer than [`TOLERANCE`].
pub fn verify(headers: &Headers, body: &[u8], secrets: &[Secret], now: Timestamp) -> Result<()> {
    if secrets.is_empty() {
        return Err(bad_secret("there is none"));
    }
    check_id(&headers.id)?;
    let timestamp = &headers.timestamp;
    let plain = !timestamp.is_empty() && timestamp.bytes().all(|byte| byte.is_ascii_digit());
    let sent = plain.then(|| timestamp.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok())).flatten();
    let sent = sent.ok_or_else(|| malformed("the time is not a number of seconds since 1970"))?;
    if headers.signature.len() > MAX_SIGNATURES {
        return Err(malformed("the list of signatures is too long"));
    }
    let signed = signed_parts(&headers.id, timestamp, body).concat();
    let made_by_one = |tag: &[u8]| secrets.iter().any(|secret| hmac::verify(&secret.0, &signed, tag).is_ok());
    let mut signatures = headers.signature.split(' ').filter_map(|one| one.strip_prefix(VERSION));
    if !signatures.any(|tag| BASE64.decode(tag.as_bytes()).is_ok_and(|tag| made_by_one(&tag))) {
        return Err(Problem::new(&codes::door::WEBHOOK_MISMATCH, "none of the secrets made any of the signatures"));
    }
    if sent.duration_since(now).abs() > TOLERANCE {
        let detail = format!("its time differs from ours by more than {} minutes", TOLERANCE.as_mins());
        return Err(Problem::new(&codes::door::WEBHOOK_STALE, detail));
    }
    Ok(())
}

/// The text that is signed, in parts.
fn signed_parts<'a>(id: &'a str, timestamp: &'a str, body: &'a [u8]) -> [&'a [u8]; 5] {
    [id.as_bytes(), b".", timestamp.as_bytes(), b".", body]
}

/// An id with a full stop could be read as another id, time and body under the same signature.
fn check_id(id: &str) -> Result<()> {
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'.';
    if id.is_empty() || id.len() > MAX_ID || !id.bytes().all(plain) {
        return Err(malformed("the id has 1 to 256 visible ASCII characters, and no '.'"));
    }
    Ok(())
}

fn malformed(detail: &str) -> Problem {
    Problem::new(&codes::door::WEBHOOK_MALFORMED, detail)
}

fn bad_secret(detail: &str) -> Problem {
    Problem::new(&codes::door::WEBHOOK_SECRET_INVALID, detail)
}
