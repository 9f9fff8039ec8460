//! Benchmarks: us, the peer or the bare limit, side by side on one machine in one run. The ratio counts, not the figure.
//!
//! ```text
//! cargo run --release --manifest-path bench/Cargo.toml transfer [ITEMS]
//! cargo run --release --manifest-path bench/Cargo.toml erasure [PEOPLE]
//! cargo run --release --manifest-path bench/Cargo.toml writes [WRITES]
//! cargo run --release --manifest-path bench/Cargo.toml queue [JOBS]
//! ```

mod bed;
mod erasure;
mod queue;
mod transfer;
mod writes;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let number = arguments.next().map(|text| text.parse::<usize>()).transpose()?;
    match name.as_str() {
        "transfer" => transfer::run(number.unwrap_or(200_000)).await,
        "erasure" => erasure::run(number.unwrap_or(100)).await,
        "writes" => writes::run(number.unwrap_or(100_000)).await,
        "queue" => queue::run(number.unwrap_or(20_000)).await,
        _ => anyhow::bail!("say which: transfer, erasure, writes, queue"),
    }
}
