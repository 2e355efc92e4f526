"""The wire, written out by hand from the protocol's decision record, and not generated from anything.

`BASE` is what existing clients and bridges speak: it never changes. `EXTENSIONS` are our own fields of those
messages, numbered 100 and above. `OWN` are the messages that came with them, so far as they are fixed.
"""

from __future__ import annotations

BASE: dict[str, dict[str, tuple[int, str]]] = {
    "Event": {
        "id": (1, "string"),
        "type": (2, "string"),
        "timestamp_ms": (3, "int64"),
        "source": (4, "string"),
        "metadata": (5, "map<string, string>"),
        "payload": (6, "bytes"),
        "confidence": (7, "float"),
        "tags": (8, "repeated string"),
        "priority": (9, "int32"),
    },
    "Publish": {"topic": (1, "string"), "event": (2, "Event")},
    "Delivery": {"topic": (1, "string"), "event": (2, "Event")},
    "Ack": {"message_id": (1, "string")},
    "Error": {"code": (1, "string"), "message": (2, "string")},
    "HeartbeatRequest": {"timestamp_ms": (1, "int64")},
    "HeartbeatResponse": {"timestamp_ms": (1, "int64"), "status": (2, "string")},
    "AgentRegisterRequest": {
        "agent_id": (1, "string"),
        "subscribed_topics": (2, "repeated string"),
        "capabilities": (3, "repeated CapabilityDescriptor"),
        "metadata": (4, "map<string, string>"),
    },
    "AgentRegisterResponse": {"success": (1, "bool"), "error_message": (2, "string")},
    "ClientEvent": {
        "publish": (1, "oneof msg Publish"),
        "ack": (2, "oneof msg Ack"),
        "ping": (3, "oneof msg HeartbeatRequest"),
        "action_result": (4, "oneof msg ActionResult"),
    },
    "ServerEvent": {
        "delivery": (1, "oneof msg Delivery"),
        "pong": (2, "oneof msg HeartbeatResponse"),
        "err": (3, "oneof msg Error"),
        "action_call": (4, "oneof msg ActionCall"),
    },
    "CapabilityDescriptor": {
        "name": (1, "string"),
        "version": (2, "string"),
        "provider": (3, "ProviderKind"),
        "metadata": (4, "map<string, string>"),
    },
    "ActionCall": {
        "id": (1, "string"),
        "capability": (2, "string"),
        "version": (3, "string"),
        "payload": (4, "bytes"),
        "headers": (5, "map<string, string>"),
        "timeout_ms": (6, "int64"),
        "correlation_id": (7, "string"),
        "qos": (8, "QoSLevel"),
    },
    "ActionResult": {
        "id": (1, "string"),
        "status": (2, "ActionStatus"),
        "output": (3, "bytes"),
        "error": (4, "ActionError"),
    },
    "ActionError": {"code": (1, "string"), "message": (2, "string"), "details": (3, "map<string, string>")},
    "ListCapabilitiesRequest": {},
    "ListCapabilitiesResponse": {"capabilities": (1, "repeated CapabilityDescriptor")},
}

EXTENSIONS: dict[str, dict[str, tuple[int, str]]] = {
    "AgentRegisterRequest": {
        "subscriptions": (100, "repeated Subscription"),
        "features": (101, "repeated string"),
        "echo": (102, "optional bool"),
    },
    "AgentRegisterResponse": {
        "error_code": (100, "string"),
        "features": (101, "repeated string"),
        "server": (102, "ServerInfo"),
        "limits": (103, "Limits"),
        "heartbeat_interval_ms": (104, "int64"),
        "registration": (105, "uint64"),
        "virtual_clock": (106, "bool"),
    },
    "Ack": {
        "epoch": (100, "uint64"),
        "seq": (101, "uint64"),
        "done": (102, "repeated SeqRange"),
        "registration": (103, "uint64"),
        "producer": (104, "uint64"),
    },
    "Publish": {"confirm": (100, "bool"), "pub_seq": (101, "uint64")},
    "Delivery": {"seq": (100, "uint64")},
    "Error": {"ref": (100, "string"), "fatal": (101, "bool")},
    "ClientEvent": {
        "batch": (100, "oneof msg ClientBatch"),
        "subscribe": (101, "oneof msg Subscribe"),
        "unsubscribe": (102, "oneof msg Unsubscribe"),
        "action_chunk": (103, "oneof msg ActionChunk"),
        "goodbye": (104, "oneof msg Goodbye"),
    },
    "ServerEvent": {
        "batch": (100, "oneof msg ServerBatch"),
        "welcome": (101, "oneof msg Welcome"),
        "flow": (102, "oneof msg Flow"),
        "receipt": (103, "oneof msg Receipt"),
        "action_cancel": (104, "oneof msg ActionCancel"),
        "drain": (105, "oneof msg Drain"),
        "action_chunk": (106, "oneof msg ActionChunk"),
        "action_credit": (107, "oneof msg ActionCredit"),
    },
}

OWN: dict[str, dict[str, tuple[int, str]]] = {
    "Subscription": {
        "topic": (1, "string"),
        "event_types": (2, "repeated string"),
        "qos": (3, "optional QoSLevel"),
        "group": (4, "string"),
        "observer": (5, "bool"),
    },
    "ServerInfo": {"name": (1, "string"), "version": (2, "string"), "protocol": (3, "string")},
    "Welcome": {
        "epoch": (1, "uint64"),
        "resumed": (2, "bool"),
        "lost": (3, "uint64"),
        "credit": (4, "uint64"),
    },
    "Flow": {"credit": (1, "uint64")},
    "Receipt": {"ref": (1, "uint64"), "matched": (2, "uint64"), "code": (3, "string")},
}

ENUMS: dict[str, dict[str, int]] = {
    "ProviderKind": {"PROVIDER_NATIVE": 0, "PROVIDER_WASM": 1, "PROVIDER_GRPC": 2, "PROVIDER_MCP": 3},
    "QoSLevel": {"QOS_REALTIME": 0, "QOS_BATCHED": 1, "QOS_BACKGROUND": 2},
    "ActionStatus": {"ACTION_OK": 0, "ACTION_ERROR": 1, "ACTION_TIMEOUT": 2, "ACTION_RETRYABLE": 3},
}

# Method -> what is asked and answered; `stream` before what comes more than once.
SERVICES: dict[str, dict[str, tuple[str, str]]] = {
    "Bridge": {
        "RegisterAgent": ("AgentRegisterRequest", "AgentRegisterResponse"),
        "EventStream": ("stream ClientEvent", "stream ServerEvent"),
        "ForwardAction": ("ActionCall", "ActionResult"),
        "Heartbeat": ("HeartbeatRequest", "HeartbeatResponse"),
        "ForwardActionStream": ("ActionCall", "stream ActionStreamItem"),
    },
    "ActionBroker": {
        "ListCapabilities": ("ListCapabilitiesRequest", "ListCapabilitiesResponse"),
        "Invoke": ("ActionCall", "ActionResult"),
    },
}
