//! Control.Participate: a participant is told the time, and reports how it stands (CTL-3).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use loom_engine::text::quote;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use crate::handle::{Command, Handle};
use crate::namespaces::Namespaces;
use crate::participants::{MOST_UNREAD, OpenCall, Report};
use crate::wire::control as c;
use crate::wire::control::participate_request::Msg;

/// How long a participant may take to join.
const JOIN: Duration = Duration::from_secs(10);
/// How many open gRPC calls a report may list.
const MOST_CALLS: usize = 100_000;
/// Of what a participant is busy with so many lines are kept, and so many characters of each.
const MOST_BUSY: usize = 20;
const MOST_TEXT: usize = 300;

/// What a participant is told, as it leaves.
pub type Told = ReceiverStream<Result<c::ParticipateResponse, Status>>;

/// Serves one participant until it leaves or the namespace ends.
pub async fn participate(
    namespaces: &Arc<Namespaces>,
    mut said: Streaming<c::ParticipateRequest>,
) -> Result<Told, Status> {
    let first = timeout(JOIN, said.message()).await.map_err(|_| {
        Status::deadline_exceeded(format!("no Join within {} s; send it first", JOIN.as_secs()))
    })??;
    let Some(Msg::Join(join)) = first.and_then(|first| first.msg) else {
        return Err(Status::invalid_argument("the first message is no Join; send it first"));
    };
    let handle = namespaces.find(&join.namespace)?;
    handle.check_virtual()?;
    let (teller, told) = mpsc::channel(MOST_UNREAD);
    let seat = handle.number();
    handle.give(Command::Join { participant: join.participant, seat, teller });
    tokio::spawn(read(handle, seat, said));
    Ok(ReceiverStream::new(told))
}

async fn read(handle: Arc<Handle>, seat: u64, mut said: Streaming<c::ParticipateRequest>) {
    let status = loop {
        match said.message().await {
            Ok(Some(request)) => match read_request(request) {
                Ok(report) => handle.give(Command::Report { seat, report }),
                Err(problem) => break Some(Status::invalid_argument(problem)),
            },
            Ok(None) => break None,
            Err(status) if status.code() == tonic::Code::Internal => {
                break Some(Status::invalid_argument(status.message()));
            }
            Err(status) => break Some(status),
        }
    };
    handle.give(Command::Depart { seat, status });
}

fn read_request(request: c::ParticipateRequest) -> Result<Report, String> {
    match request.msg {
        Some(Msg::Report(report)) => read_report(report),
        _ => Err("the message is no Report; only the first is a Join".to_owned()),
    }
}

/// A report as it came, cut to what is kept of it.
fn read_report(report: c::Report) -> Result<Report, String> {
    let listed = report.calls.len();
    if listed > MOST_CALLS {
        return Err(format!("the report lists {listed} calls; at most {MOST_CALLS}"));
    }
    let calls: BTreeMap<u64, OpenCall> = report
        .calls
        .into_iter()
        .map(|call| (call.number, OpenCall { sent: call.sent, received: call.received, paused: call.paused }))
        .collect();
    if calls.len() != listed {
        return Err("the report lists a call twice".to_owned());
    }
    Ok(Report {
        turn: report.turn,
        busy: report.busy.iter().take(MOST_BUSY).map(|text| line(text)).collect(),
        next: report.next_us,
        next_of: report.next_of.chars().take(MOST_TEXT).collect(),
        awaited: report.awaited_us,
        calls,
    })
}

/// A text of a stranger's, fit for a message of one line.
fn line(text: &str) -> String {
    let line: String = text.chars().take(MOST_TEXT).collect();
    if line.chars().all(|character| (' '..='~').contains(&character)) { line } else { quote(&line) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_stranger_says_is_cut_and_one_line() {
        let said = c::Report { busy: vec!["a\nb".into(), "x".repeat(1_000)], ..Default::default() };
        let read = read_report(said).expect("a report");
        assert_eq!(read.busy[0], "\"a\\u{a}b\"");
        assert_eq!(read.busy[1].len(), MOST_TEXT);
    }

    #[test]
    fn no_call_is_listed_twice() {
        let twice = vec![c::OpenCall { number: 3, ..Default::default() }; 2];
        let said = c::Report { calls: twice, ..Default::default() };
        assert_eq!(read_report(said).expect_err("refused"), "the report lists a call twice");
    }
}
