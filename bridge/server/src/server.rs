//! The bridge as a whole: listens, serves, and stops in order.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_stream::Stream;
use tonic::transport::Server;
use tonic::transport::server::{Connected, Router, TcpIncoming};
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use tower::layer::util::{Identity, Stack};
use tower::util::MapRequestLayer;

use crate::bridge::BridgeService;
use crate::config::Config;
use crate::control::ControlService;
use crate::ending;
use crate::metrics;
use crate::namespaces::Namespaces;
use crate::wire;
use crate::wire::control::control_server::ControlServer;
use crate::wire::v1::action_broker_server::ActionBrokerServer;
use crate::wire::v1::bridge_server::BridgeServer;

/// How often a connection is asked for a sign of life, and how long it may take to give one.
const KEEPALIVE: Duration = Duration::from_secs(5);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(4);
/// How many cancels a connection may have waiting; more than a busy client makes, less than an attack.
const PENDING_RESETS: usize = 4096;
/// How long, at the very end, answers may take to leave.
const TAIL: Duration = Duration::from_millis(500);

/// What is served beside our own services.
const FOREIGN: [&str; 3] = [
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
];

/// Every request passes `ending::track`.
type Track = fn(http::Request<tonic::body::Body>) -> http::Request<tonic::body::Body>;
type Layers = Stack<MapRequestLayer<Track>, Identity>;

/// A bridge that listens but does not serve yet.
pub struct Bridge {
    config: Config,
    listener: TcpListener,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Bridge {
    /// Takes the port; the error is one line that says what to change.
    pub async fn bind(config: Config) -> Result<Self, String> {
        let wanted = &config.listen;
        let addresses: Vec<SocketAddr> = wanted
            .to_socket_addrs()
            .map_err(|problem| format!("--listen {wanted:?} is not HOST:PORT: {problem}"))?
            .collect();
        let listener = TcpListener::bind(&addresses[..]).await.map_err(|problem| {
            if problem.kind() == std::io::ErrorKind::AddrInUse {
                format!(
                    "cannot listen on {wanted}: the port is in use; \
                     choose another with --listen HOST:PORT, or port 0"
                )
            } else {
                format!("cannot listen on {wanted}: {problem}; choose another with --listen HOST:PORT")
            }
        })?;
        let address = listener.local_addr().map_err(|problem| problem.to_string())?;
        Ok(Self { config, listener, address })
    }

    /// Serves until `stop` resolves, then lets open work finish within the grace (LIM-3).
    pub async fn serve(self, stop: impl Future<Output = ()>) -> Result<(), String> {
        serve_on(self.config, connections(self.listener), stop).await
    }
}

/// What comes in on a port. Nagle's algorithm is switched off here, since the builder's own setting is for listeners that
/// it opens itself; with it small messages would wait for the peer's acknowledgement of those before, 40 ms.
fn connections(listener: TcpListener) -> TcpIncoming {
    TcpIncoming::from(listener).with_nodelay(Some(true))
}

/// Serves whatever connections come in, over any transport.
pub async fn serve_on<C>(
    config: Config,
    incoming: impl Stream<Item = std::io::Result<C>> + Send + 'static,
    stop: impl Future<Output = ()>,
) -> Result<(), String>
where
    C: AsyncRead + AsyncWrite + Connected + Unpin + Send + 'static,
{
    let namespaces = Namespaces::new(config.limits.clone());
    if let Some(address) = config.metrics {
        metrics::serve(address, Arc::clone(&namespaces)).await?;
    }
    let (health, health_service) = tonic_health::server::health_reporter();
    report(&health, config.testing, ServingStatus::Serving).await;
    let router = router(&config, &namespaces)?.add_service(health_service);
    let (close, closed) = oneshot::channel::<()>();
    let mut serving = tokio::spawn(router.serve_with_incoming_shutdown(incoming, async {
        _ = closed.await;
    }));
    tokio::select! {
        () = stop => {}
        ended = &mut serving => {
            return ended.map_err(|problem| problem.to_string())?.map_err(|problem| problem.to_string());
        }
    }
    report(&health, config.testing, ServingStatus::NotServing).await;
    namespaces.drain(config.grace).await;
    _ = close.send(());
    // Idle connections and silent peers are not waited for.
    _ = tokio::time::timeout(TAIL, serving).await;
    Ok(())
}

fn router(config: &Config, namespaces: &Arc<Namespaces>) -> Result<Router<Layers>, String> {
    let most = usize::try_from(config.limits.message_bytes).unwrap_or(usize::MAX);
    let streams = u32::try_from(config.limits.connection_streams).unwrap_or(u32::MAX);
    let service = BridgeService::new(Arc::clone(namespaces));
    let control = config.testing.then(|| ControlServer::new(ControlService::new(Arc::clone(namespaces))));
    let bridge = BridgeServer::new(service.clone())
        .max_decoding_message_size(most)
        .max_encoding_message_size(usize::MAX);
    let broker = ActionBrokerServer::new(service)
        .max_decoding_message_size(most)
        .max_encoding_message_size(usize::MAX);
    Ok(Server::builder()
        .max_concurrent_streams(streams)
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .http2_max_pending_accept_reset_streams(Some(PENDING_RESETS))
        .layer(MapRequestLayer::new(ending::track as Track))
        .add_service(bridge)
        .add_service(broker)
        .add_service(reflection(config.testing).build_v1().map_err(|problem| problem.to_string())?)
        .add_service(reflection(config.testing).build_v1alpha().map_err(|problem| problem.to_string())?)
        .add_optional_service(control))
}

fn reflection(testing: bool) -> tonic_reflection::server::Builder<'static> {
    let builder = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(wire::PUBLIC)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
    services(testing)
        .into_iter()
        .chain(FOREIGN)
        .fold(builder, |builder, name| builder.with_service_name(name))
}

/// The services of ours that are served.
fn services(testing: bool) -> Vec<&'static str> {
    let mut services = vec!["loom.v1.Bridge", "loom.v1.ActionBroker"];
    if testing {
        services.push("loom.testing.v1.Control");
    }
    services
}

async fn report(health: &HealthReporter, testing: bool, status: ServingStatus) {
    for service in services(testing).into_iter().chain([""]) {
        health.set_service_status(service, status).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpStream;
    use tokio_stream::StreamExt;

    use super::*;

    #[tokio::test]
    async fn small_messages_are_not_held_back() -> std::io::Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (client, accepted) =
            tokio::join!(TcpStream::connect(address), async { connections(listener).next().await });
        client?;
        assert!(
            accepted.is_some_and(|accepted| accepted.is_ok_and(|stream| stream.nodelay().unwrap_or(false)))
        );
        Ok(())
    }
}
