//! `moveout adapter show`: what an adapter can do, what can be said of it, and an example.

use adapters::manual::{Manual, manual};
use adapters::{Described, registry};
use model::{Problem, codes};

use crate::context::Context;
use crate::exit::ExitCode;

/// Show what an adapter can do, what can be said of it, and an example.
#[derive(clap::Args)]
pub struct ShowArgs {
    /// Its name, as `moveout adapter list` has it
    name: String,
}

/// Shows it.
pub fn run(args: &ShowArgs, context: &Context) -> anyhow::Result<ExitCode> {
    let Some(adapter) = registry().into_iter().find(|adapter| adapter.name == args.name) else {
        let known: Vec<&str> = registry().iter().map(|adapter| adapter.name).collect();
        let detail = format!("there is none called {}; there are {}", args.name, known.join(", "));
        return Err(Problem::new(&codes::config::ADAPTER_UNKNOWN, detail).into());
    };
    let manual = manual(adapter.name);
    let mut value = serde_json::to_value(&adapter)?;
    if let Some(manual) = &manual {
        let members = manual.members.iter().map(|(name, what)| ((*name).to_owned(), (*what).into()));
        value["spec"] = manual.spec.into();
        value["members"] = serde_json::Value::Object(members.collect());
        value["verifies"] = manual.verifies.into();
        value["limits"] = serde_json::to_value(manual.limits)?;
        value["example"] = manual.example.into();
    }
    context.out.result(&value, || words(&adapter, manual.as_ref()))?;
    Ok(ExitCode::Ok)
}

fn words(adapter: &Described, manual: Option<&Manual>) -> String {
    let mut words = super::described(adapter);
    let Some(manual) = manual else { return words };
    words.push_str(&format!("\nWritten     {}\nVerifies    {}\n", manual.spec, manual.verifies));
    for limit in manual.limits {
        words.push_str(&format!("Limit       {limit}\n"));
    }
    for (name, what) in manual.members {
        words.push_str(&format!("\n{name}\n    {what}\n"));
    }
    words.push_str(&format!("\nExample\n\n{}\n", manual.example.trim_end()));
    words
}
