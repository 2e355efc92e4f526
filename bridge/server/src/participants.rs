//! Who takes part in a namespace's virtual clock with timers of their own, and whether all is settled (CTL-3).
//!
//! A participant is a program: agents in one event loop share one. Each of its gRPC calls names it and carries a
//! number, and on streams both sides count messages. So when a participant reports that it is idle, and its counts
//! are those of the bridge, nothing is under way between the two: it stays idle until it is told something.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::mpsc;
use tonic::Status;

use crate::wire::control::ParticipateResponse;

/// How many may take part in one namespace's clock.
const MOST_PARTICIPANTS: usize = 1_000;
/// How much a participant may be told before it has read any of it.
pub const MOST_UNREAD: usize = 1_000;
/// The longest id, bytes.
const ID_BYTES: usize = 64;

/// Which gRPC call of which participant: what the metadata `loom-participant` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    participant: String,
    number: u64,
}

impl Tag {
    /// Reads `ID/NUMBER`.
    pub fn read(text: &str) -> Result<Self, String> {
        let read = text.split_once('/').and_then(|(name, number)| {
            let well_formed = number.len() <= 18
                && number.bytes().all(|byte| byte.is_ascii_digit())
                && !number.starts_with('0');
            (is_id(name) && well_formed).then_some((name, number))
        });
        let number = read.and_then(|(_, number)| number.parse().ok());
        match (read, number) {
            (Some((name, _)), Some(number)) => Ok(Self { participant: name.to_owned(), number }),
            _ => {
                Err("loom-participant is no ID/NUMBER: 1 to 64 of A-Z a-z 0-9 _ : . -, then a number"
                    .to_owned())
            }
        }
    }
}

fn is_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_:.-".contains(&byte);
    !text.is_empty() && text.len() <= ID_BYTES && text.bytes().all(allowed)
}

/// What a stream counts.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    /// Whose stream it is; empty before the handshake.
    pub agent: String,
    /// Messages given to it for the client.
    pub sent: u64,
    /// Messages of the client that the engine has taken.
    pub received: u64,
    /// Whether it is not read for now: what the client sends waits on the way.
    pub paused: bool,
}

/// A participant's gRPC call, as the participant sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenCall {
    /// Messages it has sent.
    pub sent: u64,
    /// Messages it has taken in.
    pub received: u64,
    /// Whether it reads no further for now.
    pub paused: bool,
}

/// How a participant stood when it came to rest. Times are microseconds since the Unix epoch; 0 is none.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The number of what it was last told.
    pub turn: u64,
    /// What it is busy with.
    pub busy: Vec<String>,
    /// When its next timer fires.
    pub next: u64,
    /// Whose timer that is.
    pub next_of: String,
    /// When the next of its timers fires that somebody waits for.
    pub awaited: u64,
    /// Its gRPC calls that are not over, by number.
    pub calls: BTreeMap<u64, OpenCall>,
}

/// Where what a participant is told goes.
pub type Teller = mpsc::Sender<Result<ParticipateResponse, Status>>;

struct Participant {
    seat: u64,
    teller: Teller,
    turn: u64,
    report: Option<Report>,
}

/// The participants of one namespace.
#[derive(Default)]
pub struct Participants {
    liveness: bool,
    /// By id; a seat is one joining, so that who joins again under an id is not taken for who did before.
    joined: BTreeMap<String, Participant>,
    /// The open calls of each, by number, with the stream's number where it is one.
    calls: BTreeMap<String, BTreeMap<u64, Option<u64>>>,
    watchers: u32,
}

impl Participants {
    /// None yet.
    pub fn new(liveness: bool) -> Self {
        Self { liveness, ..Self::default() }
    }

    /// Whether nobody takes part.
    pub fn is_empty(&self) -> bool {
        self.joined.is_empty()
    }

    /// How many take part.
    pub fn len(&self) -> usize {
        self.joined.len()
    }

    /// A participant joins, and is told the time. Whoever joined under its id before is put out.
    pub fn join(&mut self, id: &str, seat: u64, teller: Teller, now: u64) {
        if !is_id(id) {
            let problem = "the participant's id is malformed: give 1 to 64 of A-Z a-z 0-9 _ : . -";
            return end(&teller, Status::invalid_argument(problem));
        }
        if let Some(before) = self.joined.remove(id) {
            end(&before.teller, Status::aborted("another participant joined under this id"));
        }
        if self.joined.len() >= MOST_PARTICIPANTS {
            return end(
                &teller,
                Status::invalid_argument(format!(
                    "{MOST_PARTICIPANTS} participants have joined, as many as may; use fewer processes"
                )),
            );
        }
        let participant = Participant { seat, teller, turn: 0, report: None };
        self.joined.insert(id.to_owned(), participant);
        self.tell(id, now, false);
    }

