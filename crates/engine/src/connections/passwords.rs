//! Passwords: argon2id (RFC 9106), checked on blocking threads, few at a time because each takes 19 MiB.

use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use model::{Problem, Result, codes};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::Engine;

/// How many passwords are hashed at once.
static PLACES: Semaphore = Semaphore::const_new(2);

/// Hashes a new password.
///
/// # Errors
/// `MO-4025` if it is shorter than 12 or longer than 200 characters (OWASP ASVS 5.0 §6.2).
pub(super) async fn hash(engine: &Engine, password: &str) -> Result<String> {
    if !(12..=200).contains(&password.chars().count()) {
        return Err(Problem::new(&codes::landing::PASSWORD_UNUSABLE, ""));
    }
    let (password, salt) = (Zeroizing::new(password.to_owned()), engine.ambient.random::<16>());
    blocking(move || {
        Argon2::default()
            .hash_password_with_salt(password.as_bytes(), &salt)
            .map(|hash| hash.to_string())
            .map_err(failed)
    })
    .await?
}

/// Tells whether a password is the one of this hash. Without a hash it takes as long, so that the time tells nothing.
pub(super) async fn verify(engine: &Engine, password: &str, hash: Option<String>) -> Result<bool> {
    let (password, salt) = (Zeroizing::new(password.to_owned()), engine.ambient.random::<16>());
    blocking(move || match hash {
        Some(hash) => Argon2::default().verify_password(password.as_bytes(), hash.as_str()).is_ok(),
        None => {
            let hashed = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
            // Nobody has an account without a password hash; the work was done for its time only.
            drop(hashed);
            false
        }
    })
    .await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let _place = PLACES.acquire().await.map_err(failed)?;
    tokio::task::spawn_blocking(work).await.map_err(failed)
}

fn failed(cause: impl std::error::Error + Send + Sync + 'static) -> Problem {
    Problem::new(&codes::door::INTERNAL, "a password could not be checked").caused_by(cause)
}
