//! What was declared: whether callbacks can be verified, and systems reached and erased from.

use engine::Engine;
use engine::erasure;
use engine::notify::{self, Standing};
use engine::world::{self, System};
use model::check::{Checks, Verdict};
use model::problem::Reason;

/// Looks at apps and systems.
pub async fn look(checks: &mut Checks, engine: &Engine) {
    match world::apps(engine).await {
        Ok(apps) if apps.is_empty() => {
            checks.note("apps", Verdict::Warning, "none is declared; `moveout apply FILE` declares them");
        }
        Ok(apps) => {
            for app in apps {
                if app.declared.form && !engine.sends_mail() {
                    let words = format!("app {} has a form, but mail.host is not set", app.declared.name);
                    checks.note("mail", Verdict::Failed, words);
                }
                let count = app.secrets.len();
                checks.must("app_secret", count > 0, format!("app {} has {count} secrets", app.declared.name));
            }
        }
        Err(problem) => checks.must("apps", false, problem.to_string()),
    }
    match erasure::stopped(engine).await {
        Ok(None) => {}
        Ok(Some(stop)) => {
            let words =
                format!("all are stopped since {}: {}; `moveout erasure start` lets them go on", stop.since, stop.why);
            checks.note("erasures", Verdict::Warning, words);
        }
        Err(problem) => checks.must("erasures", false, problem.to_string()),
    }
    match world::systems(engine).await {
        Ok(systems) => {
            for system in systems {
                let name = &system.declared.name;
                match reach(engine, &system).await {
                    Ok(words) => checks.must("system", true, format!("{name}: {words}")),
                    Err(words) => checks.must("system", false, format!("{name}: {words}")),
                }
            }
        }
        Err(problem) => checks.must("systems", false, problem.to_string()),
    }
    match notify::list(engine).await {
        Ok(standings) => standings.iter().for_each(|standing| webhook(checks, standing)),
        Err(problem) => checks.must("webhooks", false, problem.to_string()),
    }
}

/// Tells whether a receiver takes what it is told.
fn webhook(checks: &mut Checks, standing: &Standing) {
    let Standing { name, waiting, parked, health, .. } = standing;
    let why = health.problem.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let words = format!("{name}: {waiting} notices wait, {parked} were put aside{why}");
    checks.should("webhook", *parked == 0 && health.problem.is_none(), words);
}

/// Opens a system, reads what it says of itself, and holds the map against it.
async fn reach(engine: &Engine, system: &System) -> Result<String, String> {
    let words = |reasons: Vec<Reason>| reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    engine::erasure::check_system(engine, system).await.map_err(words)?;
    let places = match system.declared.locations.len() {
        0 => format!("{} tables", system.declared.tables.len()),
        locations => format!("{locations} locations"),
    };
    Ok(format!("it answers, and the map of {places} fits"))
}
