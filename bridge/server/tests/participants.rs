//! Taking part in a virtual clock (CTL-3).

mod common;

use common::*;
use loom_bridge::wire::control as c;
use loom_bridge::wire::control::participate_request::Msg;
use loom_bridge::wire::v1;
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::{Code, Request, Status, Streaming};

/// A participant, played by the test.
struct Player {
    say: mpsc::UnboundedSender<c::ParticipateRequest>,
    told: Streaming<c::ParticipateResponse>,
    last: c::ParticipateResponse,
}

impl Player {
    async fn join(bridge: &TestBridge, participant: &str) -> Result<Self, Status> {
        let (say, said) = mpsc::unbounded_channel();
        let join = c::Join { namespace: NAMESPACE.into(), participant: participant.into() };
        say.send(c::ParticipateRequest { msg: Some(Msg::Join(join)) }).expect("open");
        let mut told =
            bridge.control().await.participate(UnboundedReceiverStream::new(said)).await?.into_inner();
        let last = told.message().await?.expect("told");
        Ok(Self { say, told, last })
    }

    async fn told(&mut self) -> c::ParticipateResponse {
        self.last = self.told.message().await.expect("told").expect("goes on");
        self.last
    }

    fn report(&self, next_us: u64, busy: &[&str]) {
        let report = c::Report {
            turn: self.last.turn,
            busy: busy.iter().map(|&line| line.to_owned()).collect(),
            next_us,
            awaited_us: next_us,
            ..Default::default()
        };
        self.say.send(c::ParticipateRequest { msg: Some(Msg::Report(report)) }).expect("open");
    }
}

fn by(by_us: u64, patience_ms: u32) -> c::AdvanceRequest {
    c::AdvanceRequest { namespace: NAMESPACE.into(), by_us, patience_ms }
}

#[tokio::test]
async fn an_advance_fires_a_participant_s_timer_and_waits_until_it_is_idle() {
    let bridge = TestBridge::start(config());
    let mut control = bridge.stand_still().await;
    let mut player = Player::join(&bridge, "p").await.expect("joined");
    let start = player.last.now_us;
    let advancing = tokio::spawn(async move { control.advance(by(10_000, 0)).await });
    assert!(player.told().await.report);
    player.report(start + 4_000, &[]);
    let told = player.told().await;
    assert!(told.fire);
    assert_eq!(told.now_us, start + 4_000);
    player.report(0, &["p works"]);
    player.report(0, &[]);
    assert_eq!(player.told().await.now_us, start + 10_000);
    player.report(0, &[]);
    assert!(!player.told().await.report);
    let advanced = advancing.await.expect("ran").expect("advanced").into_inner();
    assert_eq!((advanced.now_us, advanced.fired), (start + 10_000, 1));
}

#[tokio::test]
async fn who_does_not_come_to_rest_is_named() {
    let bridge = TestBridge::start(config());
    let mut control = bridge.stand_still().await;
    let player = Player::join(&bridge, "p").await.expect("joined");
    let status = control.advance(by(1, 50)).await.expect_err("stopped");
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert!(status.message().contains("participant p does not answer"), "{status}");
    drop(player);
    control.advance(by(1, 0)).await.expect("nobody is waited for");
}

#[tokio::test]
async fn a_jump_goes_to_what_is_awaited_and_refuses_where_somebody_takes_no_part() {
    let bridge = TestBridge::start(config());
    let mut control = bridge.stand_still().await;
    let mut player = Player::join(&bridge, "p").await.expect("joined");
    let start = player.last.now_us;
    let mut jumper = control.clone();
    let request = c::JumpRequest { namespace: NAMESPACE.into() };
    let jump = request.clone();
    let jumping = tokio::spawn(async move { jumper.jump(jump).await });
    player.told().await;
    player.report(start + 5_000_000, &[]);
    assert!(player.told().await.fire);
    player.report(0, &[]);
    assert_eq!(jumping.await.expect("ran").expect("jumped").into_inner().now_us, start + 5_000_000);
    assert!(!player.told().await.report);
    let _stranger = bridge.join(registration("stranger", &[])).await;
    let jumping = tokio::spawn(async move { control.jump(request).await });
    player.told().await;
    player.report(start + 9_000_000, &[]);
    let status = jumping.await.expect("ran").expect_err("refused");
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert!(status.message().contains("whether stranger is idle"), "{status}");
}

#[tokio::test]
async fn who_joins_wrongly_is_refused() {
    let bridge = TestBridge::start(config());
    let nowhere = Player::join(&bridge, "p").await.err().expect("refused");
    assert_eq!(nowhere.code(), Code::NotFound);
    bridge.stub().await.heartbeat(v1::HeartbeatRequest::default()).await.expect("an answer");
    let real = Player::join(&bridge, "p").await.err().expect("refused");
    assert_eq!(real.code(), Code::FailedPrecondition);
    let bridge = TestBridge::start(config());
    let _control = bridge.stand_still().await;
    let malformed = Player::join(&bridge, "a b").await.err().expect("refused");
    assert_eq!(malformed.code(), Code::InvalidArgument);
    let mut tagged = Request::new(v1::HeartbeatRequest::default());
    tagged.metadata_mut().insert("loom-participant", "p".parse().expect("ASCII"));
    let status = bridge.stub().await.heartbeat(tagged).await.expect_err("refused");
    assert!(status.message().contains("ID/NUMBER"), "{status}");
}
