//! `dtp+https://host/dtp/`: the import endpoint of a Data Transfer Project partner, written to as a DTP worker does.
//!
//! Any Generic Importer endpoint will do. A landing of ours says at its base URL that it recognises repeats; then several items
//! may be in flight, and an item of which the answer was lost can be sent again.

mod errors;
mod write;

use async_trait::async_trait;
use model::{DataType, Item, Problem, Result, codes};
use net::{Method, StatusCode, header};
use serde::Deserialize;
use url::Url;
use wire::dtp::Vertical;

use crate::open::{Context, Described, Token};
use crate::spec::Spec;
use crate::verbs::{Body, Capabilities, ContentOrder, Destination, ItemKey, Written};

/// The largest answer that is read; a DTP endpoint answers with an id or an error, both short.
const MAX_ANSWER: usize = 64 * 1024;
/// How many items a landing of ours takes at once.
const CONCURRENCY_KNOWN: usize = 16;
/// How many without content: our landing commits those that wait together.
const WITHOUT_CONTENT_KNOWN: usize = 64;
/// How many items are sent at once to an endpoint of which nothing is known; a DTP worker sends one, per job.
const CONCURRENCY_UNKNOWN: usize = 4;

/// An open destination.
#[derive(Debug)]
pub struct Dtp {
    net: net::Client,
    base: Url,
    token: Token,
    recognises_repeats: bool,
}

/// What a landing of ours says of itself at its base URL; other endpoints say something else, or nothing.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Introduction {
    product: String,
    repeats: String,
}

/// Returns the line for `moveout adapter list`.
pub fn described() -> Described {
    Described {
        name: "dtp",
        capabilities: capabilities(true),
        about: "an import endpoint of the Data Transfer Project (Generic Importer): dtp+https://host/dtp/",
    }
}

fn capabilities(recognises_repeats: bool) -> Capabilities {
    Capabilities {
        reads: vec![],
        writes: DataType::ALL.into_iter().filter(|data_type| Vertical::of(*data_type).is_some()).collect(),
        erases: false,
        content_order: ContentOrder::Any,
        recognises_repeats,
        concurrency: if recognises_repeats { CONCURRENCY_KNOWN } else { CONCURRENCY_UNKNOWN },
        concurrency_without_content: if recognises_repeats { WITHOUT_CONTENT_KNOWN } else { CONCURRENCY_UNKNOWN },
    }
}

impl Dtp {
    /// Opens the endpoint: asks once whether it is a landing of ours.
    ///
    /// # Errors
    /// `MO-3013` for a malformed address, `MO-3020` without a token, or what kept the endpoint from answering.
    pub async fn open(spec: &Spec, context: &Context) -> Result<Self> {
        let malformed = |detail: &str| Problem::new(&codes::transfer::SPEC_MALFORMED, detail);
        let mut base = Url::parse(&spec.target).map_err(|_| malformed("what stands behind dtp+ is not a URL"))?;
        if base.query().is_some() || base.fragment().is_some() {
            return Err(malformed("the address of an import endpoint has neither '?' nor '#'"));
        }
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let token = context.token.clone().ok_or_else(|| Problem::new(&codes::transfer::TOKEN_MISSING, ""))?;
        let recognises_repeats = introduces_itself(&context.net, &base).await?;
        Ok(Self { net: context.net.clone(), base, token, recognises_repeats })
    }
}

/// Asks the endpoint what it is. Only a failure to connect is one: most endpoints have nothing at their base URL.
async fn introduces_itself(client: &net::Client, base: &Url) -> Result<bool> {
    let request = client.request(Method::GET, base.as_str())?.header(header::ACCEPT, "application/json");
    let response = net::send(request).await?;
    if response.status() != StatusCode::OK {
        return Ok(false);
    }
    let body = net::read_limited(response, MAX_ANSWER).await.unwrap_or_default();
    let introduction: Introduction = serde_json::from_slice(&body).unwrap_or_default();
    Ok(introduction.product == "moveout" && introduction.repeats == "recognised")
}

#[async_trait]
impl Destination for Dtp {
    fn capabilities(&self) -> Capabilities {
        capabilities(self.recognises_repeats)
    }

    fn refuses(&self, item: &Item) -> Option<Problem> {
        let Some(vertical) = Vertical::of(item.data_type) else {
            let detail = format!("the Generic Importer has no vertical for {}", item.data_type);
            return Some(Problem::new(&codes::transfer::TYPE_UNSUPPORTED, detail));
        };
        let has_bytes = vertical == Vertical::Media && item.data_type != DataType::Albums;
        (has_bytes && item.content.is_none()).then(|| {
            Problem::new(&codes::transfer::MEDIA_MISSING, "the record names no file, and the wire wants its bytes")
        })
    }

    async fn write(&self, item: &Item, key: &ItemKey, body: Option<Body>) -> Result<Written> {
        write::write(self, item, key, body).await
    }
}
