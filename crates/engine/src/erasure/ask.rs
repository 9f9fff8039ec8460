//! The public form: anybody may ask, and nothing is done before a link that was mailed to the address has been followed.
//!
//! The form answers the same whether or not anything is known of the address, and joins nobody else's request.

use std::net::IpAddr;

use async_trait::async_trait;
use data_encoding::BASE64URL_NOPAD;
use jiff::{SignedDuration, Timestamp};
use model::erasure::ErasureState;
use model::{Identity, IdentityKind, Problem, Result, codes};
use store::erasures::{self, Request};
use store::{Tx, accounts, jobs};

use super::control;
use super::request::{Accepted, Arrival, Start, begin, cool_off, status_url};
use crate::Engine;
use crate::jobs::{Handler, Job, Outcome};
use crate::world;

/// The door of the form.
pub const FORM: &str = "form";
/// The kind of the jobs that mail links; their subject is the request's id.
const JOB: &str = "erasure-mail";
/// How long a link is good, and the request waits for it.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(72);
/// The window in which requests by the form are counted.
const WINDOW: SignedDuration = SignedDuration::from_hours(1);
/// How many mails one person gets in a window.
const MOST_TO_ONE: u64 = 3;
/// How often one place may ask in a window.
const MOST_FROM_ONE: u64 = 20;

/// Asks for somebody, who is mailed a link to say that it is they.
///
/// # Errors
/// `MO-1006` if the app is unknown or has no form, `MO-2014` if the address is none, `MO-1009` if too many were asked for.
pub async fn ask(engine: &Engine, app: &str, email: &str, from: Option<IpAddr>) -> Result<Accepted> {
    let app = world::app(engine, app).await?;
    if !app.declared.form || engine.mailer.is_none() {
        return Err(Problem::new(&codes::door::APP_UNKNOWN, "it has no form; write to its contact"));
    }
    let kind: IdentityKind = "email".parse()?;
    let email = Identity::new(kind, email.trim())?;
    let (local, domain) = email.value.rsplit_once('@').unwrap_or_default();
    if local.is_empty() || !domain.contains('.') || email.value.contains(char::is_whitespace) {
        return Err(Problem::new(&codes::erasure::IDENTITY_MALFORMED, "this is no e-mail address"));
    }
    let vault = engine.store.vault();
    let person = vault.digest("form-person", format!("{}\0{}", app.declared.name, email.folded().value).as_bytes());
    let place = vault.digest("form-place", format!("{from:?}").as_bytes());
    let code = engine
        .store
        .write("erasure.ask", move |tx| {
            Box::pin(async move {
                for (digest, most) in [(&place, MOST_FROM_ONE), (&person, MOST_TO_ONE)] {
                    throttle(tx, digest, most).await?;
                }
                let code = wire::confirmation::from_random(&tx.ambient.random());
                let received_at = tx.ambient.now();
                let arrival = Arrival { app: &app.declared.name, door: FORM, code: &code, received_at };
                let id = begin(tx, &arrival, vec![email], None, Start::Prove(later(received_at))).await?;
                jobs::enqueue(tx, JOB, &id, None).await?;
                Ok(code)
            })
        })
        .await?;
    Ok(Accepted { url: status_url(engine, &code), confirmation_code: code })
}

async fn throttle(tx: &mut Tx<'_>, digest: &[u8; 32], most: u64) -> Result<()> {
    if let Some((_, until)) = accounts::failures(tx, digest).await?.filter(|(count, _)| *count >= most) {
        let seconds = until.duration_since(tx.ambient.now()).as_secs().max(1).unsigned_abs();
        let problem = Problem::new(&codes::door::TOO_MANY_REQUESTS, "this was asked for too often");
        return Err(problem.after(Some(seconds)));
    }
    accounts::count_failure(tx, digest, WINDOW).await
}

fn later(now: Timestamp) -> Timestamp {
    now.saturating_add(GOOD_FOR).unwrap_or(Timestamp::MAX)
}

/// Takes the word of whoever followed the link; returns the code of the request, which begins now.
///
/// # Errors
/// `MO-2044` if the link is unknown, used or too old.
pub async fn prove(engine: &Engine, token: &str) -> Result<String> {
    let digest = digest(engine, token);
    engine
        .store
        .write("erasure.prove", move |tx| {
            Box::pin(async move {
                let stale = || Problem::new(&codes::erasure::PROOF_STALE, "");
                let id = erasures::proven_by(tx, &digest).await?.ok_or_else(stale)?;
                let request = erasures::by_id(tx, &id).await?.ok_or_else(stale)?;
                erasures::forget_proofs(tx, &id).await?;
                if request.state == ErasureState::AwaitingIdentity {
                    let not_before = cool_off(tx, &request.app, tx.ambient.now()).await?;
                    erasures::set_not_before(tx, &id, not_before).await?;
                    control::start(tx, &Request { not_before, ..request.clone() }).await?;
                }
                Ok(request.code)
            })
        })
        .await
}

fn digest(engine: &Engine, token: &str) -> [u8; 32] {
    engine.store.vault().digest("erasure-proof", token.as_bytes())
}

/// Mails links.
pub struct MailJob;

#[async_trait]
impl Handler for MailJob {
    fn kind(&self) -> &'static str {
        JOB
    }

    /// A mail that is sent twice carries two links, and either is good.
    async fn run(&self, engine: &Engine, job: &Job) -> Result<Outcome> {
        let token = BASE64URL_NOPAD.encode(&engine.ambient.random::<32>());
        let digest = digest(engine, &token);
        let job = job.clone();
        let asked = engine
            .store
            .write("erasure.mail", move |tx| {
                Box::pin(async move {
                    jobs::hold(tx, &job).await?;
                    let request = erasures::by_id(tx, &job.subject).await?;
                    let awaited = request.filter(|request| request.state == ErasureState::AwaitingIdentity);
                    let Some((request, by)) = awaited.and_then(|request| request.prove_by.map(|by| (request, by)))
                    else {
                        return Ok(None);
                    };
                    erasures::put_proof(tx, &digest, &request.id, by).await?;
                    Ok(erasures::identities(tx, &request.id).await?.pop().map(|email| (request, by, email)))
                })
            })
            .await?;
        let (Some((request, by, email)), Some(mailer)) = (asked, &engine.mailer) else { return Ok(Outcome::Done) };
        let text = format!(
            "Somebody, probably you, asked {app} to erase everything that it holds of the owner of this e-mail address.\n\n\
             If it was you, follow this link and confirm:\n\n  {url}/deletion/proof/{token}\n\n\
             It is good until {by}. If it was not you, do nothing: without your word nothing is erased.\n\n\
             Where the request stands: {status}\n",
            app = request.app,
            url = engine.settings.public_url,
            by = by.strftime("%-d %B %Y, %H:%M UTC"),
            status = status_url(engine, &request.code),
        );
        let mail = net::Mail { to: &email.value, subject: "Please confirm: erase my data", text };
        mailer.send(mail).await.map(|()| Outcome::Done)
    }
}
