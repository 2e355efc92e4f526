"""Every message, field, value, service and method of the .proto files has a comment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from loom import protogen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Where a descriptor keeps its parts: the field numbers of descriptor.proto.
FILE_MESSAGES, FILE_ENUMS, FILE_SERVICES, FILE_SYNTAX = 4, 5, 6, 12
MESSAGE_FIELDS = ENUM_VALUES = SERVICE_METHODS = 2

Part = tuple[str, tuple[int, ...]]


def uncommented(protos: Path) -> list[str]:
    """The parts of the .proto files below a folder that have no comment."""
    files = FileDescriptorSet.FromString(protogen.descriptor_set(protos, comments=True))
    found = []
    for file in files.file:
        commented = {
            tuple(place.path)
            for place in file.source_code_info.location
            if place.leading_comments.strip()
            or place.trailing_comments.strip()
            or place.leading_detached_comments
        }
        found += [f"{file.name}: {name}" for name, path in parts(file) if path not in commented]
    return found


def parts(file: FileDescriptorProto) -> Iterator[Part]:
    yield "the file itself", (FILE_SYNTAX,)
    for index, message in enumerate(file.message_type):
        path = (FILE_MESSAGES, index)
        yield message.name, path
        for number, field in enumerate(message.field):
            yield f"{message.name}.{field.name}", (*path, MESSAGE_FIELDS, number)
        # Entries of maps are made by the compiler; nothing else is nested, which keeps this walk flat.
        assert all(nested.options.map_entry for nested in message.nested_type)
        assert not message.enum_type
    for index, enum in enumerate(file.enum_type):
        path = (FILE_ENUMS, index)
        yield enum.name, path
        for number, value in enumerate(enum.value):
            yield value.name, (*path, ENUM_VALUES, number)
    for index, service in enumerate(file.service):
        path = (FILE_SERVICES, index)
        yield service.name, path
        for number, method in enumerate(service.method):
            yield f"{service.name}.{method.name}", (*path, SERVICE_METHODS, number)


def test_everything_has_a_comment() -> None:
    assert uncommented(protogen.proto_root()) == []


def test_what_has_none_is_found(tmp_path: Path) -> None:
    (tmp_path / "planted.proto").write_text(
        'syntax = "proto3";\n'
        "package planted;\n"
        "message M {\n  // has one\n  string a = 1;\n  string b = 2;\n"
        "  oneof o {\n    string c = 3;\n  }\n}\n"
        "// has one\nenum E {\n  E_ZERO = 0;\n}\n"
        "service S {\n  rpc Do(M) returns (M);\n}\n"
    )
    assert uncommented(tmp_path) == [
        "planted.proto: the file itself",
        "planted.proto: M",
        "planted.proto: M.b",
        "planted.proto: M.c",
        "planted.proto: E_ZERO",
        "planted.proto: S",
        "planted.proto: S.Do",
    ]
