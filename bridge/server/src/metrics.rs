//! Metrics for Prometheus, on a port of their own: what each namespace counted, and how many are there.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;

use crate::namespaces::Namespaces;

/// Serves `/metrics` until the process ends; answers where.
pub async fn serve(address: SocketAddr, namespaces: Arc<Namespaces>) -> Result<SocketAddr, String> {
    let listener = TcpListener::bind(address).await.map_err(|problem| {
        format!("cannot serve metrics on {address}: {problem}; choose another --metrics")
    })?;
    let bound = listener.local_addr().map_err(|problem| problem.to_string())?;
    tracing::info!(address = %bound, "metrics");
    let app = Router::new().route(
        "/metrics",
        get(move || {
            let namespaces = Arc::clone(&namespaces);
            async move {
                let text = exposition(&namespaces).await;
                ([(CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
            }
        }),
    );
    tokio::spawn(async move {
        if let Err(problem) = axum::serve(listener, app).await {
            tracing::error!(%problem, "metrics stopped");
        }
    });
    Ok(bound)
}

async fn exposition(namespaces: &Namespaces) -> String {
    let mut gauges: BTreeMap<&str, BTreeMap<String, u64>> = BTreeMap::new();
    let mut counters: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    let handles = namespaces.all();
    for handle in &handles {
        let Some(snapshot) = handle.snapshot().await else { continue };
        let name = handle.name.clone();
        let queued = snapshot.agents.iter().map(|agent| agent.queued_events + agent.waiting_events).sum();
        gauges.entry("agents").or_default().insert(name.clone(), snapshot.agents.len() as u64);
        gauges.entry("open_calls").or_default().insert(name.clone(), snapshot.calls.len() as u64);
        gauges.entry("queued_events").or_default().insert(name.clone(), queued);
        for (counter, count) in snapshot.counters {
            counters.entry(counter.into_owned()).or_default().insert(name.clone(), count);
        }
    }
    let mut text = format!("# TYPE loom_namespaces gauge\nloom_namespaces {}\n", handles.len());
    for (name, values) in &gauges {
        write_metric(&mut text, &format!("loom_{name}"), "gauge", values);
    }
    for (name, values) in &counters {
        write_metric(&mut text, &format!("loom_{name}_total"), "counter", values);
    }
    text
}

fn write_metric(text: &mut String, name: &str, kind: &str, values: &BTreeMap<String, u64>) {
    // Writing to a String cannot fail. A namespace's name needs no escape: its characters are those of a topic.
    _ = writeln!(text, "# TYPE {name} {kind}");
    for (namespace, value) in values {
        _ = writeln!(text, "{name}{{namespace=\"{namespace}\"}} {value}");
    }
}
