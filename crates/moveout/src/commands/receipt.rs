//! `moveout receipt`: checks receipts, offline.

use std::path::PathBuf;

use clap::Subcommand;
use model::{Problem, codes};
use serde_json::json;
use wire::checkpoint::PublicKey;
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
    /// Check a receipt; exit code 0 only if the given key has signed it
    Verify {
        /// The receipt
        file: PathBuf,
        /// The issuer's public key, one line as `moveout ledger key` prints it
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
    let key: Option<PublicKey> = key.map(|path| secrets::from_file(&path)?.trim().parse()).transpose()?;
    let receipt = Receipt::parse(&text)?;
    let (verdict, code) = match receipt.verify(key.as_ref())? {
        Verification::Trusted => ("trusted", ExitCode::Ok),
        Verification::SelfConsistent => ("self-consistent, signer unknown", ExitCode::NotHeld),
    };
    let signer = key.as_ref().filter(|_| code == ExitCode::Ok).map(PublicKey::name);
    let value = json!({ "verdict": verdict, "signer": signer, "index": receipt.index, "leaf": receipt.leaf });
    context.out.result(&value, || match signer {
        Some(signer) => format!("The receipt holds. It is signed by {signer}."),
        None => format!("The receipt is {verdict}: name the issuer's key with --key."),
    })?;
    Ok(code)
}
