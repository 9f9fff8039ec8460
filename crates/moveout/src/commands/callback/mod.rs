//! `moveout callback`: plays the platform, to try out a deletion callback, ours or another's.

mod judge;
mod send;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use wire::signed_request::{Payload, Secret, sign};

use crate::context::Context;
use crate::exit::ExitCode;
use crate::secrets;

/// Play the platform: sign a deletion callback, or send one and judge the answer.
#[derive(clap::Args)]
pub struct CallbackArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Print a signed_request
    Sign(Claim),
    /// Post a signed_request, judge the answer and follow the status page
    Send {
        /// The app's callback URL
        #[arg(long)]
        url: String,
        #[command(flatten)]
        claim: Claim,
        /// For how many seconds the status page is followed
        #[arg(long, default_value_t = 60)]
        follow: u64,
    },
}

/// Who is to be forgotten, and who says so.
#[derive(Args)]
struct Claim {
    /// A file that holds the app secret
    #[arg(long, value_name = "FILE")]
    secret_file: PathBuf,
    /// The person's app-scoped id
    #[arg(long, value_name = "ID")]
    user_id: String,
}

impl Claim {
    fn sign(self, context: &Context) -> anyhow::Result<String> {
        let secret = Secret::new(secrets::from_file(&self.secret_file)?)?;
        let issued_at = Some(context.ambient.now());
        Ok(sign(&Payload { user_id: self.user_id, issued_at, expires: None, profile_id: None }, &secret)?)
    }
}

/// Signs or sends.
pub async fn run(args: CallbackArgs, context: &Context) -> anyhow::Result<ExitCode> {
    match args.action {
        Action::Sign(claim) => {
            let signed_request = claim.sign(context)?;
            context.out.result(&json!({ "signed_request": signed_request }), || signed_request.clone())?;
            Ok(ExitCode::Ok)
        }
        Action::Send { url, claim, follow } => {
            let signed_request = claim.sign(context)?;
            send::run(&url, &signed_request, std::time::Duration::from_secs(follow), context).await
        }
    }
}
