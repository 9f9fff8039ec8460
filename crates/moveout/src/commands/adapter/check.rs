//! `moveout adapter check`: holds a map against its live database, or a source or destination to its promises.

use std::collections::BTreeMap;
use std::path::Path;

use adapters::{
    Context as Opening, Spec, Token, behaviour, open_destination, open_eraser, open_inspector, open_source,
};
use engine::scan;
use engine::world;
use model::check::{Checks, Verdict};
use model::world::{SecretRef, System, Table};
use model::{Problem, codes};
use serde_json::json;

use crate::commands::apply;
use crate::context::Context;
use crate::exit::ExitCode;

/// Hold a map against its live database, or a source or destination to its promises.
#[derive(clap::Args)]
pub struct CheckArgs {
    /// A declaration (world.toml), the name of a declared system, or a SPEC
    #[arg(value_name = "SPEC|FILE")]
    what: String,
    /// Only this system of the declaration
    #[arg(long, value_name = "NAME")]
    system: Option<String>,
    /// Write test items to a destination that they cannot be taken out of again
    #[arg(long)]
    write: bool,
}

/// What is to be checked: a declared system, or a spec alone.
struct Subject {
    name: String,
    spec: Spec,
    tables: Vec<Table>,
    locations: usize,
    secrets: BTreeMap<String, Token>,
}

impl Subject {
    fn of_spec(spec: Spec) -> Self {
        Self { name: spec.to_string(), spec, tables: vec![], locations: 0, secrets: BTreeMap::new() }
    }

    /// A declared system, whose address and secrets were resolved.
    fn of_system(declared: System, url: &str, secrets: BTreeMap<String, Token>) -> model::Result<Self> {
        let (spec, locations) = (url.trim().parse()?, declared.locations.len());
        Ok(Self { name: declared.name, spec, tables: declared.tables, locations, secrets })
    }
}

/// Checks, and tells point by point.
pub async fn run(args: CheckArgs, context: &Context) -> anyhow::Result<ExitCode> {
    let mut all = Vec::new();
    let mut holds = true;
    let mut words = String::new();
    for subject in subjects(&args, context).await? {
        let checks = check(&subject, &args, context).await?;
        holds &= checks.hold();
        words.push_str(&format!("{} ({})\n{}\n", subject.name, subject.spec.adapter, checks.words()));
        all.push(
            json!({ "name": subject.name, "adapter": subject.spec.adapter, "holds": checks.hold(), "checks": checks }),
        );
    }
    context.out.result(&json!({ "holds": holds, "systems": all }), || words)?;
    Ok(if holds { ExitCode::Ok } else { ExitCode::NotHeld })
}

async fn subjects(args: &CheckArgs, context: &Context) -> anyhow::Result<Vec<Subject>> {
    let file = Path::new(&args.what);
    if file.is_file() && !args.what.contains(':') {
        return declared_in(file, args.system.as_deref(), context);
    }
    if args.what.contains(':') {
        let text = context.resolve(&SecretRef(args.what.clone()), &std::env::current_dir()?)?;
        let spec: Spec = text.trim().parse()?;
        return Ok(vec![Subject::of_spec(spec)]);
    }
    let systems = world::systems(&context.engine().await?).await?;
    let Some(system) = systems.into_iter().find(|system| system.declared.name == args.what) else {
        let detail = format!("{}: neither a file, nor a declared system, nor a SPEC like sqlite:./shop.db", args.what);
        return Err(Problem::new(&codes::config::FILE_UNREADABLE, detail).into());
    };
    let secrets = system.secrets.iter().map(|(name, secret)| (name.clone(), Token::new(secret.as_str()))).collect();
    Ok(vec![Subject::of_system(system.declared, &system.url, secrets)?])
}

/// The systems of a declaration, applied or not.
fn declared_in(file: &Path, only: Option<&str>, context: &Context) -> anyhow::Result<Vec<Subject>> {
    let (world, folder) = apply::read(file)?;
    let mut subjects = Vec::new();
    for system in world.systems.into_iter().filter(|system| only.is_none_or(|only| system.name == only)) {
        let url = context.resolve(&system.url, &folder)?;
        let resolved = |(name, secret): (&String, &SecretRef)| -> model::Result<(String, Token)> {
            Ok((name.clone(), Token::new(context.resolve(secret, &folder)?)))
        };
        let secrets = system.secrets.iter().map(resolved).collect::<model::Result<_>>()?;
        subjects.push(Subject::of_system(system, &url, secrets)?);
    }
    if subjects.is_empty() {
        return Err(Problem::new(&codes::config::WORLD_INVALID, "it declares no such system").into());
    }
    Ok(subjects)
}

