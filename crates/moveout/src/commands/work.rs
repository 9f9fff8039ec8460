//! `moveout work`: workers without doors, for more machines, until it is told to stop.

use engine::jobs::Worker;
use tokio_util::sync::CancellationToken;

use super::serve::stop_on_signal;
use crate::context::Context;
use crate::exit::ExitCode;

/// Workers without doors, for more machines on one PostgreSQL.
#[derive(clap::Args)]
pub struct WorkArgs {}

/// Works until SIGINT or SIGTERM; running jobs may end first, and what is cut off is taken up elsewhere.
pub async fn run(_: WorkArgs, context: &Context) -> anyhow::Result<ExitCode> {
    let stop = CancellationToken::new();
    stop_on_signal(stop.clone())?;
    let engine = context.engine().await?;
    let place = if context.config.postgres.is_some() {
        "PostgreSQL".to_owned()
    } else {
        context.config.data.display().to_string()
    };
    context.out.note(&format!("moveout works on the store in {place}"));
    Worker::new(engine).run(stop).await?;
    Ok(ExitCode::Ok)
}
