//! What was declared: whether callbacks can be verified, and systems reached and erased from.

use adapters::{Context as Opening, Spec, open_eraser};
use engine::Engine;
use engine::erasure::plan::plan;
use engine::world::{self, System};

use crate::checks::{Checks, Verdict};
use crate::context::Context;

/// Looks at apps and systems.
pub async fn look(checks: &mut Checks, engine: &Engine, context: &Context) {
    match world::apps(engine).await {
        Ok(apps) if apps.is_empty() => {
            checks.note("apps", Verdict::Warning, "none is declared; `moveout apply FILE` declares them");
        }
        Ok(apps) => {
            for app in apps {
                let count = app.secrets.len();
                checks.must("app_secret", count > 0, format!("app {} has {count} secrets", app.declared.name));
            }
        }
        Err(problem) => checks.must("apps", false, problem.to_string()),
    }
    match world::systems(engine).await {
        Ok(systems) => {
            for system in systems {
                let name = &system.declared.name;
                match reach(&system, context).await {
                    Ok(words) => checks.must("system", true, format!("{name}: {words}")),
                    Err(words) => checks.must("system", false, format!("{name}: {words}")),
                }
            }
        }
        Err(problem) => checks.must("systems", false, problem.to_string()),
    }
}

/// Opens a system, reads what it says of itself, and holds the map against it.
async fn reach(system: &System, context: &Context) -> Result<String, String> {
    if !system.declared.enabled {
        return Err("it is switched off, which blocks every erasure".to_owned());
    }
    let spec: Spec = system.url.parse().map_err(|problem: model::Problem| problem.to_string())?;
    let opening = Opening { net: context.net(), token: None, transfer: None };
    let eraser = open_eraser(&spec, &opening).await.map_err(|problem| problem.to_string())?;
    let catalog = eraser.catalog().await.map_err(|problem| problem.to_string())?;
    match plan(&catalog, &system.declared.tables) {
        Ok(_) => Ok(format!("it answers, and the map of {} tables fits", system.declared.tables.len())),
        Err(reasons) => Err(reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")),
    }
}
