//! `moveout apply`: declares apps, systems and clients from one TOML file, and says what to paste into the platform's dashboard.

use std::path::{Path, PathBuf};

use engine::world::{Applied, apply};
use model::world::{SecretRef, World};
use model::{Problem, codes};

use crate::context::Context;
use crate::exit::ExitCode;

/// Declare apps, systems and clients from one TOML file, idempotently.
#[derive(clap::Args)]
pub struct ApplyArgs {
    /// The declaration
    file: PathBuf,
}

/// Declares what the file says.
pub async fn run(args: ApplyArgs, context: &Context) -> anyhow::Result<ExitCode> {
    let (world, folder) = read(&args.file)?;
    let engine = context.engine().await?;
    let applied = apply(&engine, world, &|reference| context.resolve(reference, &folder)).await?;
    context.out.result(&applied, || words(&applied))?;
    for warning in &applied.warnings {
        context.out.note(&format!("warning: {warning}"));
    }
    Ok(ExitCode::Ok)
}

/// Reads a declaration, and returns it with the folder that its files are relative to.
pub fn read(file: &Path) -> model::Result<(World, PathBuf)> {
    let unreadable = |cause: std::io::Error| {
        Problem::new(&codes::config::FILE_UNREADABLE, format!("{}: {cause}", file.display())).caused_by(cause)
    };
    let text = std::fs::read_to_string(file).map_err(unreadable)?;
    let path = std::path::absolute(file).map_err(unreadable)?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut world = wire::world::parse(&text)?;
    anchor(&mut world, folder);
    Ok((world, folder.to_owned()))
}

/// Makes the paths of systems absolute: the server that opens them may run in another folder than this command.
fn anchor(world: &mut World, folder: &Path) {
    for system in &mut world.systems {
        let SecretRef(url) = &mut system.url;
        if let Some((adapter, path)) = url.split_once(':')
            && !matches!(adapter, "file" | "env")
            && !path.starts_with('/')
        {
            let path = folder.join(path.strip_prefix("./").unwrap_or(path));
            *url = format!("{adapter}:{}", path.display());
        }
    }
}

fn words(applied: &Applied) -> String {
    let mut words = String::new();
    for changed in &applied.changes {
        words.push_str(&format!("{} {} {}\n", changed.kind.name(), changed.name, changed.change.name()));
    }
    for urls in &applied.urls {
        words.push_str(&format!(
            "\nPaste these into the platform's dashboard of {}:\n  Data deletion request URL      {}\n  \
             Data deletion instructions URL {}\n  Deauthorize callback URL       {}\n",
            urls.app, urls.callback, urls.instructions, urls.deauthorize
        ));
    }
    words
}
