//! What the driver makes of commands that come close behind one another. One thread runs a test: a driver looks only
//! when the test waits, and then takes all that was given in one go.

use std::sync::Arc;
use std::time::Duration;

use loom_bridge::advance::Stopped;
use loom_bridge::handle::{Advanced, Command, Handle};
use loom_bridge::namespaces::Namespaces;
use loom_bridge::participants::{MOST_UNREAD, Report, Tag};
use loom_bridge::sink::{self, Outgoing};
use loom_bridge::wire::control::ParticipateResponse;
use loom_engine::limits::Limits;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tonic::Status;

const PATIENCE: Duration = Duration::from_secs(10);
const SEAT: u64 = 1;
const STREAM: u64 = 2;

type Told = mpsc::Receiver<Result<ParticipateResponse, Status>>;
type Moved = oneshot::Receiver<Result<Advanced, Stopped>>;

fn standing() -> Arc<Handle> {
    let namespaces = Namespaces::new(Limits::default());
    namespaces.create(&["ns"], true, false, &Limits::default(), false).expect("made");
    namespaces.find("ns").expect("it is there")
}

fn join(handle: &Handle) -> Told {
    let (teller, told) = mpsc::channel(MOST_UNREAD);
    handle.give(Command::Join { participant: "p".into(), seat: SEAT, teller });
    told
}

fn open(handle: &Arc<Handle>) -> Outgoing {
    let (sink, outgoing, _gate) = sink::pair(handle, STREAM);
    handle.give(Command::Open { stream: STREAM, sink, tag: Some(Tag::read("p/1").expect("a tag")) });
    outgoing
}

fn advance(handle: &Handle) -> Moved {
    let (reply, advanced) = oneshot::channel();
    handle.give(Command::Advance { by: 0, patience: PATIENCE, reply });
    advanced
}

/// Reports idleness and no open call, for as long as reports are asked for.
async fn rest(handle: &Handle, told: &mut Told) {
    let mut asked = false;
    while let Some(Ok(said)) = told.recv().await {
        if said.report {
            asked = true;
            handle.give(Command::Report {
                seat: SEAT,
                report: Report { turn: said.turn, ..Default::default() },
            });
        } else if asked {
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_advance_hears_of_a_stream_whatever_comes_right_behind_it() {
    let handle = standing();
    let mut told = join(&handle);
    let stream = open(&handle);
    let advanced = advance(&handle);
    drop(stream);
    rest(&handle, &mut told).await;
    assert!(advanced.await.expect("answered").is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_advance_waits_for_nobody_who_left_right_behind_it() {
    let handle = standing();
    let _told = join(&handle);
    let advanced = advance(&handle);
    handle.give(Command::Depart { seat: SEAT, status: None });
    assert!(advanced.await.expect("answered").is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_namespace_that_ends_right_behind_an_advance_ends_at_once() {
    let handle = standing();
    let mut told = join(&handle);
    let advanced = advance(&handle);
    handle.give(Command::Close { reset: true, message: "over" });
    assert!(told.recv().await.expect("told").is_ok());
    assert_eq!(told.recv().await.expect("told").expect_err("over").message(), "over");
    assert!(advanced.await.is_err());
}

#[tokio::test(start_paused = true)]
async fn an_advance_that_came_during_a_jump_follows_it_at_once() {
    let start = Instant::now();
    let handle = standing();
    let mut told = join(&handle);
    let (reply, jumped) = oneshot::channel();
    handle.give(Command::Jump { reply });
    let joined = told.recv().await.expect("told").expect("goes on");
    let asked = told.recv().await.expect("told").expect("goes on");
    let next = joined.now_us + 5;
    let report = Report { turn: asked.turn, next, awaited: next, ..Default::default() };
    handle.give(Command::Report { seat: SEAT, report });
    let fired = told.recv().await.expect("told").expect("goes on");
    assert!(fired.fire);
    let advanced = advance(&handle);
    handle.give(Command::Report { seat: SEAT, report: Report { turn: fired.turn, ..Default::default() } });
    assert_eq!(jumped.await.expect("answered").expect("jumped"), next);
    rest(&handle, &mut told).await;
    assert!(advanced.await.expect("answered").is_ok());
    assert!(start.elapsed() < PATIENCE);
}
