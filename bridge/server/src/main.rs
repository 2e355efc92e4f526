//! The `loom-bridge` program; see the library for how it is built.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use loom_bridge::config::{Cli, Command, Config, LogLevel};
use loom_bridge::server::Bridge;
use tokio::signal::unix::{SignalKind, signal};
use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

const USAGE: u8 = 2;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(problem) => return complain_about_flags(&problem),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(problem) => return complain(&problem.to_string(), 1),
    };
    let code = match cli.command {
        Some(Command::Health { address }) => runtime.block_on(health(&address)),
        None => {
            let watches_stdin = cli.flags.until_stdin_closes;
            match Config::resolve(cli.flags) {
                Ok(config) => runtime.block_on(serve(config, watches_stdin)),
                Err(problem) => complain(&problem, USAGE),
            }
        }
    };
    // Whatever a peer keeps open is not waited for.
    runtime.shutdown_background();
    code
}

async fn serve(config: Config, watches_stdin: bool) -> ExitCode {
    start_log(&config);
    let bridge = match Bridge::bind(config).await {
        Ok(bridge) => bridge,
        Err(problem) => return complain(&problem, USAGE),
    };
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return complain("cannot listen for signals", 1);
    };
    let mut stdout = std::io::stdout();
    // A reader that is gone does not matter: the address stands in the log too.
    _ = writeln!(stdout, "listening on {}", bridge.address).and_then(|()| stdout.flush());
    tracing::info!(address = %bridge.address, version = env!("CARGO_PKG_VERSION"), "serving");
    if !bridge.address.ip().is_loopback() {
        tracing::warn!("reachable from other machines, without authentication or TLS");
    }
    let stop = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = stdin_closed(), if watches_stdin => {}
        }
        tracing::info!("stopping");
    };
    match bridge.serve(stop).await {
        Ok(()) => {
            tracing::info!("stopped");
            ExitCode::SUCCESS
        }
        Err(problem) => complain(&problem, 1),
    }
}

/// Reads stdin, and forgets it, to its end.
async fn stdin_closed() {
    let (closed, told) = tokio::sync::oneshot::channel();
    // A thread of its own: a blocking read could hold the runtime's end up.
    std::thread::spawn(move || {
        _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        _ = closed.send(());
    });
    _ = told.await;
}

async fn health(address: &str) -> ExitCode {
    let asked = async {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).map_err(|e| e.to_string())?;
        let channel = endpoint
            .connect_timeout(std::time::Duration::from_secs(2))
            .timeout(std::time::Duration::from_secs(2))
            .connect()
            .await
            .map_err(|problem| format!("no bridge answers at {address}: {problem}"))?;
        let mut client = HealthClient::new(channel);
        let answer = client.check(HealthCheckRequest::default()).await.map_err(|e| e.message().to_owned())?;
        Ok::<_, String>(answer.into_inner().status())
    };
    match asked.await {
        Ok(ServingStatus::Serving) => ExitCode::SUCCESS,
        Ok(status) => complain(&format!("the bridge at {address} is {}", status.as_str_name()), 1),
        Err(problem) => complain(&problem, 1),
    }
}

fn start_log(config: &Config) {
    let level = match config.log_level {
        LogLevel::Error => tracing::Level::ERROR,
        LogLevel::Warn => tracing::Level::WARN,
        LogLevel::Info => tracing::Level::INFO,
        LogLevel::Debug => tracing::Level::DEBUG,
    };
    // The libraries below say only what is wrong, however much is asked of the bridge itself.
    let mine = Targets::new().with_default(tracing::Level::WARN).with_target("loom_bridge", level);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    let registry = tracing_subscriber::registry().with(mine);
    if config.json_log {
        registry.with(lines.json()).init()
    } else {
        registry.with(lines.with_ansi(false)).init()
    }
}

fn complain_about_flags(problem: &clap::Error) -> ExitCode {
    match problem.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            _ = problem.print();
            ExitCode::SUCCESS
        }
        _ => {
            let text = problem.to_string();
            let first = text.lines().next().unwrap_or_default();
            complain(&format!("{}; see loom-bridge --help", first.trim_start_matches("error: ")), USAGE)
        }
    }
}

fn complain(problem: &str, code: u8) -> ExitCode {
    _ = writeln!(std::io::stderr(), "loom-bridge: {problem}");
    ExitCode::from(code)
}
