"""The generated modules, and their descriptors as plain data for the tests of the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import FieldDescriptor

from loom.testing.v1 import control_pb2
from loom.v1 import action_pb2, agent_pb2, bridge_pb2, event_pb2, stream_pb2
from loom.view.v1 import view_pb2

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor

V1 = (action_pb2, agent_pb2, bridge_pb2, event_pb2, stream_pb2)
"""Package loom.v1: what every client and bridge speaks."""

PUBLIC = (*V1, control_pb2)
"""What others build on; the view is a bridge's own affair."""

ALL = (*PUBLIC, view_pb2)

_TYPES = {
    value: name.removeprefix("TYPE_").lower()
    for name, value in vars(FieldDescriptor).items()
    if name.startswith("TYPE_")
}


def descriptors(modules: tuple[object, ...] = PUBLIC) -> descriptor_pb2.FileDescriptorSet:
    """The descriptors of generated modules."""
    files = descriptor_pb2.FileDescriptorSet()
    for module in modules:
        module.DESCRIPTOR.CopyToProto(files.file.add())  # type: ignore[attr-defined]  # every generated module has one
    return files


def messages(modules: tuple[object, ...]) -> dict[str, Descriptor]:
    """The messages of generated modules: name -> descriptor. Those of maps are left out."""
    found: dict[str, Descriptor] = {}
    for module in modules:
        found |= module.DESCRIPTOR.message_types_by_name  # type: ignore[attr-defined]  # every generated module has one
    return found


def kind(field: FieldDescriptor) -> str:
    """A field's type as the table writes it: `repeated string`, `map<string, string>`, `oneof msg Ack`."""
    if is_map(field):
        key, value = field.message_type.fields_by_name["key"], field.message_type.fields_by_name["value"]
        return f"map<{kind(key)}, {kind(value)}>"
    named = field.message_type or field.enum_type
    name = named.name if named is not None else _TYPES[field.type]
    if field.is_repeated:
        return f"repeated {name}"
    oneof = field.containing_oneof
    if oneof is None:
        return name
    return f"optional {name}" if oneof.name.startswith("_") else f"oneof {oneof.name} {name}"


def is_map(field: FieldDescriptor) -> bool:
    """Whether a field is a map."""
    return field.message_type is not None and field.message_type.GetOptions().map_entry
