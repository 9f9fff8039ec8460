//! One file a command, each with its arguments and a `run`.

mod account;
mod adapter;
mod apply;
mod archive;
mod backup;
mod callback;
mod completions;
mod config;
mod demo;
mod doctor;
mod erasure;
mod identity;
mod key;
mod ledger;
mod migrate;
mod receipt;
mod replay;
mod restore;
mod serve;
mod task;
mod token;
mod transfer;
mod webhook;
mod work;

use std::net::SocketAddr;

use clap::Subcommand;

use crate::context::Context;
use crate::exit::ExitCode;

/// The commands.
#[derive(Subcommand)]
pub enum Command {
    /// The whole product on sample data, in one command
    Demo(demo::DemoArgs),
    /// Doors and workers in one process
    Serve(serve::ServeArgs),
    /// Workers without doors, for more machines
    Work(work::WorkArgs),
    /// Declare apps, systems and clients from one TOML file, idempotently
    Apply(apply::ApplyArgs),
    /// The accounts that people and operators sign in with
    Account(account::AccountArgs),
    /// Move a person's data from one system to another
    Transfer(transfer::TransferArgs),
    /// Look into an export archive
    Archive(archive::ArchiveArgs),
    /// Access tokens of the landing
    Token(token::TokenArgs),
    /// Play the platform: sign a deletion callback, or send one and judge the answer
    Callback(callback::CallbackArgs),
    /// Check receipts, offline
    Receipt(receipt::ReceiptArgs),
    /// The record of what was done, and that nobody changed it
    Ledger(ledger::LedgerArgs),
    /// Who is told of changes, and what could not be told
    Webhook(webhook::WebhookArgs),
    /// The master keys, how far each is in use, and how they are changed
    Key(key::KeyArgs),
    /// The kinds of systems, and what each can do
    Adapter(adapter::AdapterArgs),
    /// Write the store and its blobs into one file, while everything goes on
    Backup(backup::BackupArgs),
    /// Put a backup in the place of the store
    Restore(restore::RestoreArgs),
    /// Bring the store to the schema of this binary
    Migrate(migrate::MigrateArgs),
    /// Erase a person's data, and see what became of it
    Erasure(erasure::ErasureArgs),
    /// Which identities are one person's, as the app knows
    Identity(identity::IdentityArgs),
    /// Look whether everything is as it should be
    Doctor(doctor::DoctorArgs),
    /// Check or print the settings
    Config(config::ConfigArgs),
    /// Print completions for a shell
    Completions(completions::CompletionsArgs),
}

impl Command {
    /// Runs the command.
    pub async fn run(self, context: &Context) -> anyhow::Result<ExitCode> {
        match self {
            Self::Demo(args) => demo::run(args, context).await,
            Self::Serve(args) => serve::run(args, context).await,
            Self::Work(args) => work::run(args, context).await,
            Self::Apply(args) => apply::run(args, context).await,
            Self::Account(args) => account::run(args, context).await,
            Self::Transfer(args) => transfer::run(args, context).await,
            Self::Archive(args) => archive::run(args, context).await,
            Self::Token(args) => token::run(args, context).await,
            Self::Callback(args) => callback::run(args, context).await,
            Self::Receipt(args) => receipt::run(args, context).await,
            Self::Ledger(args) => ledger::run(args, context).await,
            Self::Webhook(args) => webhook::run(args, context).await,
            Self::Key(args) => key::run(args, context).await,
            Self::Adapter(args) => adapter::run(args, context).await,
            Self::Backup(args) => backup::run(args, context).await,
            Self::Restore(args) => restore::run(args, context).await,
            Self::Migrate(args) => migrate::run(args, context).await,
            Self::Identity(args) => identity::run(args, context).await,
            Self::Erasure(args) => erasure::run(args, context).await,
            Self::Doctor(args) => doctor::run(args, context).await,
            Self::Config(args) => config::run(args, context).await,
            Self::Completions(args) => completions::run(args, context).await,
        }
    }

    /// Returns the address that was given to a command that listens.
    pub fn listen(&self) -> Option<SocketAddr> {
        match self {
            Self::Demo(args) => args.listen.listen,
            Self::Serve(args) => args.listen.listen,
            _ => None,
        }
    }

    /// Returns what is logged unless the settings say otherwise.
    pub fn usual_log(&self) -> &'static str {
        match self {
            Self::Serve(_) | Self::Work(_) => "info",
            _ => "warn",
        }
    }
}
