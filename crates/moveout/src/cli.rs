//! The command line: what every command takes, and the list of commands.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser};

use crate::commands::Command;
use crate::config::Flags;

/// People who move out of an app take their things with them and leave nothing behind.
#[derive(Parser)]
#[command(name = "moveout", version, about, arg_required_else_help = true)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Args)]
pub struct Global {
    /// Read settings from this TOML file
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Keep everything in this folder [default: ./moveout-data]
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Print JSON on stdout
    #[arg(long, global = true)]
    pub json: bool,
}

impl Cli {
    /// Returns what was given on the command line of what can also be configured.
    pub fn flags(&self) -> Flags {
        Flags { config: self.global.config.clone(), data: self.global.data.clone(), listen: self.command.listen() }
    }
}

/// The address of commands that serve.
#[derive(Args)]
pub struct Listen {
    /// Listen on this address [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<SocketAddr>,
}
