//! What the bridge is told: flags over environment over the configuration file over the defaults.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use loom_engine::limits::Limits;
use serde::Deserialize;

/// The Loom bridge: agents register, exchange events and call each other's capabilities over gRPC.
///
/// On stdout it prints one line, `listening on ADDRESS`, once it serves; everything else goes to stderr.
/// Exit codes: 0 stopped in order, 1 failed, 2 bad flags, configuration or address.
#[derive(Debug, Parser)]
#[command(name = "loom-bridge", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What else to do.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How to serve.
    #[command(flatten)]
    pub flags: Flags,
}

/// What the binary can do beside serving.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Ask a running bridge whether it serves: exit code 0 if so, 1 if not.
    Health {
        /// Where it listens.
        #[arg(long, env = "LOOM_BRIDGE_LISTEN", default_value = DEFAULT_LISTEN, value_name = "HOST:PORT")]
        address: String,
    },
}

/// How to serve. Each flag has an environment variable, and a key of the same name in the file.
#[derive(Debug, Default, Args)]
pub struct Flags {
    /// Where to listen; port 0 takes any free one [default: 127.0.0.1:50051].
    #[arg(long, env = "LOOM_BRIDGE_LISTEN", value_name = "HOST:PORT")]
    pub listen: Option<String>,
    /// Serve the testing control: virtual clocks, disconnects, snapshots. Never for real work.
    #[arg(long, env = "LOOM_BRIDGE_TESTING", num_args = 0..=1, default_missing_value = "true")]
    pub testing: Option<bool>,
    /// How much to log on stderr [default: info].
    #[arg(long, env = "LOOM_BRIDGE_LOG_LEVEL", value_name = "LEVEL")]
    pub log_level: Option<LogLevel>,
    /// Log one JSON object a line.
    #[arg(long, env = "LOOM_BRIDGE_JSON_LOG", num_args = 0..=1, default_missing_value = "true")]
    pub json_log: Option<bool>,
    /// A limit that differs from its default; may be given again, or with commas between.
    #[arg(long = "limit", env = "LOOM_BRIDGE_LIMITS", value_name = "NAME=VALUE", value_delimiter = ',')]
    pub limits: Vec<String>,
    /// Where to serve metrics for Prometheus (`/metrics`); off unless given.
    #[arg(long, env = "LOOM_BRIDGE_METRICS", value_name = "HOST:PORT")]
    pub metrics: Option<SocketAddr>,
    /// How long open work may take when the bridge is told to stop, seconds [default: 10].
    #[arg(long, env = "LOOM_BRIDGE_GRACE", value_name = "SECONDS")]
    pub grace: Option<f64>,
    /// Stop in order once stdin closes: for programs that start a bridge and may be killed themselves.
    #[arg(long)]
    pub until_stdin_closes: bool,
    /// A TOML file with the same settings.
    #[arg(long, env = "LOOM_BRIDGE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// How much to log.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Nothing but failures.
    Error,
    /// And what looks wrong.
    Warn,
    /// And who comes and goes.
    Info,
    /// And every step.
    Debug,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct File {
    listen: Option<String>,
    testing: Option<bool>,
    log_level: Option<LogLevel>,
    json_log: Option<bool>,
    #[serde(default)]
    limits: BTreeMap<String, u64>,
    metrics: Option<SocketAddr>,
    grace: Option<f64>,
}

/// The settings in force.
#[derive(Debug)]
pub struct Config {
    /// Where to listen.
    pub listen: String,
    /// Whether the testing control is served.
    pub testing: bool,
    /// How much to log.
    pub log_level: LogLevel,
    /// Whether to log JSON.
    pub json_log: bool,
    /// What is taken at the most.
    pub limits: Limits,
    /// Where metrics are served.
    pub metrics: Option<SocketAddr>,
    /// How long open work may take at the end.
    pub grace: std::time::Duration,
}

const DEFAULT_LISTEN: &str = "127.0.0.1:50051";
/// Clause LIM-3 allows fifteen seconds in all.
const MOST_GRACE: f64 = 14.0;

impl Config {
    /// Puts the settings together; the error is one line: what is wrong and where.
    pub fn resolve(flags: Flags) -> Result<Self, String> {
        let file = match &flags.config {
            Some(path) => read(path)?,
            None => File::default(),
        };
        let mut overrides = file.limits;
        for given in &flags.limits {
            let (name, value) = limit(given)?;
            overrides.insert(name, value);
        }
        let limits = Limits::default().with_overrides(named(&overrides))?;
        let grace = flags.grace.or(file.grace).unwrap_or(10.0);
        if !(0.0..=MOST_GRACE).contains(&grace) {
            return Err(format!("--grace {grace} is not a number of seconds from 0 to {MOST_GRACE}"));
        }
        Ok(Self {
            listen: flags.listen.or(file.listen).unwrap_or_else(|| DEFAULT_LISTEN.to_owned()),
            testing: flags.testing.or(file.testing).unwrap_or(false),
            log_level: flags.log_level.or(file.log_level).unwrap_or(LogLevel::Info),
            json_log: flags.json_log.or(file.json_log).unwrap_or(false),
            limits,
            metrics: flags.metrics.or(file.metrics),
            grace: std::time::Duration::from_secs_f64(grace),
        })
    }
}

/// Overrides as the engine takes them; a number beyond its range is beyond reason too.
pub fn named(overrides: &BTreeMap<String, u64>) -> impl Iterator<Item = (&str, i64)> {
    overrides.iter().map(|(name, value)| (name.as_str(), i64::try_from(*value).unwrap_or(i64::MAX)))
}

fn limit(given: &str) -> Result<(String, u64), String> {
    let problem =
        || format!("--limit {given:?} is not NAME=VALUE with a whole number, such as queue_events=5000");
    let (name, value) = given.split_once('=').ok_or_else(problem)?;
    Ok((name.trim().to_owned(), value.trim().parse().map_err(|_| problem())?))
}

fn read(path: &Path) -> Result<File, String> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|problem| format!("cannot read {shown}: {problem}"))?;
    toml::from_str(&text).map_err(|problem| {
        let line = problem.span().map_or(1, |span| text[..span.start].lines().count().max(1));
        format!("{shown}, line {line}: {}", problem.message().replace('\n', " "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read() {
        let flags = Flags { limits: vec!["queue_events=5".into()], ..Flags::default() };
        assert_eq!(Config::resolve(flags).map(|config| config.limits.queue_events), Ok(5));
    }

    #[test]
    fn what_is_wrong_is_said_in_one_line() {
        for (given, said) in [
            ("queue_events", "is not NAME=VALUE"),
            ("queue_events=x", "is not NAME=VALUE"),
            ("queue_events=0", "must be at least 1"),
            ("nope=1", "unknown limit"),
        ] {
            let flags = Flags { limits: vec![given.into()], ..Flags::default() };
            let problem = Config::resolve(flags).err().unwrap_or_default();
            assert!(problem.contains(said) && !problem.contains('\n'), "{given}: {problem}");
        }
        let flags = Flags { grace: Some(60.0), ..Flags::default() };
        assert!(Config::resolve(flags).is_err());
        let flags = Flags { config: Some("/nowhere/loom.toml".into()), ..Flags::default() };
        assert!(Config::resolve(flags).is_err_and(|problem| problem.contains("/nowhere/loom.toml")));
    }
}
