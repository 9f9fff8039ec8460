//! `moveout key`: the master keys, how far each is in use, and how they are changed.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use model::{Problem, codes};
use serde::Serialize;
use store::{KeyUse, Keys, Store};

use crate::context::Context;
use crate::exit::ExitCode;

/// A running process notices a new key in its key file within a second, when it next seals something.
const NOTICED: Duration = Duration::from_secs(2);

/// The master keys, how far each is in use, and how they are changed.
#[derive(Args)]
pub struct KeyArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Tell how many values each key opens
    List,
    /// Put a fresh key in front (where the keys lie in a file) and seal everything with it; run again, it goes on
    Rotate,
    /// Print a fresh key
    Generate,
}

/// A key as scripts see it.
#[derive(Serialize)]
struct ShownKey {
    id: String,
    state: &'static str,
    values: u64,
}

impl From<&KeyUse> for ShownKey {
    fn from(key: &KeyUse) -> Self {
        let state = match (key.seals, key.given) {
            (true, _) => "seals",
            (false, true) => "opens",
            (false, false) => "missing",
        };
        Self { id: key.id.to_string(), state, values: key.values }
    }
}

/// What a rotation did.
#[derive(Serialize)]
struct Rotated {
    added: Option<String>,
    sealing: String,
    resealed: u64,
    broken: std::collections::BTreeMap<String, u64>,
    unused: Vec<String>,
    still_in_use: Vec<String>,
}

/// Lists, rotates or makes a key.
pub async fn run(args: KeyArgs, context: &Context) -> anyhow::Result<ExitCode> {
    match args.action {
        Action::List => {
            let keys: Vec<ShownKey> = context.store().await?.key_usage().await?.iter().map(ShownKey::from).collect();
            context.out.result(&serde_json::json!({ "keys": keys }), || {
                keys.iter().map(|key| format!("{}  {:<8} {} values\n", key.id, key.state, key.values)).collect()
            })?;
            Ok(if keys.iter().any(|key| key.state == "missing") { ExitCode::NotHeld } else { ExitCode::Ok })
        }
        Action::Rotate => rotate(context).await,
        Action::Generate => {
            context.out.print(&Keys::generate(&context.ambient).to_text())?;
            Ok(ExitCode::Ok)
        }
    }
}

async fn rotate(context: &Context) -> anyhow::Result<ExitCode> {
    let store = context.store().await?;
    let file = context.key_file();
    // Two rotations at once could both put a key in front, and one of the files would be lost.
    let _alone = file.as_deref().map(lock).transpose()?;
    let added = match &file {
        Some(path) if finished(&store).await? => Some(put_in_front(path, context)?),
        // The newest key is there already: an earlier run was cut off, or somebody gave it.
        _ => None,
    };
    if let Some(path) = &file {
        wait_until_noticed(path, context).await;
    }
    let resealed = store.reseal().await?;
    let keys = store.key_usage().await?;
    let ids =
        |wanted: fn(&KeyUse) -> bool| keys.iter().filter(|key| wanted(key)).map(|key| key.id.to_string()).collect();
    let rotated = Rotated {
        added,
        sealing: keys.first().map(|key| key.id.to_string()).unwrap_or_default(),
        resealed: resealed.values,
        broken: resealed.broken,
        unused: ids(|key| key.given && !key.seals && key.values == 0),
        still_in_use: ids(|key| !key.seals && key.values > 0),
    };
    context.out.result(&rotated, || words(&rotated, file.as_deref()))?;
    Ok(if rotated.still_in_use.is_empty() && rotated.broken.is_empty() { ExitCode::Ok } else { ExitCode::NotHeld })
}

/// Tells whether everything is sealed with the newest key, so that a rotation begins rather than goes on.
async fn finished(store: &Store) -> anyhow::Result<bool> {
    let keys = store.key_usage().await?;
    Ok(keys.iter().all(|key| key.seals || key.values == 0))
}

/// Waits until every process on this machine seals with the newest key: what they seal after our last look must not need an older one.
async fn wait_until_noticed(path: &Path, context: &Context) {
    let changed = std::fs::metadata(path).and_then(|metadata| metadata.modified());
    let age =
        changed.ok().and_then(|time| std::time::SystemTime::from(context.ambient.now()).duration_since(time).ok());
    tokio::time::sleep(NOTICED.saturating_sub(age.unwrap_or_default())).await;
}

fn words(rotated: &Rotated, file: Option<&Path>) -> String {
    let mut words = format!("Key {} seals; {} values were sealed again.\n", rotated.sealing, rotated.resealed);
    for (column, count) in &rotated.broken {
        words += &format!("{count} values of {column} do not open and stay as they are.\n");
    }
    if !rotated.still_in_use.is_empty() {
        words += &format!(
            "Still in use: {}. A process that does not know the new key may be running: start it again, then rotate again.\n",
            rotated.still_in_use.join(", ")
        );
    } else if !rotated.unused.is_empty() {
        let place = file.map_or_else(|| "your secrets".to_owned(), |path| path.display().to_string());
        words += &format!(
            "No longer in use: {}. Take them out of {place}, and keep them with the backups that were made before now.\n",
            rotated.unused.join(", ")
        );
    }
    words
}

fn lock(path: &Path) -> model::Result<File> {
    let path = beside(path, "lock");
    let file = File::options().create(true).append(true).open(&path).map_err(|cause| unwritable(&path, cause))?;
    file.try_lock()
        .map_err(|_| Problem::new(&codes::store::BUSY, "another `moveout key rotate` is under way on this key file"))?;
    Ok(file)
}

/// Replaces a key file by one with a fresh key in front, on disk before anything is sealed with it; returns the key's id.
fn put_in_front(path: &Path, context: &Context) -> model::Result<String> {
    let key = Keys::generate(&context.ambient);
    let id = key.ids()[0].to_string();
    let failed = |cause| unwritable(path, cause);
    let before = zeroize::Zeroizing::new(std::fs::read_to_string(path).map_err(failed)?);
    let made = context.ambient.now();
    let text = zeroize::Zeroizing::new(format!("# {id}, made {made:.0}\n{}{}\n", &*key.to_text(), before.trim_end()));
    replace(path, text.as_bytes()).map_err(failed)?;
    Ok(id)
}

/// Replaces a file of the same owner and mode, whole and on disk or not at all.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
    // What a link points to is replaced, not the link.
    let path = path.canonicalize()?;
    let temporary = beside(&path, "new");
    let before = std::fs::metadata(&path)?;
    let _ = std::fs::remove_file(&temporary);
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(&temporary)?;
    let written = file
        .write_all(bytes)
        .and_then(|()| std::os::unix::fs::fchown(&file, Some(before.uid()), Some(before.gid())))
        .and_then(|()| file.set_permissions(std::fs::Permissions::from_mode(before.mode() & 0o777)))
        .and_then(|()| file.sync_all())
        .and_then(|()| std::fs::rename(&temporary, &path));
    if written.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    written?;
    File::open(path.parent().unwrap_or(Path::new("/")))?.sync_all()
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

fn unwritable(path: &Path, cause: std::io::Error) -> Problem {
    let detail = format!("{}: {cause}; a key can also be put in front by hand", path.display());
    Problem::new(&codes::config::FILE_UNWRITABLE, detail).caused_by(cause)
}
