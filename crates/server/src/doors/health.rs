//! What those who run a server ask it: is it alive, is it ready, how is it doing, whom to tell of a weakness.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use engine::Engine;
use engine::status::{self, Count};
use http::{StatusCode, header};
use jiff::{Timestamp, ToSpan, Unit};
use model::{Problem, codes};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::App;
use crate::problem::{Explained, Rejection};

/// Returns the routes of this door.
pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/.well-known/security.txt", get(security))
}

/// `GET /healthz`: the process answers.
async fn alive() -> Response {
    ([(header::CACHE_CONTROL, "no-store")], "ok\n").into_response()
}

/// `GET /readyz`: the store answers, and the server is not stopping. Says so when work is stopped or held.
async fn ready(State(app): State<App>) -> Result<Response, Rejection> {
    if app.house.stopping.is_cancelled() {
        return Err(Problem::new(&codes::door::STOPPING, "").into());
    }
    // Doors still take requests: no reason to send them elsewhere.
    let mut words = "ready".to_owned();
    if let Some(stop) = engine::erasure::stopped(&app.engine).await? {
        words.push_str(&format!("; all erasures are stopped since {}", stop.since));
    }
    if let Some(held) = engine::backup::held(&app.engine).await? {
        words.push_str(&format!("; {held}"));
    }
    words.push('\n');
    Ok(([(header::CACHE_CONTROL, "no-store")], words).into_response())
}

