"""What a row says: the entry in a few words, and its content in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from loom.envelope import CORRELATION_ID, REPLY_TO, THREAD_ID
from loom_testing.transcript.entry import Entry, Kind, Way
from loom_testing.transcript.shown import show, show_payload, show_text

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["label_of"]


def label_of(entry: Entry) -> tuple[str, str]:
    """A label of a few words, and more about it, perhaps empty."""
    label, detail = _label_of(entry)
    return show_text(label), show_text(detail)


def _label_of(entry: Entry) -> tuple[str, str]:
    body: Any = entry.body if isinstance(entry.body, dict) else {}
    match entry.kind:
        case Kind.MESSAGE:
            return _message(entry, body)
        case Kind.BYTES:
            return f"{body.get('bytes', '?')} bytes that are no message", entry.rpc
        case Kind.HEADERS:
            what = "call's metadata" if entry.way is Way.SENT else "headers"
            return what if entry.rpc == "EventStream" else f"{entry.rpc} {what}", _pairs(body)
        case Kind.HALF_CLOSE:
            return "half-close", "nothing more will be sent"
        case Kind.RESET:
            if entry.rpc == "EventStream":
                return "reset", "the connection is broken"
            return f"{entry.rpc} given up", ""
        case Kind.STATUS:
            return f"{entry.rpc} ends: {entry.name}", str(body.get("details", ""))
        case Kind.TIME:
            return f"clock +{_seconds(entry.name)}", ""
        case Kind.FAULT:
            return _fault(entry, body)
    return entry.name, "" if entry.body is None else show(entry.body)


def _message(entry: Entry, body: dict[str, Any]) -> tuple[str, str]:
    special = _LABELS.get((entry.rpc, entry.name)) or _LABELS.get(("", entry.name))
    if special is not None:
        return special(body)
    return f"{entry.rpc} {entry.name}", show(body) if body else ""


def _fault(entry: Entry, body: dict[str, Any]) -> tuple[str, str]:
    met = body.get("message")
    if not isinstance(met, dict) or not met:
        return entry.name, "" if entry.body is None else show(entry.body)
    name, content = next(iter(met.items()))
    label, detail = label_of(Entry(entry.who, entry.way, Kind.MESSAGE, name, entry.rpc, body=content))
    return f"{entry.name}: {label}", detail


# One function for each kind of message.


def _publish(body: dict[str, Any]) -> tuple[str, str]:
    event = body.get("event", {})
    matched = body.get("$matched")
    receives = "" if matched is None else f" → {matched or 'nobody'}"
    return f"publish {body.get('topic', '(no topic)')}{receives}", _event(body, event)


def _delivery(body: dict[str, Any]) -> tuple[str, str]:
    return str(body.get("topic", "")), _event(body, body.get("event", {}))


def _event(body: dict[str, Any], event: dict[str, Any]) -> str:
    metadata = event.get("metadata", {})
    parts = []
    if event.get("type") and event["type"] != body.get("topic"):
        parts.append(f"type {event['type']}")
    if "payload" in event:
        parts.append(show_payload(event["payload"]))
    if metadata.get(REPLY_TO):
        parts.append("asks for a reply")
    elif metadata.get(CORRELATION_ID):
        parts.append(f"correlation {metadata[CORRELATION_ID]}")
    elif not parts and metadata.get(THREAD_ID):
        parts.append(f"thread {metadata[THREAD_ID]}")
    return "  ".join(parts)


def _request(body: dict[str, Any]) -> tuple[str, str]:
    version = f"@{body['version']}" if body.get("version") else ""
    content = show_payload(body["payload"]) if body.get("payload", {}) != {} else ""
    return f"call {body.get('capability', '')}{version}", content


def _action_call(body: dict[str, Any]) -> tuple[str, str]:
    label, content = _request(body)
    return f"{label} {body.get('id', '')}".rstrip(), content


def _result(body: dict[str, Any]) -> tuple[str, str]:
    status = str(body.get("status", "ACTION_OK")).removeprefix("ACTION_").lower()
    label = "answer" if status == "ok" else f"answer: {status}"
    error = body.get("error")
    if isinstance(error, dict):
        code = str(error.get("code", ""))
        said = "" if code == status.upper() else code
        return f"{label} {said}".rstrip(), str(error.get("message", ""))
    return label, show_payload(body["output"]) if "output" in body else ""


def _action_result(body: dict[str, Any]) -> tuple[str, str]:
    label, content = _result(body)
    return f"{label} {body.get('id', '')}".rstrip(), content


def _register(body: dict[str, Any]) -> tuple[str, str]:
    return f"register {body.get('agent_id', '')}", _interests(body)


def _registered(body: dict[str, Any]) -> tuple[str, str]:
    if body.get("success"):
        return "registered", ", ".join(body.get("features", []))
    return f"not registered {body.get('error_code', '')}".rstrip(), str(body.get("error_message", ""))


def _joins(body: dict[str, Any]) -> tuple[str, str]:
    return "joins", _interests(body)


def _interests(body: dict[str, Any]) -> str:
    hears = [*body.get("subscribed_topics", []), *map(_subscription, body.get("subscriptions", []))]
    offers = [str(item.get("name", "")) for item in body.get("capabilities", [])]
    parts = []
    if hears:
        parts.append(f"hears {', '.join(hears)}")
    if offers:
        parts.append(f"offers {', '.join(offers)}")
    return "; ".join(parts)


def _subscription(item: dict[str, Any]) -> str:
    text = str(item.get("topic", ""))
    if item.get("observer"):
        return f"{text} (observes)"
    return f"{text} (group {item['group']})" if item.get("group") else text


def _ack(body: dict[str, Any]) -> tuple[str, str]:
    return "handshake" if body.get("message_id") else "ack", str(body.get("message_id", ""))


def _receipt(body: dict[str, Any]) -> tuple[str, str]:
    if body.get("code"):
        return f"receipt {body.get('ref', '')}: {body['code']}", ""
    return f"receipt {body.get('ref', '')}", f"matched {body.get('matched', 0)}"


def _err(body: dict[str, Any]) -> tuple[str, str]:
    fatal = " (fatal)" if body.get("fatal") else ""
    return f"err {body.get('code', '')}{fatal}", str(body.get("message", ""))


def _ping(name: str) -> Callable[[dict[str, Any]], tuple[str, str]]:
    return lambda body: (name, str(body.get("timestamp_ms", "")))


def _goodbye(body: dict[str, Any]) -> tuple[str, str]:
    return "goodbye", str(body.get("reason", ""))


def _leaves(body: dict[str, Any]) -> tuple[str, str]:
    return "leaves", str(body.get("reason", ""))


def _cancel(body: dict[str, Any]) -> tuple[str, str]:
    return f"cancel {body.get('id', '')}".rstrip(), str(body.get("code", ""))


def _plain(name: str) -> Callable[[dict[str, Any]], tuple[str, str]]:
    return lambda body: (name, _pairs(body))


_LABELS: dict[tuple[str, str], Callable[[dict[str, Any]], tuple[str, str]]] = {
    ("", "publish"): _publish,
    ("", "delivery"): _delivery,
    ("", "action_call"): _action_call,
    ("", "action_result"): _action_result,
    ("", "action_cancel"): _cancel,
    ("", "ack"): _ack,
    ("", "receipt"): _receipt,
    ("", "err"): _err,
    ("", "ping"): _ping("ping"),
    ("", "pong"): _ping("pong"),
    ("", "goodbye"): _goodbye,
    ("", "welcome"): _plain("welcome"),
    ("", "drain"): _plain("drain"),
    ("", "subscribe"): _plain("subscribe"),
    ("", "unsubscribe"): _plain("unsubscribe"),
    ("", "joins"): _joins,
    ("", "leaves"): _leaves,
    ("RegisterAgent", "request"): _register,
    ("RegisterAgent", "response"): _registered,
    ("ForwardAction", "request"): _request,
    ("ForwardAction", "response"): _result,
    ("ForwardActionStream", "request"): _request,
    ("ForwardActionStream", "result"): _result,
    ("Invoke", "request"): _request,
    ("Invoke", "response"): _result,
    ("Heartbeat", "request"): _ping("heartbeat"),
    ("Heartbeat", "response"): _ping("heartbeat answered"),
}


def _pairs(body: dict[str, Any]) -> str:
    return ", ".join(
        f"{name} {value if isinstance(value, str) else show(value)}" for name, value in body.items()
    )


def _seconds(text: str) -> str:
    try:
        seconds = float(text)
    except ValueError:
        return text
    if seconds >= 60:
        minutes, rest = divmod(seconds, 60)
        return f"{minutes:g} min" if not rest else f"{minutes:g} min {rest:g} s"
    return f"{seconds:g} s" if seconds >= 1 or not seconds else f"{seconds * 1000:g} ms"
