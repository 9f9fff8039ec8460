//! Where settings come from, and which source wins.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use model::world::SecretRef;
use model::{Problem, Result, codes};

use super::{Environment, Shown, invalid};
use crate::secrets;

/// What was given on the command line.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--data`.
    pub data: Option<PathBuf>,
    /// `--listen`.
    pub listen: Option<SocketAddr>,
}

/// How a setting is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    /// `true` or `false`.
    Switch,
    /// Relative to the folder of the file that says it.
    Path,
    /// In the file only as `file:PATH` or `env:NAME`; in the environment also as the name with `_FILE`.
    Secret,
}

/// Every setting: its name, how it is read, and its default.
const SETTINGS: &[(&str, Kind, Option<&str>)] = &[
    ("blobs.access_key_id", Kind::Secret, None),
    ("blobs.endpoint", Kind::Text, None),
    ("blobs.path_style", Kind::Text, None),
    ("blobs.region", Kind::Text, None),
    ("blobs.secret_access_key", Kind::Secret, None),
    ("blobs.session_token", Kind::Secret, None),
    ("blobs.url", Kind::Text, None),
    ("data", Kind::Path, Some("./moveout-data")),
    ("keys", Kind::Secret, None),
    ("ledger.mirror", Kind::Path, None),
    ("listen", Kind::Text, Some("127.0.0.1:8080")),
    ("log", Kind::Text, None),
    ("mail.from", Kind::Text, None),
    ("mail.host", Kind::Text, None),
    ("mail.password", Kind::Secret, None),
    ("mail.port", Kind::Text, None),
    ("mail.security", Kind::Text, None),
    ("mail.user", Kind::Text, None),
    ("public_url", Kind::Text, None),
    ("security_contact", Kind::Text, None),
    ("store.prepared_statements", Kind::Switch, Some("true")),
    // It may hold a password.
    ("store.url", Kind::Secret, None),
    ("tls.certificate", Kind::Path, None),
    ("tls.key", Kind::Path, None),
];

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Origin {
    Flag(&'static str),
    Environment(String),
    File(PathBuf),
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "{name}"),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A value, where it was said, and for a secret the file that holds it.
struct Chosen {
    value: String,
    origin: Origin,
    file: Option<PathBuf>,
}

impl Chosen {
    fn plain(value: impl Into<String>, origin: Origin) -> Self {
        Self { value: value.into(), origin, file: None }
    }
}

/// The winning value of every setting that has one.
pub(super) struct Values(BTreeMap<&'static str, Chosen>);

impl Values {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|chosen| chosen.value.as_str())
    }

    pub(super) fn origin(&self, name: &str) -> String {
        self.0.get(name).map_or_else(|| "unset".to_owned(), |chosen| chosen.origin.to_string())
    }

    /// Returns a setting that somebody gave and whose name begins so.
    pub(super) fn first_of(&self, prefix: &str) -> Option<&'static str> {
        self.0.keys().copied().find(|name| name.starts_with(prefix))
    }

    /// Returns the file that holds a secret, if it came from one.
    pub(super) fn file(&self, name: &str) -> Option<&Path> {
        self.0.get(name)?.file.as_deref()
    }

    /// Reads a setting that has a default.
    pub(super) fn parse<T: FromStr<Err: fmt::Display>>(&self, name: &str) -> Result<T> {
        let value = self.get(name).unwrap_or_default();
        value.parse().map_err(|cause| invalid(format!("{name} ({}) is {value:?}: {cause}", self.origin(name))))
    }

    pub(super) fn shown(&self) -> Vec<Shown> {
        let secret = |name: &str| SETTINGS.iter().any(|(setting, kind, _)| *setting == name && *kind == Kind::Secret);
        let values = self.0.iter().map(|(name, Chosen { value, origin, .. })| Shown {
            name,
            value: if secret(name) { "(hidden)".to_owned() } else { value.clone() },
            origin: origin.to_string(),
        });
        values.collect()
    }
}

/// Takes each setting from the first source that has it.
pub(super) fn gather(flags: &Flags, environment: &Environment) -> Result<Values> {
    let file = flags.config.clone().or_else(|| environment.get("MOVEOUT_CONFIG").map(PathBuf::from));
    let mut file = file.map(read_file).transpose()?;
    let mut values = BTreeMap::new();
    for &(name, kind, default) in SETTINGS {
        let written = file.as_mut().and_then(|(path, settings)| Some((path.clone(), settings.remove(name)?)));
        let value = match of_flag(flags, name).or(of_environment(environment, name, kind)?) {
            Some(value) => Some(value),
            None => match written {
                Some((path, value)) => Some(of_file(name, kind, &path, value, environment)?),
                None => default.map(|value| Chosen::plain(value, Origin::Default)),
            },
        };
        values.extend(value.map(|value| (name, value)));
    }
    if let Some((path, settings)) = file
        && let Some(name) = settings.keys().next()
    {
        return Err(invalid(format!("{}: there is no setting {name}", path.display())));
    }
    Ok(Values(values))
}

fn of_flag(flags: &Flags, name: &str) -> Option<Chosen> {
    match name {
        "data" => flags.data.as_ref().map(|data| Chosen::plain(data.display().to_string(), Origin::Flag("--data"))),
        "listen" => flags.listen.map(|listen| Chosen::plain(listen.to_string(), Origin::Flag("--listen"))),
        _ => None,
    }
}

