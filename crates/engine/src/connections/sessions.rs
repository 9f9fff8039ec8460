//! Signing in with a browser, and forms that only that browser can send.

use std::net::IpAddr;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use data_encoding::BASE64URL_NOPAD;
use jiff::SignedDuration;
use model::{Problem, Result, codes};
use store::accounts::{self, Account};

use super::{passwords, tokens};
use crate::Engine;

/// How long somebody stays signed in.
const SESSION: SignedDuration = SignedDuration::from_hours(12);
/// The window in which failed sign-ins are counted.
const WINDOW: SignedDuration = SignedDuration::from_mins(15);
/// How often one address may fail for one name in a window: enough for a person, not for guessing.
const FAILURES_FROM_ONE_PLACE: u64 = 5;
/// How often anybody may fail for one name: it bounds guessing from many addresses without letting one lock people out.
const FAILURES_FROM_ANYWHERE: u64 = 100;

/// A sign-in that succeeded.
pub struct SignedIn {
    /// What the cookie holds: 256 random bits.
    pub cookie: String,
    /// For how many seconds it is good.
    pub seconds: i64,
    /// Who signed in.
    pub account: Account,
}

/// Signs in with name and password.
///
/// # Errors
/// `MO-4016` if they do not fit, in the same words and time whether or not the name is known; `MO-1009` after too many failures.
pub async fn sign_in(engine: &Engine, name: &str, password: &str, from: Option<IpAddr>) -> Result<SignedIn> {
    let vault = engine.store.vault();
    let anywhere = vault.digest("login-name", name.as_bytes());
    let here = vault.digest("login-place", format!("{name}\0{from:?}").as_bytes());
    let wanted = name.to_owned();
    // Counted before the password is looked at, so that guesses made at once are no way around the limit.
    let found = engine
        .store
        .write("session.try", move |tx| {
            Box::pin(async move {
                for (digest, most) in [(&here, FAILURES_FROM_ONE_PLACE), (&anywhere, FAILURES_FROM_ANYWHERE)] {
                    if let Some((_, until)) = accounts::failures(tx, digest).await?.filter(|(count, _)| *count >= most)
                    {
                        let seconds = until.duration_since(tx.ambient.now()).as_secs().max(1).unsigned_abs();
                        let problem = Problem::new(&codes::door::TOO_MANY_REQUESTS, "signing in failed too often");
                        return Err(problem.after(Some(seconds)));
                    }
                    accounts::count_failure(tx, digest, WINDOW).await?;
                }
                accounts::with_password(tx, &wanted).await
            })
        })
        .await?;
    let (account, hash) = found.unzip();
    let right = passwords::verify(engine, password, hash.flatten()).await?;
    let Some(account) = account.filter(|_| right) else {
        return Err(Problem::new(&codes::landing::LOGIN_FAILED, ""));
    };
    let (cookie, digest) = tokens::fresh_secret(engine);
    let id = account.id.clone();
    let keep = engine.store.write("session.begin", move |tx| {
        Box::pin(async move {
            accounts::forget_failures(tx, &here).await?;
            accounts::uncount_failure(tx, &anywhere).await?;
            accounts::sign_in(tx, &digest, &id, SESSION).await
        })
    });
    keep.await?;
    Ok(SignedIn { cookie, seconds: SESSION.as_secs(), account })
}

/// Returns who is signed in with this cookie.
///
/// # Errors
/// Only those of the store.
pub async fn signed_in(engine: &Engine, cookie: &str) -> Result<Option<Account>> {
    let Some(digest) = tokens::digest(engine.store.vault(), cookie) else { return Ok(None) };
    let who =
        engine.store.read("session.who", move |tx| Box::pin(async move { accounts::signed_in(tx, &digest).await }));
    who.await
}

/// Signs out.
///
/// # Errors
/// Only those of the store.
pub async fn sign_out(engine: &Engine, cookie: &str) -> Result<()> {
    let Some(digest) = tokens::digest(engine.store.vault(), cookie) else { return Ok(()) };
    let end =
        engine.store.write("session.end", move |tx| Box::pin(async move { accounts::sign_out(tx, &digest).await }));
    end.await
}

/// Tells whether somebody can sign in as an operator.
///
/// # Errors
/// Only those of the store.
pub async fn operator_exists(engine: &Engine) -> Result<bool> {
    engine.store.read("account.operator", |tx| Box::pin(accounts::has_operator(tx))).await
}

/// Ties forms to a browser: the form carries a keyed digest of what the browser's cookie holds.
pub struct FormGuard<'a> {
    engine: &'a Engine,
    cookie: String,
}

impl<'a> FormGuard<'a> {
    /// Guards the forms of the browser with this cookie.
    pub fn new(engine: &'a Engine, cookie: String) -> Self {
        Self { engine, cookie }
    }

    /// Makes the content of a browser's cookie.
    pub fn fresh_cookie(engine: &Engine) -> String {
        tokens::random_text(&engine.ambient)
    }

    /// Returns what the form carries.
    pub fn token(&self) -> String {
        BASE64URL_NOPAD.encode(&self.engine.store.vault().digest("form", self.cookie.as_bytes()))
    }

    /// Checks what a form carried.
    ///
    /// # Errors
    /// `MO-4017` if it was not made for this browser.
    pub fn check(&self, token: &str) -> Result<()> {
        let fits =
            !self.cookie.is_empty() && verify_slices_are_equal(self.token().as_bytes(), token.as_bytes()).is_ok();
        if fits { Ok(()) } else { Err(Problem::new(&codes::landing::FORM_STALE, "")) }
    }
}
