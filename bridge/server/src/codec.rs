//! Between the wire's messages and the engine's: fields are copied, carried bytes are shared.

use loom_engine::inputs::{Heartbeat, Invoke, Register};
use loom_engine::limits::Limits;
use loom_engine::messages as m;
use loom_engine::outputs::{Answer, CapabilitiesReply, RegisterReply};

use crate::wire::view::{client_event, server_event};
use crate::wire::{v1, view};

/// How this bridge names itself.
pub const SERVER_NAME: &str = "loom-bridge";
/// The version of the protocol it speaks.
pub const PROTOCOL: &str = "1.0";

/// A message of a client's stream. What this bridge does not know is `Unknown`.
pub fn client_message(event: view::ClientEvent) -> m::ClientMessage {
    use client_event::Msg;
    match event.msg {
        Some(Msg::Publish(publish)) => m::Publish {
            topic: publish.topic.into(),
            event: publish.event,
            confirm: publish.confirm,
            pub_seq: publish.pub_seq,
        }
        .into(),
        Some(Msg::Ack(ack)) => m::Ack {
            message_id: ack.message_id,
            epoch: ack.epoch,
            seq: ack.seq,
            done: ack.done.iter().map(|range| (range.first, range.last)).collect(),
            registration: ack.registration,
            producer: ack.producer,
        }
        .into(),
        Some(Msg::Ping(ping)) => m::Ping { timestamp_ms: ping.timestamp_ms }.into(),
        Some(Msg::ActionResult(result)) => action_result(result).into(),
        Some(Msg::Subscribe(change)) => {
            m::Subscribe { r#ref: change.r#ref, subscriptions: subscriptions(change.subscriptions) }.into()
        }
        Some(Msg::Unsubscribe(change)) => {
            m::Unsubscribe { r#ref: change.r#ref, subscriptions: subscriptions(change.subscriptions) }.into()
        }
        Some(Msg::Goodbye(goodbye)) => m::Goodbye { reason: goodbye.reason }.into(),
        Some(Msg::Batch(_)) => unknown("batch"),
        Some(Msg::ActionChunk(_)) => unknown("action_chunk"),
        None => unknown(""),
    }
}

fn unknown(name: &str) -> m::ClientMessage {
    m::Unknown { name: name.to_owned() }.into()
}

fn action_result(result: v1::ActionResult) -> m::ActionResult {
    let error = result.error.map(|error| {
        Box::new(m::ActionError {
            code: error.code.into(),
            message: error.message.into(),
            details: error.details,
        })
    });
    m::ActionResult { id: result.id, status: result.status, output: result.output, error }
}

fn subscriptions(wire: Vec<v1::Subscription>) -> Vec<m::Subscription> {
    wire.into_iter()
        .map(|subscription| m::Subscription {
            topic: subscription.topic,
            event_types: subscription.event_types,
            qos: subscription.qos,
            group: subscription.group,
            observer: subscription.observer,
        })
        .collect()
}

/// A message of the engine as it goes onto a stream.
pub fn server_event(message: m::ServerMessage) -> view::ServerEvent {
    use m::ServerMessage as Given;
    use server_event::Msg;
    let msg = match message {
        Given::Delivery(delivery) => Msg::Delivery(view::Delivery {
            topic: delivery.topic.as_ref().to_owned(),
            event: Some(delivery.event),
            seq: delivery.seq,
        }),
        Given::Pong(pong) => Msg::Pong(v1::HeartbeatResponse {
            timestamp_ms: pong.timestamp_ms,
            status: pong.status.into_owned(),
        }),
        Given::Err(error) => Msg::Err(v1::Error {
            code: error.code.into_owned(),
            message: error.message.into_owned(),
            r#ref: error.r#ref,
            fatal: error.fatal,
        }),
        Given::ActionCall(call) => Msg::ActionCall(action_call(*call)),
        Given::Welcome(welcome) => Msg::Welcome(v1::Welcome {
            epoch: welcome.epoch,
            resumed: welcome.resumed,
            lost: welcome.lost,
            credit: welcome.credit,
        }),
        Given::Receipt(receipt) => Msg::Receipt(v1::Receipt {
            r#ref: receipt.r#ref,
            matched: receipt.matched,
            code: receipt.code.into_owned(),
        }),
        Given::ActionCancel(cancel) => {
            Msg::ActionCancel(v1::ActionCancel { id: cancel.id, code: cancel.code.into_owned() })
        }
        Given::Drain(drain) => Msg::Drain(v1::Drain { grace_ms: drain.grace_ms }),
    };
    view::ServerEvent { msg: Some(msg) }
}

fn action_call(call: m::ActionCall) -> v1::ActionCall {
    v1::ActionCall {
        id: call.id,
        capability: call.capability.as_ref().to_owned(),
        version: call.version,
        payload: call.payload,
        headers: call.headers,
        timeout_ms: call.timeout_ms,
        correlation_id: call.correlation_id,
        qos: call.qos,
    }
}

/// A registration, as the engine takes it.
pub fn register(call: u64, request: v1::AgentRegisterRequest) -> Register {
    Register {
        call,
        agent_id: request.agent_id,
        subscribed_topics: request.subscribed_topics,
        capabilities: request
            .capabilities
            .into_iter()
            .map(|capability| m::Capability {
                name: capability.name,
                version: capability.version,
                provider: capability.provider,
                metadata: capability.metadata,
            })
            .collect(),
        metadata: request.metadata,
        subscriptions: subscriptions(request.subscriptions),
        features: request.features,
        echo: request.echo,
    }
}

/// The answer to a registration, with what is the bridge's own.
pub fn register_reply(reply: RegisterReply, told: &Limits, virtual_clock: bool) -> v1::AgentRegisterResponse {
    let success = reply.error_code.is_empty();
    v1::AgentRegisterResponse {
        success,
        error_message: reply.error_message.into_owned(),
        error_code: reply.error_code.into_owned(),
        features: reply.features.into_iter().map(Into::into).collect(),
        // Told also with a refusal: a limit may be what it was refused for.
        server: Some(v1::ServerInfo {
            name: SERVER_NAME.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            protocol: PROTOCOL.to_owned(),
        }),
        limits: Some(limits(told)),
        heartbeat_interval_ms: reply.heartbeat_interval_ms as i64,
        registration: reply.registration,
        virtual_clock: success && virtual_clock,
    }
}

fn limits(limits: &Limits) -> v1::Limits {
    v1::Limits {
        event_bytes: limits.event_bytes,
        message_bytes: limits.message_bytes,
        queue_events: limits.queue_events,
        queue_bytes: limits.queue_bytes,
        waiting_calls: limits.waiting_calls,
        namespaces: limits.namespaces,
        connection_streams: limits.connection_streams,
        subscriptions: limits.subscriptions,
        capabilities: limits.capabilities,
        producer_outcomes: limits.producer_outcomes,
        call_timeout_ms: limits.call_timeout_ms,
        default_call_timeout_ms: limits.default_call_timeout_ms,
        registration_lapse_ms: limits.registration_lapse_ms,
        handshake_ms: limits.handshake_ms,
        goodbye_flush_ms: limits.goodbye_flush_ms,
        slow_consumer_ms: limits.slow_consumer_ms,
        idempotency_ms: limits.idempotency_ms,
        producer_ms: limits.producer_ms,
    }
}

/// A call, as the engine takes it.
pub fn invoke(call: u64, request: v1::ActionCall) -> Invoke {
    Invoke {
        call,
        request: m::ActionCall {
            id: request.id,
            capability: request.capability.into(),
            version: request.version,
            payload: request.payload,
            headers: request.headers,
            timeout_ms: request.timeout_ms,
            correlation_id: request.correlation_id,
            qos: request.qos,
        },
    }
}

/// The result of a call.
pub fn answer(answer: Answer) -> v1::ActionResult {
    let result = answer.result;
    v1::ActionResult {
        id: result.id,
        status: result.status,
        output: result.output,
        error: result.error.map(|error| v1::ActionError {
            code: error.code.into_owned(),
            message: error.message.into_owned(),
            details: error.details,
        }),
    }
}

/// What is callable now.
pub fn capabilities(reply: CapabilitiesReply) -> v1::ListCapabilitiesResponse {
    v1::ListCapabilitiesResponse {
        capabilities: reply
            .capabilities
            .into_iter()
            .map(|capability| v1::CapabilityDescriptor {
                name: capability.name,
                version: capability.version,
                provider: capability.provider,
                metadata: capability.metadata,
            })
            .collect(),
    }
}

/// A ping outside a stream.
pub fn heartbeat(call: u64, request: &v1::HeartbeatRequest) -> Heartbeat {
    Heartbeat { call, timestamp_ms: request.timestamp_ms }
}