/// `GET /.well-known/security.txt` (RFC 9116)
async fn security(State(app): State<App>) -> Result<Response, Rejection> {
    let url = &app.engine.settings().public_url;
    // Where nobody is named, the page for people says whom to write to.
    let contact = app.house.security_contact.clone().unwrap_or_else(|| format!("{url}/deletion"));
    let in_half_a_year = app.engine.ambient().now().checked_add((24 * 182).hours());
    let expires = in_half_a_year
        .and_then(|instant| instant.round(Unit::Hour))
        .map_err(|cause| Problem::new(&codes::door::INTERNAL, "the clock is at its end").caused_by(cause))?;
    let text = format!(
        "Contact: {contact}\nExpires: {expires}\nCanonical: {url}/.well-known/security.txt\nPreferred-Languages: en\n"
    );
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refused {
    route: String,
    code: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InState {
    state: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Named {
    operation: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    operation: &'static str,
    outcome: &'static str,
}

type Gauges = Family<InState, Gauge<u64, AtomicU64>>;

/// What is counted while the process runs, and gauges that are set from the store when somebody asks.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    refusals: Family<Refused, Counter>,
    callback_failures: Counter,
    seconds: Histogram,
    erasures: Gauges,
    jobs: Gauges,
    transfers: Gauges,
    notices: Gauges,
    oldest_erasure: Gauge,
    due: Gauge,
    oldest_job: Gauge,
    operations: Family<Ended, Counter>,
    operation_retries: Family<Named, Counter>,
    operation_seconds: Family<Named, Counter<f64, AtomicU64>>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("moveout"),
            requests: Family::default(),
            refusals: Family::default(),
            callback_failures: Counter::default(),
            seconds: Histogram::new([0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0]),
            erasures: Gauges::default(),
            jobs: Gauges::default(),
            transfers: Gauges::default(),
            notices: Gauges::default(),
            oldest_erasure: Gauge::default(),
            due: Gauge::default(),
            oldest_job: Gauge::default(),
            operations: Family::default(),
            operation_retries: Family::default(),
            operation_seconds: Family::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("http_requests", "Requests answered, by route and status", metrics.requests.clone());
        registry.register("http_refusals", "Requests refused, by route and error code", metrics.refusals.clone());
        registry.register(
            "callback_verification_failures",
            "Deletion callbacks whose signed_request did not verify",
            metrics.callback_failures.clone(),
        );
        registry.register("http_request_seconds", "Time until the answer began", metrics.seconds.clone());
        registry.register("erasures", "Erasure requests by state", metrics.erasures.clone());
        registry.register("jobs", "Jobs: due, scheduled, leased, parked", metrics.jobs.clone());
        registry.register("transfers", "Transfers by state", metrics.transfers.clone());
        registry.register("notices", "Notices to webhooks: waiting, parked", metrics.notices.clone());
        registry.register(
            "erasure_oldest_open_seconds",
            "Age of the oldest erasure request that has not ended; 0 if none is open",
            metrics.oldest_erasure.clone(),
        );
        registry.register(
            "erasure_next_due_seconds",
            "Time until the next answer to an open erasure request is due; negative if it is late, 0 if none is open",
            metrics.due.clone(),
        );
        registry.register(
            "job_oldest_due_seconds",
            "How long the oldest job that could run has waited; 0 if none waits",
            metrics.oldest_job.clone(),
        );
        registry.register(
            "store_operations",
            "Operations of the store that ended, by name and outcome",
            metrics.operations.clone(),
        );
        registry.register(
            "store_operation_retries",
            "How often operations of the store were run again, by name",
            metrics.operation_retries.clone(),
        );
        registry.register(
            "store_operation_seconds",
            "Time that operations of the store took in all, by name",
            metrics.operation_seconds.clone(),
        );
        metrics
    }
}

impl Metrics {
    /// Takes over what the store has counted.
    fn set_operations(&self, engine: &Engine) {
        for (operation, figures) in status::operations(engine) {
            for (outcome, count) in [("done", figures.done), ("failed", figures.failed)] {
                self.operations.get_or_create(&Ended { operation, outcome }).inner().store(count, Ordering::Relaxed);
            }
            let named = Named { operation };
            self.operation_retries.get_or_create(&named).inner().store(figures.retries, Ordering::Relaxed);
            let seconds = figures.took.as_secs_f64().to_bits();
            self.operation_seconds.get_or_create(&named).inner().store(seconds, Ordering::Relaxed);
        }
    }
}

/// `GET /metrics`, in the OpenMetrics text format
async fn metrics(State(app): State<App>) -> Result<Response, Rejection> {
    let (status, now) = (status::status(&app.engine).await?, app.engine.ambient().now());
    let metrics = &app.house.metrics;
    let set = |gauges: &Gauges, counts: Vec<Count>| {
        gauges.clear();
        for Count { state, count } in counts {
            gauges.get_or_create(&InState { state }).set(count);
        }
    };
    set(&metrics.erasures, status.erasures);
    set(&metrics.jobs, status.jobs);
    set(&metrics.transfers, status.transfers);
    set(&metrics.notices, status.notices);
    let age = |since: Option<Timestamp>| since.map_or(0, |since| now.duration_since(since).as_secs());
    metrics.oldest_erasure.set(age(status.oldest_open_erasure));
    metrics.due.set(-age(status.next_erasure_due));
    metrics.oldest_job.set(age(status.oldest_due_job));
    metrics.set_operations(&app.engine);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &metrics.registry)
        .map_err(|cause| Problem::new(&codes::door::INTERNAL, "the metrics cannot be written").caused_by(cause))?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")], text).into_response())
}

/// Counts every request by its route (never by its path, which may hold a confirmation code).
pub(crate) async fn count(State(app): State<App>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let method = match request.method().as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "HEAD" => "HEAD",
        _ => "other",
    };
    let began = Instant::now();
    let response = next.run(request).await;
    let metrics = &app.house.metrics;
    metrics.seconds.observe(began.elapsed().as_secs_f64());
    if let Some(Explained { code, .. }) = response.extensions().get() {
        let unverified = [
            &codes::door::SIGNATURE_MISMATCH,
            &codes::door::SIGNED_REQUEST_MALFORMED,
            &codes::door::ALGORITHM_UNSUPPORTED,
        ];
        if unverified.contains(code) {
            metrics.callback_failures.inc();
        }
        metrics.refusals.get_or_create(&Refused { route: route.clone(), code: code.to_string() }).inc();
    }
    let status = StatusCode::as_u16(&response.status());
    metrics.requests.get_or_create(&Answered { method, route, status }).inc();
    response
}
