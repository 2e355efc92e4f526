"""The wire against its committed baseline, and the checker against changes planted by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)

from tests.wire import baseline
from tests.wire.breaking import breaking_changes
from tests.wire.generated import descriptors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_nothing_of_the_wire_broke() -> None:
    assert breaking_changes(baseline.read(), descriptors()) == []


def test_the_baseline_knows_every_addition() -> None:
    assert baseline.read() == descriptors(), "run `python -m tests.wire.baseline` and commit the baseline"


def file(files: FileDescriptorSet, name: str) -> FileDescriptorProto:
    return next(file for file in files.file if file.name == f"loom/v1/{name}.proto")


def message(files: FileDescriptorSet, where: str, name: str) -> DescriptorProto:
    return next(message for message in file(files, where).message_type if message.name == name)


def field(files: FileDescriptorSet, where: str, name: str, number: int) -> FieldDescriptorProto:
    return next(field for field in message(files, where, name).field if field.number == number)


def remove_field(files: FileDescriptorSet) -> None:
    del message(files, "event", "Event").field[0]


def renumber_field(files: FileDescriptorSet) -> None:
    field(files, "event", "Event", 9).number = 10


def rename_field(files: FileDescriptorSet) -> None:
    field(files, "event", "Event", 4).name = "origin"


def retype_field(files: FileDescriptorSet) -> None:
    field(files, "event", "Event", 9).type = FieldDescriptorProto.TYPE_SINT32


def point_field_elsewhere(files: FileDescriptorSet) -> None:
    field(files, "event", "Publish", 2).type_name = ".loom.v1.Delivery"


def repeat_field(files: FileDescriptorSet) -> None:
    field(files, "event", "Event", 1).label = FieldDescriptorProto.LABEL_REPEATED


def drop_presence(files: FileDescriptorSet) -> None:
    changed = field(files, "agent", "AgentRegisterRequest", 102)
    changed.ClearField("proto3_optional")
    changed.ClearField("oneof_index")


def leave_oneof(files: FileDescriptorSet) -> None:
    field(files, "stream", "ClientEvent", 3).ClearField("oneof_index")


def retype_map_value(files: FileDescriptorSet) -> None:
    message(files, "event", "Event").nested_type[0].field[1].type = FieldDescriptorProto.TYPE_BYTES


def remove_message(files: FileDescriptorSet) -> None:
    del file(files, "stream").message_type[0]


def rename_package(files: FileDescriptorSet) -> None:
    file(files, "event").package = "loom.v2"


def remove_value(files: FileDescriptorSet) -> None:
    del file(files, "event").enum_type[0].value[2]


def swap_values(files: FileDescriptorSet) -> None:
    values = file(files, "event").enum_type[0].value
    values[0].number, values[1].number = values[1].number, values[0].number


def remove_enum(files: FileDescriptorSet) -> None:
    del file(files, "event").enum_type[0]


def remove_method(files: FileDescriptorSet) -> None:
    del file(files, "bridge").service[0].method[0]


def remove_service(files: FileDescriptorSet) -> None:
    del file(files, "bridge").service[1]


def stop_streaming(files: FileDescriptorSet) -> None:
    file(files, "bridge").service[0].method[1].client_streaming = False


def answer_otherwise(files: FileDescriptorSet) -> None:
    file(files, "bridge").service[0].method[2].output_type = ".loom.v1.ActionCall"


BREAKING: list[tuple[Callable[[FileDescriptorSet], None], list[str]]] = [
    (remove_field, ["field 1 (id) of loom.v1.Event is gone"]),
    (renumber_field, ["field 9 (priority) of loom.v1.Event is gone"]),
    (rename_field, ["field 4 (source) of loom.v1.Event changed its name: source -> origin"]),
    (retype_field, ["field 9 (priority) of loom.v1.Event changed its type: int32 -> sint32"]),
    (
        point_field_elsewhere,
        [
            (
                "field 2 (event) of loom.v1.Publish changed its type: "
                "message .loom.v1.Event -> message .loom.v1.Delivery"
            )
        ],
    ),
    (repeat_field, ["field 1 (id) of loom.v1.Event changed its label: optional -> repeated"]),
    (
        drop_presence,
        [
            (
                "field 102 (echo) of loom.v1.AgentRegisterRequest changed its label: "
                "optional with presence -> optional"
            )
        ],
    ),
    (leave_oneof, ["field 3 (ping) of loom.v1.ClientEvent changed its oneof: msg -> none"]),
    (retype_map_value, ["field 2 (value) of loom.v1.Event.MetadataEntry changed its type: string -> bytes"]),
    (remove_message, ["message loom.v1.SeqRange is gone"]),
    (
        rename_package,
        [
            "enum loom.v1.QoSLevel is gone",
            "message loom.v1.Delivery is gone",
            "message loom.v1.Event is gone",
            "message loom.v1.Event.MetadataEntry is gone",
            "message loom.v1.Publish is gone",
        ],
    ),
    (remove_value, ["value 2 (QOS_BACKGROUND) of enum loom.v1.QoSLevel is gone"]),
    (
        swap_values,
        [
            "value 0 of enum loom.v1.QoSLevel changed its name: QOS_REALTIME -> QOS_BATCHED",
            "value 1 of enum loom.v1.QoSLevel changed its name: QOS_BATCHED -> QOS_REALTIME",
        ],
    ),
    (remove_enum, ["enum loom.v1.QoSLevel is gone"]),
    (remove_method, ["method loom.v1.Bridge.RegisterAgent is gone"]),
    (
        remove_service,
        [
            "method loom.v1.ActionBroker.Invoke is gone",
            "method loom.v1.ActionBroker.ListCapabilities is gone",
        ],
    ),
    (
        stop_streaming,
        [
            (
                "method loom.v1.Bridge.EventStream changed: "
                "(stream .loom.v1.ClientEvent) returns (stream .loom.v1.ServerEvent) -> "
                "(.loom.v1.ClientEvent) returns (stream .loom.v1.ServerEvent)"
            )
        ],
    ),
    (
        answer_otherwise,
        [
            (
                "method loom.v1.Bridge.ForwardAction changed: "
                "(.loom.v1.ActionCall) returns (.loom.v1.ActionResult) -> "
                "(.loom.v1.ActionCall) returns (.loom.v1.ActionCall)"
            )
        ],
    ),
]


@pytest.mark.parametrize(("plant", "expected"), BREAKING, ids=lambda case: getattr(case, "__name__", ""))
def test_a_planted_breaking_change_is_told(
    plant: Callable[[FileDescriptorSet], None], expected: list[str]
) -> None:
    changed = baseline.read()
    plant(changed)
    assert breaking_changes(baseline.read(), changed) == expected


def add_field(files: FileDescriptorSet) -> None:
    message(files, "event", "Event").field.add(
        name="urgent",
        number=100,
        label=FieldDescriptorProto.LABEL_OPTIONAL,
        type=FieldDescriptorProto.TYPE_BOOL,
    )


def add_oneof_member(files: FileDescriptorSet) -> None:
    message(files, "stream", "ClientEvent").field.add(
        name="extra",
        number=200,
        label=FieldDescriptorProto.LABEL_OPTIONAL,
        type=FieldDescriptorProto.TYPE_MESSAGE,
        type_name=".loom.v1.Ack",
        oneof_index=0,
    )


def add_message(files: FileDescriptorSet) -> None:
    file(files, "event").message_type.add(name="Extra")


def add_value(files: FileDescriptorSet) -> None:
    file(files, "event").enum_type[0].value.add(name="QOS_LOUD", number=9)


def add_method(files: FileDescriptorSet) -> None:
    file(files, "bridge").service[0].method.add(
        name="More", input_type=".loom.v1.Ack", output_type=".loom.v1.Ack"
    )


def add_file(files: FileDescriptorSet) -> None:
    files.file.add(name="loom/v1/more.proto", package="loom.v1")


def move_message(files: FileDescriptorSet) -> None:
    event = file(files, "event")
    file(files, "stream").message_type.add().CopyFrom(event.message_type[0])
    del event.message_type[0]


@pytest.mark.parametrize(
    "plant", [add_field, add_oneof_member, add_message, add_value, add_method, add_file, move_message]
)
def test_an_addition_breaks_nobody(plant: Callable[[FileDescriptorSet], None]) -> None:
    changed = baseline.read()
    plant(changed)
    assert changed != baseline.read()
    assert breaking_changes(baseline.read(), changed) == []


def test_no_field_can_go_or_change_unnoticed() -> None:
    old = baseline.read()
    checked = 0
    for file_index, old_file in enumerate(old.file):
        for message_index, old_message in enumerate(old_file.message_type):
            for field_index, old_field in enumerate(old_message.field):
                gone, renumbered = baseline.read(), baseline.read()
                del gone.file[file_index].message_type[message_index].field[field_index]
                renumbered.file[file_index].message_type[message_index].field[field_index].number += 1000
                name = f"{old_file.package}.{old_message.name}"
                told = [f"field {old_field.number} ({old_field.name}) of {name} is gone"]
                assert breaking_changes(old, gone) == told
                assert breaking_changes(old, renumbered) == told
                checked += 1
    assert checked > 100


def test_updating_refuses_a_breaking_change(tmp_path: Path) -> None:
    path = tmp_path / "baseline.binpb"
    assert baseline.update(path) == []  # there was none
    assert baseline.read(path) == descriptors()
    more = baseline.read(path)
    message(more, "event", "Event").field.add(name="was_there", number=99)
    path.write_bytes(more.SerializeToString())
    assert baseline.update(path) == ["field 99 (was_there) of loom.v1.Event is gone"]
    assert baseline.read(path) == more
    assert baseline.update(path, accept_breaking=True) != []
    assert baseline.read(path) == descriptors()
