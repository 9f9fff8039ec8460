//! `moveout receipt`: checks receipts and consistency statements, offline.

use std::path::PathBuf;

use clap::Subcommand;
use model::{Problem, codes};
use serde_json::json;
use wire::checkpoint::PublicKey;
use wire::consistency::Consistency;
use wire::receipt::{Receipt, Verification};

use crate::context::Context;
use crate::exit::ExitCode;
use crate::secrets;

/// Check receipts, offline.
#[derive(clap::Args)]
pub struct ReceiptArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Check a receipt or a consistency statement; exit code 0 only if a given key has signed it
    Verify {
        /// The receipt, or what `moveout ledger checkpoint --since` wrote
        file: PathBuf,
        /// The issuer's public keys as `moveout ledger key` prints them, one a line
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
    },
}

/// Checks a receipt.
pub async fn run(args: ReceiptArgs, context: &Context) -> anyhow::Result<ExitCode> {
    let Action::Verify { file, key } = args.action;
    let text = std::fs::read(&file).map_err(|cause| {
        Problem::new(&codes::config::FILE_UNREADABLE, format!("{}: {cause}", file.display())).caused_by(cause)
    })?;
    let keys = match key {
        None => Vec::new(),
        Some(path) => secrets::from_file(&path)?.lines().map(str::parse).collect::<model::Result<Vec<PublicKey>>>()?,
    };
    if let Ok(statement) = Consistency::parse(&text) {
        return consistency(&statement, &keys, context);
    }
    let receipt = Receipt::parse(&text)?;
    let (verdict, code) = verdict(receipt.verify(&keys)?);
    let signer = signer(&receipt.checkpoint, code);
    let value = json!({ "verdict": verdict, "signer": signer, "index": receipt.index, "leaf": receipt.leaf });
    context.out.result(&value, || match signer {
        Some(signer) => format!("The receipt holds. It is signed by {signer}."),
        None => format!("The receipt is {verdict}: name the issuer's key with --key."),
    })?;
    Ok(code)
}

fn consistency(statement: &Consistency, keys: &[PublicKey], context: &Context) -> anyhow::Result<ExitCode> {
    let (verification, old, new) = statement.verify(keys)?;
    let (verdict, code) = verdict(verification);
    let signer = signer(&statement.new, code);
    let value = json!({ "verdict": verdict, "signer": signer, "old_size": old.size, "new_size": new.size });
    context.out.result(&value, || {
        let holds =
            format!("The {} leaves of the later checkpoint begin with the {} of the earlier one", new.size, old.size);
        match signer {
            Some(signer) => format!("{holds}. Both are signed by {signer}."),
            None => format!("{holds}, but the signer is unknown: name the issuer's key with --key."),
        }
    })?;
    Ok(code)
}

fn verdict(verification: Verification) -> (&'static str, ExitCode) {
    match verification {
        Verification::Trusted => ("trusted", ExitCode::Ok),
        Verification::SelfConsistent => ("self-consistent, signer unknown", ExitCode::NotHeld),
    }
}

/// Returns the name of the log whose trusted key has signed a verified note.
fn signer(note: &str, code: ExitCode) -> Option<&str> {
    note.lines().next().filter(|_| code == ExitCode::Ok)
}
