//! `moveout doctor`: looks whether everything is as it should be, and changes nothing.

mod keys;
mod ledger;
mod machine;
mod world;

use serde_json::json;

use crate::context::Context;
use crate::exit::ExitCode;
use model::check::{Checks, Verdict};

/// Look whether everything is as it should be.
#[derive(clap::Args)]
pub struct DoctorArgs {}

/// Looks, and tells point by point.
pub async fn run(_: DoctorArgs, context: &Context) -> anyhow::Result<ExitCode> {
    let mut checks = Checks::default();
    machine::look(&mut checks, context);
    // Opening a SQLite store creates it, and a doctor creates nothing.
    if context.config.postgres.is_some() || context.config.data.join("moveout.db").exists() {
        match context.store().await {
            Ok(store) => {
                checks.must("store", true, "it opens, its schema is ours, and the master key fits");
                keys::look(&mut checks, &store).await;
                match store.claim_blobs().await {
                    Ok(()) => checks.must("blobs", true, format!("large bodies lie in {:?}", store.blobs())),
                    Err(problem) => checks.must("blobs", false, problem.to_string()),
                }
                let engine = context.engine_over(store, context.config.public_url());
                ledger::look(&mut checks, &engine, context).await;
                world::look(&mut checks, &engine).await;
            }
            Err(error) => checks.must("store", false, format!("{error}")),
        }
    } else {
        checks.note("store", Verdict::Warning, "there is none yet; `moveout serve` and `moveout apply` make one");
    }
    context.out.result(&json!({ "healthy": checks.hold(), "checks": checks }), || checks.words())?;
    Ok(if checks.hold() { ExitCode::Ok } else { ExitCode::NotHeld })
}