    /// Its stream is over, with this status where the bridge ends it.
    pub fn leave(&mut self, seat: u64, status: Option<Status>) {
        let id =
            self.joined.iter().find(|(_, participant)| participant.seat == seat).map(|(id, _)| id.clone());
        if let Some(gone) = id.and_then(|id| self.joined.remove(&id))
            && let Some(status) = status
        {
            end(&gone.teller, status);
        }
    }

    /// A participant reports.
    pub fn reported(&mut self, seat: u64, report: Report) {
        let Some(participant) = self.joined.values_mut().find(|participant| participant.seat == seat) else {
            return;
        };
        if report.turn == 0 || report.turn > participant.turn {
            let (said, last) = (report.turn, participant.turn);
            let problem = format!("the report is about turn {said}; the last was {last}");
            return self.leave(seat, Some(Status::invalid_argument(problem)));
        }
        participant.report = Some(report);
    }

    /// The namespace ends.
    pub fn close(&mut self, message: &str) {
        for participant in std::mem::take(&mut self.joined).into_values() {
            end(&participant.teller, Status::unavailable(message));
        }
    }

    /// A gRPC call has arrived; `stream` is the number of a stream.
    pub fn began(&mut self, tag: &Tag, stream: Option<u64>) {
        self.calls.entry(tag.participant.clone()).or_default().insert(tag.number, stream);
    }

    /// A gRPC call was answered, or is over.
    pub fn ended(&mut self, tag: &Tag) {
        if let Some(calls) = self.calls.get_mut(&tag.participant) {
            calls.remove(&tag.number);
            if calls.is_empty() {
                self.calls.remove(&tag.participant);
            }
        }
    }

    /// From now on reports are asked for.
    pub fn watch(&mut self, now: u64) {
        self.watchers += 1;
        if self.watchers == 1 {
            self.tell_all(now);
        }
    }

    /// They are not any more, unless somebody else asks for them.
    pub fn unwatch(&mut self, now: u64) {
        self.watchers -= 1;
        if self.watchers == 0 {
            self.tell_all(now);
        }
    }

    /// Tells everyone the time.
    pub fn tell_all(&mut self, now: u64) {
        let ids: Vec<String> = self.joined.keys().cloned().collect();
        for id in ids {
            self.tell(&id, now, false);
        }
    }

    /// Tells the participant whose timer comes first to fire it.
    pub fn fire_next(&mut self, now: u64) {
        let due = self.joined.iter().filter_map(|(id, participant)| {
            let report = participant.report.as_ref()?;
            (0 < report.next && report.next <= now).then_some((report.next, &report.next_of, id))
        });
        if let Some((_, _, id)) = due.min() {
            let id = id.clone();
            self.tell(&id, now, true);
        }
    }

    /// Why not everything is settled.
    pub fn problem<'a>(&self, traffic: impl Fn(u64) -> Option<&'a Traffic>) -> Option<String> {
        let nothing = BTreeMap::new();
        self.joined.iter().find_map(|(id, participant)| {
            let here = self.calls.get(id).unwrap_or(&nothing);
            let name = || name(id, here, &traffic);
            let Some(report) = participant.report.as_ref().filter(|report| report.turn == participant.turn)
            else {
                let who = name();
                return Some(format!(
                    "{who} does not answer: its event loop is blocked, or its process frozen"
                ));
            };
            if !report.busy.is_empty() {
                return Some(report.busy.join("; "));
            }
            let same = report.calls.len() == here.len()
                && report.calls.iter().all(|(number, call)| match here.get(number) {
                    None => false,
                    Some(None) => true,
                    Some(Some(stream)) => traffic(*stream).is_some_and(|traffic| !under_way(call, traffic)),
                });
            (!same).then(|| format!("messages of {} are still under way", name()))
        })
    }

    /// When the next timer of any of them fires. Valid where everything is settled.
    pub fn next_deadline(&self) -> Option<u64> {
        self.reports().map(|report| report.next).filter(|next| *next != 0).min()
    }

    /// When the next timer fires that somebody waits for. Valid where everything is settled.
    pub fn awaited(&self) -> Option<u64> {
        self.reports().map(|report| report.awaited).filter(|awaited| *awaited != 0).min()
    }

    /// The agents whose streams belong to nobody who takes part, for people.
    pub fn bystanders<'a>(
        &self,
        streams: impl Iterator<Item = (&'a Traffic, Option<&'a Tag>)>,
    ) -> Option<String> {
        let mut apart: Vec<&str> = streams
            .filter(|(_, tag)| tag.is_none_or(|tag| !self.joined.contains_key(&tag.participant)))
            .map(|(traffic, _)| match traffic.agent.as_str() {
                "" => "a client before its handshake",
                agent => agent,
            })
            .collect();
        apart.sort_unstable();
        (!apart.is_empty()).then(|| apart.join(", "))
    }

    fn reports(&self) -> impl Iterator<Item = &Report> {
        self.joined.values().filter_map(|participant| participant.report.as_ref())
    }

    fn tell(&mut self, id: &str, now: u64, fire: bool) {
        let Some(participant) = self.joined.get_mut(id) else { return };
        participant.turn += 1;
        let told = ParticipateResponse {
            turn: participant.turn,
            now_us: now,
            fire,
            report: self.watchers > 0,
            liveness: self.liveness,
        };
        if participant.teller.try_send(Ok(told)).is_err() {
            self.joined.remove(id); // it has gone, or reads nothing
        }
    }
}