fn of_environment(environment: &Environment, name: &str, kind: Kind) -> Result<Option<Chosen>> {
    let variable = format!("MOVEOUT_{}", name.to_ascii_uppercase().replace('.', "_"));
    if kind == Kind::Secret
        && let Some(path) = environment.get(&format!("{variable}_FILE"))
    {
        let file = PathBuf::from(path);
        let (value, origin) = (secrets::from_file(&file)?, Origin::Environment(format!("{variable}_FILE")));
        return Ok(Some(Chosen { value, origin, file: Some(file) }));
    }
    Ok(environment.get(&variable).map(|value| Chosen::plain(value, Origin::Environment(variable))))
}

fn of_file(name: &str, kind: Kind, path: &Path, value: toml::Value, environment: &Environment) -> Result<Chosen> {
    let text = match (kind, value) {
        (Kind::Switch, toml::Value::Boolean(on)) => on.to_string(),
        (Kind::Switch, _) => return Err(invalid(format!("{}: {name} is neither true nor false", path.display()))),
        (_, toml::Value::String(text)) => text,
        _ => return Err(invalid(format!("{}: {name} is not a string", path.display()))),
    };
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = None;
    let value = match kind {
        Kind::Text | Kind::Switch => text,
        Kind::Path => folder.join(text).display().to_string(),
        Kind::Secret if text.starts_with("file:") || text.starts_with("env:") => {
            file = text.strip_prefix("file:").map(|path| folder.join(path));
            secrets::resolve(&SecretRef(text), folder, environment)?
        }
        Kind::Secret => {
            return Err(invalid(format!("{}: {name} must be file:PATH or env:NAME", path.display())));
        }
    };
    Ok(Chosen { value, origin: Origin::File(path.to_owned()), file })
}

/// Reads a settings file as dotted names.
fn read_file(path: PathBuf) -> Result<(PathBuf, BTreeMap<String, toml::Value>)> {
    let text = std::fs::read_to_string(&path).map_err(|cause| {
        Problem::new(&codes::config::FILE_UNREADABLE, format!("{}: {cause}", path.display())).caused_by(cause)
    })?;
    let table: toml::Table =
        text.parse().map_err(|cause: toml::de::Error| invalid(format!("{}: {cause}", path.display())))?;
    let mut settings = BTreeMap::new();
    for (name, value) in table {
        match value {
            toml::Value::Table(members) => {
                settings.extend(members.into_iter().map(|(member, value)| (format!("{name}.{member}"), value)));
            }
            value => {
                settings.insert(name, value);
            }
        }
    }
    Ok((path, settings))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::load;

    fn written(text: &str) -> (tempfile::TempDir, Flags) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("moveout.toml");
        std::fs::write(&path, text).unwrap();
        (folder, Flags { config: Some(path), ..Flags::default() })
    }

    #[test]
    fn a_flag_wins_over_the_environment_over_the_file_over_the_default() {
        let (folder, mut flags) = written("listen = '127.0.0.1:1'\ndata = 'd'\npublic_url = 'https://a.example/'");
        std::fs::write(folder.path().join("k"), "00\n").unwrap();
        let key = folder.path().join("k");
        let environment =
            Environment::from([("MOVEOUT_LISTEN", "127.0.0.1:2"), ("MOVEOUT_KEYS_FILE", key.to_str().unwrap())]);
        let shown = |flags: &Flags, name: &str| {
            let config = load(flags, &environment).unwrap();
            let shown = config.shown().into_iter().find(|shown| shown.name == name).unwrap();
            (shown.value, shown.origin)
        };
        let file = format!("file {}", flags.config.as_ref().unwrap().display());
        assert_eq!(shown(&flags, "listen"), ("127.0.0.1:2".into(), "environment MOVEOUT_LISTEN".into()));
        assert_eq!(shown(&flags, "data"), (folder.path().join("d").display().to_string(), file));
        assert_eq!(shown(&flags, "keys"), ("(hidden)".into(), "environment MOVEOUT_KEYS_FILE".into()));
        flags.listen = Some("127.0.0.1:3".parse().unwrap());
        assert_eq!(shown(&flags, "listen"), ("127.0.0.1:3".into(), "--listen".into()));
        assert_eq!(load(&flags, &environment).unwrap().public_url(), "https://a.example");
        assert_eq!(shown(&Flags::default(), "data"), ("./moveout-data".into(), "default".into()));
    }

    #[test]
    fn what_is_unknown_or_wrong_is_an_error_that_names_it() {
        let table = [
            ("listn = 'x'", "listn"),
            ("[tls]\ncert = 'x'", "tls.cert"),
            ("[tls]\ncertificate = 'x'", "tls.key"),
            ("listen = 'here'", "listen"),
            ("[mail]\nhost = 'h'", "mail.from"),
            ("[mail]\nfrom = 'a@b.example'", "mail.host"),
            ("[mail]\nhost = 'h'\nfrom = 'nobody'", "mail.from"),
            ("[mail]\nhost = 'h'\nfrom = 'a@b.example'\nsecurity = 'x'", "mail.security"),
            ("[mail]\nhost = 'h'\nfrom = 'a@b.example'\nuser = 'u'", "mail.password"),
            ("listen = 1", "listen"),
            ("[store]\nprepared_statements = 'no'", "store.prepared_statements"),
            ("public_url = '/path'", "public_url"),
            ("keys = '00'", "keys"),
            ("listen = ", "moveout.toml"),
        ];
        for (text, named) in table {
            let (_folder, flags) = written(text);
            let problem = load(&flags, &Environment::from([])).map(|_| ()).unwrap_err();
            assert!(problem.is(&codes::config::CONFIG_INVALID) && problem.detail.contains(named), "{text}: {problem}");
        }
    }
}
