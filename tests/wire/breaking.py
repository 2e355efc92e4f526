"""Tells the changes of the wire that break others from those that do not.

Additions break nobody: a new message, field, enum value, service or method. Everything else about what was
there does: its removal, another number, name, type or label, another oneof, another streaming.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import FieldDescriptorProto

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf.descriptor_pb2 import (
        DescriptorProto,
        EnumDescriptorProto,
        FileDescriptorSet,
        MethodDescriptorProto,
    )


def breaking_changes(old: FileDescriptorSet, new: FileDescriptorSet) -> list[str]:
    """What in `new` breaks those who speak `old`, a line each; sorted."""
    found: list[str] = []
    _compare_messages(_messages(old), _messages(new), found)
    _compare_enums(_enums(old), _enums(new), found)
    _compare_methods(_methods(old), _methods(new), found)
    return sorted(found)


def _compare_messages(
    old: dict[str, DescriptorProto], new: dict[str, DescriptorProto], found: list[str]
) -> None:
    for name, message in old.items():
        if name not in new:
            found.append(f"message {name} is gone")
            continue
        before, after = _fields(message), _fields(new[name])
        for number, facts in before.items():
            label = f"field {number} ({facts['name']}) of {name}"
            if number not in after:
                found.append(f"{label} is gone")
                continue
            for fact, value in facts.items():
                now = after[number][fact]
                if now != value:
                    found.append(f"{label} changed its {fact}: {value or 'none'} -> {now or 'none'}")


def _compare_enums(
    old: dict[str, EnumDescriptorProto], new: dict[str, EnumDescriptorProto], found: list[str]
) -> None:
    for name, enum in old.items():
        if name not in new:
            found.append(f"enum {name} is gone")
            continue
        after = {value.number: value.name for value in new[name].value}
        for value in enum.value:
            now = after.get(value.number)
            if now is None:
                found.append(f"value {value.number} ({value.name}) of enum {name} is gone")
            elif now != value.name:
                found.append(f"value {value.number} of enum {name} changed its name: {value.name} -> {now}")


def _compare_methods(
    old: dict[str, MethodDescriptorProto], new: dict[str, MethodDescriptorProto], found: list[str]
) -> None:
    for name, method in old.items():
        if name not in new:
            found.append(f"method {name} is gone")
        elif _shape(method) != _shape(new[name]):
            found.append(f"method {name} changed: {_shape(method)} -> {_shape(new[name])}")


def _messages(files: FileDescriptorSet) -> dict[str, DescriptorProto]:
    """Every message by its full name, those inside others (and the entries of maps) too."""

    def walk(prefix: str, messages: Iterable[DescriptorProto]) -> None:
        for message in messages:
            name = f"{prefix}.{message.name}"
            named[name] = message
            walk(name, message.nested_type)

    named: dict[str, DescriptorProto] = {}
    for file in files.file:
        walk(file.package, file.message_type)
    return named


def _enums(files: FileDescriptorSet) -> dict[str, EnumDescriptorProto]:
    named = {f"{file.package}.{enum.name}": enum for file in files.file for enum in file.enum_type}
    inside = {
        f"{name}.{enum.name}": enum
        for name, message in _messages(files).items()
        for enum in message.enum_type
    }
    return named | inside


def _methods(files: FileDescriptorSet) -> dict[str, MethodDescriptorProto]:
    return {
        f"{file.package}.{service.name}.{method.name}": method
        for file in files.file
        for service in file.service
        for method in service.method
    }


def _fields(message: DescriptorProto) -> dict[int, dict[str, str]]:
    """Number -> what must stay as it is, in words."""
    facts = {}
    for field in message.field:
        label = FieldDescriptorProto.Label.Name(field.label).removeprefix("LABEL_").lower()
        kind = FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()
        in_oneof = field.HasField("oneof_index") and not field.proto3_optional
        facts[field.number] = {
            "name": field.name,
            "label": f"{label} with presence" if field.proto3_optional else label,
            "type": f"{kind} {field.type_name}".strip(),
            "oneof": message.oneof_decl[field.oneof_index].name if in_oneof else "",
        }
    return facts


def _shape(method: MethodDescriptorProto) -> str:
    asked = "stream " * method.client_streaming + method.input_type
    answered = "stream " * method.server_streaming + method.output_type
    return f"({asked}) returns ({answered})"