/// Whether a message of a stream is between the two. One that a side does not read may wait there.
fn under_way(call: &OpenCall, traffic: &Traffic) -> bool {
    (traffic.sent != call.received && !call.paused) || (traffic.received != call.sent && !traffic.paused)
}

/// Whom people know a participant by: its agents.
fn name<'a>(
    id: &str,
    calls: &BTreeMap<u64, Option<u64>>,
    traffic: &impl Fn(u64) -> Option<&'a Traffic>,
) -> String {
    let streams = calls.values().filter_map(|stream| traffic((*stream)?));
    let agents: BTreeSet<&str> =
        streams.map(|traffic| traffic.agent.as_str()).filter(|agent| !agent.is_empty()).collect();
    if agents.is_empty() {
        return format!("participant {id}");
    }
    agents.into_iter().collect::<Vec<_>>().join(", ")
}

fn end(teller: &Teller, status: Status) {
    // One that has gone need not be told; one whose way is full learns it when the way ends.
    _ = teller.try_send(Err(status));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seat(
        participants: &mut Participants,
        id: &str,
    ) -> mpsc::Receiver<Result<ParticipateResponse, Status>> {
        let (teller, told) = mpsc::channel(MOST_UNREAD);
        participants.join(id, 1, teller, 10);
        told
    }

    #[test]
    fn a_tag_names_a_participant_and_a_call() {
        let tag = Tag::read("A-z_0:9.x/999999999999999999").expect("a tag");
        assert_eq!((tag.participant.as_str(), tag.number), ("A-z_0:9.x", 999_999_999_999_999_999));
        for malformed in ["", "a", "a/", "/1", "a/0", "a/01", "a/-1", "a/+1", "a b/1", "\u{e4}/1", "a/1/2"] {
            assert!(Tag::read(malformed).is_err(), "{malformed}");
        }
        assert!(Tag::read(&format!("{}/1", "x".repeat(65))).is_err());
        assert!(Tag::read(&format!("a/{}", "9".repeat(19))).is_err());
    }

    #[test]
    fn who_reads_nothing_takes_part_no_more() {
        let mut participants = Participants::new(false);
        let mut told = seat(&mut participants, "p");
        for now in 0..MOST_UNREAD as u64 {
            participants.tell_all(now);
        }
        assert!(participants.is_empty());
        assert!(told.try_recv().is_ok());
    }

    #[test]
    fn messages_that_one_side_has_not_counted_are_under_way() {
        let mut participants = Participants::new(false);
        let _told = seat(&mut participants, "p");
        let mut traffic = Traffic { agent: "a".into(), sent: 2, received: 3, paused: false };
        participants.began(&Tag { participant: "p".into(), number: 1 }, Some(7));
        let mut report = |call: OpenCall, traffic: &Traffic| {
            let calls = [(1, call)].into();
            participants.reported(1, Report { turn: 1, calls, ..Report::default() });
            participants.problem(|stream| (stream == 7).then_some(traffic))
        };
        let call = |sent, received, paused| OpenCall { sent, received, paused };
        assert_eq!(report(call(3, 2, false), &traffic), None);
        let under_way = Some("messages of a are still under way".to_owned());
        assert_eq!(report(call(4, 2, false), &traffic), under_way);
        assert_eq!(report(call(3, 1, false), &traffic), under_way);
        assert_eq!(report(call(3, 1, true), &traffic), None);
        traffic.paused = true;
        assert_eq!(report(call(4, 2, false), &traffic), None);
    }
}
