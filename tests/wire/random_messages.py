"""Random messages of any generated class, for Hypothesis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from hypothesis import strategies as st

from tests.wire.generated import is_map

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["random_messages"]

M = TypeVar("M", bound=Message)

# A string field takes any text that UTF-8 can hold.
_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)

_SCALARS: dict[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.CPPTYPE_STRING: _TEXTS,
    FieldDescriptor.CPPTYPE_BOOL: st.booleans(),
    FieldDescriptor.CPPTYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: st.integers(0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: st.integers(0, 2**64 - 1),
    # NaN is left out: it is not equal to itself, so that no message with one equals its copy.
    FieldDescriptor.CPPTYPE_FLOAT: st.floats(width=32, allow_nan=False),
    # Enums are open: a number that this version does not know is kept.
    FieldDescriptor.CPPTYPE_ENUM: st.integers(0, 3) | st.integers(-(2**31), 2**31 - 1),
}


def random_messages(kind: type[M], *, depth: int = 3, events: bool = False) -> st.SearchStrategy[M]:
    """Random messages of a generated class.

    Args:
        kind: the class.
        depth: how deep messages stand in messages; deeper ones are left unset.
        events: whether a `bytes event` holds an encoded loom.v1.Event rather than any bytes.
    """

    @st.composite
    def draw_message(draw: Callable[[st.SearchStrategy[Any]], Any]) -> M:
        message = kind()
        _fill(message, draw, depth, events)
        return message

    return draw_message()


def _fill(message: Any, draw: Callable[[st.SearchStrategy[Any]], Any], depth: int, events: bool) -> None:
    for field in message.DESCRIPTOR.fields:
        if not draw(st.booleans()):
            continue
        held = getattr(message, field.name)
        if is_map(field):
            held.update(
                draw(st.dictionaries(_TEXTS, _scalar(field.message_type.fields_by_name["value"], events)))
            )
        elif field.message_type is None:
            values = _scalar(field, events)
            if field.is_repeated:
                held.extend(draw(st.lists(values, max_size=3)))
            else:
                setattr(message, field.name, draw(values))
        elif depth > 0:
            for part in [held.add() for _ in range(draw(st.integers(1, 2)))] if field.is_repeated else [held]:
                part.SetInParent()
                _fill(part, draw, depth - 1, events)


def _scalar(field: FieldDescriptor, events: bool) -> st.SearchStrategy[Any]:
    if field.type != FieldDescriptor.TYPE_BYTES:
        return _SCALARS[field.cpp_type]
    if events and field.name == "event":
        from loom.v1.event_pb2 import Event

        return random_messages(Event).map(Event.SerializeToString)
    return st.binary(max_size=8)
