//! What Prometheus scrapes.

use loom_bridge::metrics;
use loom_bridge::namespaces::Namespaces;
use loom_engine::inputs::{Heartbeat, Register};
use loom_engine::limits::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn get(address: std::net::SocketAddr, path: &str) -> String {
    let mut connection = TcpStream::connect(address).await.expect("a connection");
    let request = format!("GET {path} HTTP/1.1\r\nHost: bridge\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await.expect("written");
    let mut response = String::new();
    connection.read_to_string(&mut response).await.expect("read");
    response
}

#[tokio::test]
async fn every_namespace_tells_what_it_counted() {
    let namespaces = Namespaces::new(Limits::default());
    let address =
        metrics::serve("127.0.0.1:0".parse().expect("an address"), namespaces.clone()).await.expect("served");
    let one = namespaces.get("one").expect("made");
    one.ask(None, |call| Register { call, agent_id: "a".into(), ..Default::default() }.into())
        .await
        .expect("answered");
    let two = namespaces.get("two").expect("made");
    two.ask(None, |call| Heartbeat { call, timestamp_ms: 1 }.into()).await.expect("answered");
    let text = get(address, "/metrics").await;
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    for line in [
        "loom_namespaces 2",
        "# TYPE loom_agents gauge",
        "loom_agents{namespace=\"one\"} 1",
        "loom_agents{namespace=\"two\"} 0",
        "# TYPE loom_agents_registered_total counter",
        "loom_agents_registered_total{namespace=\"one\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is missing in {text}");
    }
    assert!(get(address, "/").await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn a_port_in_use_is_told_in_one_line() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound");
    let problem = metrics::serve(address, Namespaces::new(Limits::default())).await.expect_err("taken");
    assert!(problem.contains("--metrics") && !problem.contains('\n'), "{problem}");
}
