//! What happens in the demo, in order. Every step first looks for what an earlier, interrupted run has done.

use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use adapters::Spec;
use adapters::open::Token;
use anyhow::{Context as _, Result, ensure};
use engine::Engine;
use engine::connections::{self, Role};
use engine::erasure;
use engine::transfer::{self, Selection, Start};
use futures_util::{StreamExt, pin_mut};
use model::codes;
use model::erasure::{ErasureState, RequestView};
use model::transfer::TransferView;
use model::world::SecretRef;
use net::StatusCode;
use serde::Serialize;
use wire::receipt::{Receipt, Verification};
use wire::signed_request::{Payload, Secret, sign};

use super::browser::Browser;
use super::consent::{self, Person};
use super::files::Folder;
use super::{archive, database};
use crate::context::Context;

/// The name of the person's account; nobody is an operator, so the console is open on this machine.
const ACCOUNT: &str = "zoe";

/// The file of the key that the receipt is checked with.
const KEY: &str = "receipt.key";

/// How often the state of the erasure is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// What the demo plays with.
pub struct Stage<'a> {
    /// The command's context.
    pub context: &'a Context,
    /// The running server's engine.
    pub engine: &'a Engine,
    /// The folder of the demo's files.
    pub folder: &'a Folder,
}

/// What came of it (`demo --json`).
#[derive(Serialize)]
pub struct Outcome {
    /// The transfer.
    pub transfer: TransferView,
    /// The erasure.
    pub erasure: RequestView,
    /// Where the person sees the status.
    pub status_url: String,
    /// The receipt's file.
    pub receipt: Option<PathBuf>,
    /// How long it took.
    pub seconds: f64,
    /// The person's account, with its password.
    #[serde(skip)]
    pub sign_in: (&'static str, String),
}

/// Plays the demo on a running server.
///
/// # Errors
/// What went wrong; the same command goes on from there.
pub async fn play(stage: &Stage<'_>) -> Result<Outcome> {
    let began = stage.engine.ambient().now();
    let note = |text: &str| stage.context.out.note(text);
    note("Making a sample archive, and an app with 10,000 people …");
    let sample = stage.folder.make("sample-archive.tar.gz", |path| archive::write(File::create(path)?))?;
    let shop = stage.folder.make("shop.db", database::write)?;
    let password = stage.folder.remember("password", || Ok(secret(stage)))?;
    stage.folder.remember("app-secret", || Ok(secret(stage)))?;
    declare(stage, &shop).await?;
    sign_up(stage, &password).await?;

    note("Moving out: the person allows it (OAuth 2), then everything goes over HTTP …");
    let transfer = move_out(stage, &sample, &password).await?;
    note("Being forgotten: the platform's signed callback arrives …");
    let (status_url, code) = call_back(stage).await?;
    let erasure = forget(stage, &status_url, &code).await?;
    let receipt = keep_receipt(stage, &erasure).await?;
    let seconds = stage.engine.ambient().now().duration_since(began).as_secs_f64();
    Ok(Outcome { transfer, erasure, status_url, receipt, seconds, sign_in: (ACCOUNT, password) })
}

fn secret(stage: &Stage<'_>) -> String {
    data_encoding::BASE32_NOPAD.encode(&stage.engine.ambient().random::<16>()).to_ascii_lowercase()
}

/// Applies the world: one app, its database and map, and the client that moves data in.
async fn declare(stage: &Stage<'_>, shop: &std::path::Path) -> Result<()> {
    let text = format!(
        r#"# What the demo declares, as `moveout apply` takes it.
[[app]]
name = "shop"
platform = "meta"
secrets = ["file:app-secret"]
contact = "privacy@shop.example"
complain_to = "Berliner Beauftragte für Datenschutz, datenschutz-berlin.de"

[[client]]
id = "{client}"
name = "Moving Van"
redirect_uris = ["{redirect}"]
scopes = [{scopes}]

[[system]]
name = "shop-db"
label = "The shop's database"
adapter = "sqlite"
url = {url}
backups_kept = "35d"
{map}"#,
        client = consent::CLIENT,
        redirect = consent::REDIRECT,
        scopes = consent::SCOPES.split(' ').map(|scope| format!("{scope:?}")).collect::<Vec<_>>().join(", "),
        url = toml::Value::String(format!("sqlite:{}", utf8(shop)?)),
        map = database::MAP,
    );
    stage.folder.replace("world.toml", &text)?;
    let resolve = |reference: &SecretRef| stage.context.resolve(reference, &stage.folder.0);
    engine::world::apply(stage.engine, wire::world::parse(&text)?, &resolve).await?;
    Ok(())
}

fn utf8(path: &std::path::Path) -> Result<&str> {
    path.to_str().context("the path of the data folder holds characters that are not Unicode")
}

async fn sign_up(stage: &Stage<'_>, password: &str) -> Result<()> {
    match connections::find_account(stage.engine, ACCOUNT).await {
        Ok(_) => Ok(()),
        Err(problem) if problem.is(&codes::landing::ACCOUNT_UNKNOWN) => {
            connections::add_account(stage.engine, ACCOUNT, Role::Person, password).await?;
            Ok(())
        }
        Err(problem) => Err(problem.into()),
    }
}

/// Transfers the archive to the landing: the transfer of an earlier run, if there is one, else a new one.
async fn move_out(stage: &Stage<'_>, sample: &std::path::Path, password: &str) -> Result<TransferView> {
    let public_url = &stage.engine.settings().public_url;
    let id = match transfer::list(stage.engine, 1).await?.pop() {
        Some(view) => view.transfer,
        None => {
            let browser = Browser::new(stage.context.net(), public_url)?;
            let person = Person { name: ACCOUNT, password };
            let token = consent::obtain_token(browser, &person, stage.engine.ambient()).await?;
            let start = Start {
                from: Spec { adapter: "archive".to_owned(), target: utf8(sample)?.to_owned() },
                to: format!("dtp+{public_url}/dtp/").parse()?,
                token: Some(Token::new(token)),
                selection: Selection::default(),
            };
            transfer::start(stage.engine, &start).await?
        }
    };
    let views = transfer::progress(stage.engine, &id);
    pin_mut!(views);
    while let Some(view) = views.next().await {
        if view?.state.is_final() {
            break;
        }
    }
    Ok(transfer::show(stage.engine, &id).await?)
}

/// Plays the platform: posts a `signed_request`, always the same one. Returns the status page's address and the code.
async fn call_back(stage: &Stage<'_>) -> Result<(String, String)> {
    let text = stage.folder.remember("signed-request", || {
        let secret = Secret::new(std::fs::read(stage.folder.path("app-secret"))?)?;
        let issued_at = Some(stage.engine.ambient().now());
        let user_id = database::PLATFORM_ID.to_owned();
        Ok(sign(&Payload { user_id, issued_at, expires: None, profile_id: None }, &secret)?)
    })?;
    let mut platform = Browser::new(stage.context.net(), &stage.engine.settings().public_url)?;
    let answer = platform.post("/callbacks/shop/deletion", &[("signed_request".to_owned(), text)]).await?;
    ensure!(answer.status == StatusCode::OK, "the callback was answered with {}: {}", answer.status, answer.text);
    let answer = wire::callback::parse(&answer.text).context("the callback's answer has no url and code")?;
    Ok((answer.url, answer.confirmation_code))
}

/// Waits until the erasure comes to rest, and reads the status page as the person does.
async fn forget(stage: &Stage<'_>, status_url: &str, code: &str) -> Result<RequestView> {
    let request = loop {
        match erasure::show(stage.engine, code).await {
            Ok(view) if view.state.is_final() || view.state == ErasureState::Blocked => break view,
            // The inbox is promoted moments after the answer.
            Err(problem) if !problem.is(&codes::erasure::REQUEST_UNKNOWN) => return Err(problem.into()),
            _ => tokio::time::sleep(LOOK).await,
        }
    };
    let page = Browser::new(stage.context.net(), status_url)?.get(status_url).await?;
    ensure!(page.status == StatusCode::OK, "the status page was answered with {}", page.status);
    Ok(request)
}

/// Writes the receipt and the key that it is checked with, once it holds.
async fn keep_receipt(stage: &Stage<'_>, erasure: &RequestView) -> Result<Option<PathBuf>> {
    let Some(receipt) = &erasure.receipt else { return Ok(None) };
    let text = serde_json::to_string_pretty(receipt)?;
    let key = engine::ledger::public_key(stage.engine).await?;
    let verified = Receipt::parse(text.as_bytes())?.verify(Some(&key))?;
    ensure!(verified == Verification::Trusted, "the receipt is not signed by this server");
    stage.folder.replace(KEY, &format!("{key}\n"))?;
    stage.folder.replace("receipt.json", &text).map(Some)
}