async fn check(subject: &Subject, args: &CheckArgs, context: &Context) -> anyhow::Result<Checks> {
    let token = context.environment.get("MOVEOUT_TOKEN").map(Token::new);
    let opening = Opening { token, secrets: subject.secrets.clone(), ..Opening::new(context.net()) };
    match open_inspector(&subject.spec, &opening).await {
        Ok(inspector) => return Ok(scan::check(inspector.as_ref(), &subject.tables).await),
        Err(problem) if !problem.is(&codes::transfer::VERB_UNSUPPORTED) => return Err(problem.into()),
        Err(_) => {}
    }
    let capabilities = adapters::registry().into_iter().find(|known| known.name == subject.spec.adapter);
    let capabilities = capabilities.map(|known| known.capabilities).unwrap_or_default();
    match () {
        () if subject.locations > 0 => reached(subject, &opening).await,
        () if subject.spec.adapter == "dir" => in_scratch_folder(&subject.spec, &opening, context).await,
        () if !capabilities.reads.is_empty() => match open_source(&subject.spec, &opening).await {
            Ok(source) => Ok(behaviour::source(source.as_ref()).await),
            Err(problem) => Ok(not_opened(&problem)),
        },
        () if !capabilities.writes.is_empty() => to_destination(subject, args.write, opening).await,
        () => reached(subject, &opening).await,
    }
}

/// A system without tables: whether it answers. Whoever is looked for there is named by the identities of a request.
async fn reached(subject: &Subject, opening: &Opening) -> anyhow::Result<Checks> {
    let answer = match open_eraser(&subject.spec, opening).await {
        Ok(eraser) => eraser.catalog().await.map(drop),
        Err(problem) => Err(problem),
    };
    Ok(match answer {
        Ok(()) => {
            let mut checks = Checks::default();
            checks.must("connect", true, format!("it answers; {} locations are declared", subject.locations));
            checks.should(
                "map",
                subject.tables.is_empty(),
                match subject.tables.len() {
                    0 => "it has no tables to look into".to_owned(),
                    tables => format!(
                        "its map of {tables} tables cannot be checked here; `moveout erasure plan` shows what it finds"
                    ),
                },
            );
            checks
        }
        Err(problem) => not_opened(&problem),
    })
}

fn not_opened(problem: &Problem) -> Checks {
    let mut checks = Checks::default();
    checks.failed("open", problem);
    checks
}

/// Writes into a folder of its own beside what is there, reads it back, and takes it away again.
async fn in_scratch_folder(spec: &Spec, opening: &Opening, context: &Context) -> anyhow::Result<Checks> {
    let place = Path::new(&spec.target);
    let within = place.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("."));
    let scratch = within.join(format!(".moveout-check-{}", context.ambient.ids.id()));
    let scratch_spec = Spec { adapter: spec.adapter.clone(), target: scratch.display().to_string() };
    let writing = Opening { transfer: Some("check".to_owned()), ..opening.clone() };
    let mut checks = behaviour::destination(|| open_destination(&scratch_spec, &writing)).await;
    match open_source(&scratch_spec, opening).await {
        Ok(source) => checks.extend(behaviour::source(source.as_ref()).await),
        Err(problem) => checks.failed("read_back", &problem),
    }
    match std::fs::remove_dir_all(&scratch) {
        Err(cause) if scratch.exists() => {
            checks.note("clean_up", Verdict::Warning, format!("{} could not be removed: {cause}", scratch.display()))
        }
        _ => checks.must("clean_up", true, "what was written was taken away again"),
    }
    Ok(checks)
}

/// A destination that nothing can be taken out of again is written to only when somebody says so.
async fn to_destination(subject: &Subject, write: bool, opening: Opening) -> anyhow::Result<Checks> {
    if write {
        let writing = Opening { transfer: Some("check".to_owned()), ..opening };
        return Ok(behaviour::destination(|| open_destination(&subject.spec, &writing)).await);
    }
    Ok(match open_destination(&subject.spec, &opening).await {
        Ok(opened) => {
            let mut checks = Checks::default();
            let types: Vec<&str> = opened.capabilities().writes.iter().map(|data_type| data_type.name()).collect();
            checks.must("open", true, format!("it takes {}", types.join(", ")));
            checks.note(
                "write",
                Verdict::Warning,
                "nothing was written: test items could not be taken out again; --write does it",
            );
            checks
        }
        Err(problem) => not_opened(&problem),
    })
}
