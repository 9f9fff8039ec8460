//! Small items through the transfer engine into a folder, every outcome durable, against a bare parse-and-write loop.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use adapters::{Body, Capabilities, Context, Cursor, Entry, Page, Source, open_destination};
use async_trait::async_trait;
use engine::transfer::{self, Selection, Start};
use futures_util::FutureExt;
use model::item::{Activity, Content, Fields};
use model::transfer::TransferState;
use model::{DataType, Item, Problem, Result, codes};
use serde_json::value::RawValue;

use crate::bed;

const PAGE: usize = 1000;

/// Runs both with so many items.
pub async fn run(items: usize) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let bare = bare(&folder.path().join("bare.jsonl"), items)?;
    let engine = through_the_engine(folder.path(), items).await?;
    let rate = |time: Duration| items as f64 / time.as_secs_f64();
    println!("{items} items of about 600 bytes, {PAGE} a page");
    println!("bare parse and write   {:>9.0} items/s", rate(bare));
    println!("engine, archive -> dir {:>9.0} items/s", rate(engine));
    println!("ratio                  {:>9.2}", bare.as_secs_f64() / engine.as_secs_f64());
    println!("peak memory            {}", bed::peak_memory());
    Ok(())
}

/// Parses every record and writes it as a line, synced once a page: what no transfer can beat.
fn bare(path: &Path, items: usize) -> anyhow::Result<Duration> {
    let start = Instant::now();
    let mut file = std::fs::File::create(path)?;
    let mut lines = Vec::new();
    for page in 0..items.div_ceil(PAGE) {
        lines.clear();
        for number in page * PAGE..((page + 1) * PAGE).min(items) {
            serde_json::to_writer(&mut lines, &parse(number)?)?;
            lines.push(b'\n');
        }
        file.write_all(&lines)?;
        file.sync_data()?;
    }
    Ok(start.elapsed())
}

async fn through_the_engine(folder: &Path, items: usize) -> anyhow::Result<Duration> {
    let engine = bed::engine(&folder.join("data")).await?;
    let net = net::Client::new(net::Policy::operator());
    let to = adapters::Spec { adapter: "dir".to_owned(), target: folder.join("out").display().to_string() };
    let from = "archive:/synthetic".parse()?;
    let start = Start { from, to: to.clone(), token: None, selection: Selection::default() };
    let id = transfer::start(&engine, &start).await?;

    let begun = Instant::now();
    let state = transfer::carry_out(&engine, &id, move |row| {
        async move {
            let context = Context { transfer: Some(row.id), ..Context::new(net) };
            let source: Arc<dyn Source> = Arc::new(Synthetic { items });
            Ok((source, open_destination(&to, &context).await?))
        }
        .boxed()
    })
    .await?;
    let time = begun.elapsed();
    let view = transfer::show(&engine, &id).await?;
    anyhow::ensure!(state == TransferState::Done && view.difference == 0, "{view:?}");
    Ok(time)
}

/// A source that makes and parses its records when a page is read.
struct Synthetic {
    items: usize,
}

#[async_trait]
impl Source for Synthetic {
    fn capabilities(&self) -> Capabilities {
        Capabilities { reads: vec![DataType::Posts], ..Capabilities::default() }
    }

    async fn fingerprint(&self) -> Result<String> {
        Ok(self.items.to_string())
    }

    async fn page(&self, cursor: Option<&Cursor>) -> Result<Page> {
        let start: usize = cursor.map_or(0, |cursor| cursor.0.parse().unwrap_or(self.items));
        let end = (start + PAGE).min(self.items);
        let item = |number| {
            let item =
                parse(number).map_err(|cause| Problem::new(&codes::transfer::RECORD_BROKEN, "").caused_by(cause));
            item.map(|item| Entry::Item(Box::new(item)))
        };
        let entries = (start..end).map(item).collect::<Result<_>>()?;
        Ok(Page { entries, next: (end < self.items).then(|| Cursor(end.to_string())) })
    }

    async fn open(&self, _: &Content) -> Result<Body> {
        Err(Problem::new(&codes::transfer::MEDIA_MISSING, ""))
    }
}

fn parse(number: usize) -> serde_json::Result<Item> {
    let words = "Plain words of a person who moves out. ".repeat(10);
    let text = format!(
        r#"{{"id":"https://s.example/{number}","type":"Note","published":"2024-01-01T00:00:00Z","content":"{words}{number}"}}"#
    );
    let original: Box<RawValue> = serde_json::from_str(&text)?;
    let record: serde_json::Value = serde_json::from_str(original.get())?;
    let word = |name: &str| record[name].as_str().map(str::to_owned);
    Ok(Item {
        data_type: DataType::Posts,
        id: word("id").unwrap_or_default(),
        containers: vec![],
        created: word("published").and_then(|text| text.parse().ok()),
        modified: None,
        zone: None,
        visibility: None,
        content: None,
        fields: Fields::Activity(Box::new(Activity { content: word("content"), ..Activity::default() })),
        original: Some(original),
    })
}
