//! The one table of error codes: what a bridge says when it refuses.
//!
//! The twin of `loom/codes.py`, as far as a bridge speaks of it. A provider may put a code of its own into an
//! `ActionError`; such codes pass through untouched (ACT-1).

macro_rules! codes {
    ($($member:ident = $name:literal, $meaning:literal;)*) => {
        crate::names::names! {
            /// Every code of the protocol, by name. The name is what stands on the wire.
            Code { $($member = $name,)* }
        }

        impl Code {
            /// What happened, one sentence.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$member => $meaning,)* }
            }
        }
    };
}

codes! {
    InvalidAgentId = "INVALID_AGENT_ID",
        "The agent id is empty, too long or holds a character that is not allowed.";
    InvalidTopic = "INVALID_TOPIC",
        "The topic is empty, too long, malformed, or holds a wildcard where a concrete topic is needed.";
    InvalidSubscription = "INVALID_SUBSCRIPTION", "A subscription is malformed.";
    InvalidCapability = "INVALID_CAPABILITY",
        "A capability is malformed, or named twice in one registration.";
    InvalidEvent = "INVALID_EVENT",
        "The publish carries no event, or one that is not a well-formed loom.v1.Event.";
    InvalidTtl = "INVALID_TTL",
        "The event's loom.ttl_ms is not a whole number of milliseconds from 1 to 9999999999.";
    InvalidMessage = "INVALID_MESSAGE",
        "The message is empty, malformed, or of a kind this bridge does not know.";
    InvalidInput = "INVALID_INPUT", "The call's arguments, or the call itself, are not what is asked for.";
    InvalidOutput = "INVALID_OUTPUT",
        "The capability answered with something that does not fit its own output schema.";
    FeatureRequired = "FEATURE_REQUIRED",
        "The message belongs to a feature that this session did not agree on.";
    LimitExceeded = "LIMIT_EXCEEDED",
        "Something is larger, or there is more of it, than the bridge's limits allow.";
    NotRegistered = "NOT_REGISTERED", "A stream was opened for an agent that is not registered.";
    StaleRegistration = "STALE_REGISTRATION",
        "The handshake names a registration that is no longer the agent's newest.";
    HandshakeExpected = "HANDSHAKE_EXPECTED",
        "The first message of the stream is not an Ack with the agent's id.";
    HandshakeTimeout = "HANDSHAKE_TIMEOUT", "The stream did not begin with its handshake in time.";
    HeartbeatTimeout = "HEARTBEAT_TIMEOUT",
        "The peer was silent for three heartbeat intervals and is taken for dead.";
    Superseded = "SUPERSEDED", "Another process opened a stream for the same agent id; the newest wins.";
    SlowConsumer = "SLOW_CONSUMER",
        "The subscriber's queue was full and its connection took nothing for too long.";
    EventsDropped = "EVENTS_DROPPED", "Realtime events were dropped because the subscriber's queue was full.";
    NamespaceReset = "NAMESPACE_RESET", "A test reset the namespace; every session and call of it ended.";
    Draining = "DRAINING", "The bridge is about to stop and takes nothing new.";
    NotFound = "NOT_FOUND", "No agent offers the capability, or not in the version asked for.";
    Unavailable = "UNAVAILABLE", "The capability is registered, but no provider of it has a live stream.";
    Timeout = "TIMEOUT", "The deadline passed before an answer came.";
    Cancelled = "CANCELLED", "The caller left before the answer came.";
    ProviderLost = "PROVIDER_LOST",
        "The provider was lost while it worked on the call; whether it did the work is unknown.";
    UnknownCall = "UNKNOWN_CALL", "The result belongs to no call that is open with this session.";
    IdReused = "ID_REUSED", "The call's id was used by the same caller for a call with other content.";
    Overloaded = "OVERLOADED", "Too many calls wait for the capability.";
    CapabilityError = "CAPABILITY_ERROR", "The capability raised an exception.";
    PermissionDenied = "PERMISSION_DENIED", "The token does not allow it.";
    Unauthenticated = "UNAUTHENTICATED", "The bridge wants a valid token.";
    HandlerError = "HANDLER_ERROR", "The handler that the request reached raised an exception.";
    NoSubscribers = "NO_SUBSCRIBERS", "Nobody hears the topic of the request.";
    AgentGone = "AGENT_GONE", "The agent that asked is gone, and nobody hears the reply.";
    BridgeUnavailable = "BRIDGE_UNAVAILABLE", "No bridge answers at the address, or it went away.";
    NotConnected = "NOT_CONNECTED", "The agent is not connected: it was not started, or it was stopped.";
    InvalidConfig = "INVALID_CONFIG", "A setting is missing, malformed, or contradicts another.";
    InvalidDefinition = "INVALID_DEFINITION",
        "An agent, handler, subscription or capability is declared wrongly.";
    InvalidPayload = "INVALID_PAYLOAD",
        "A payload is not JSON in UTF-8, or a value cannot be written as JSON.";
    MemoryFailed = "MEMORY_FAILED", "A memory store could not read or write.";
    Internal = "INTERNAL", "Something went wrong that has no code of its own.";
}
