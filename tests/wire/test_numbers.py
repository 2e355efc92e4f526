"""The names, numbers and types of the wire against the table written out by hand."""

from __future__ import annotations

import pytest

from loom.v1 import action_pb2, bridge_pb2, event_pb2
from tests.wire.generated import V1, kind, messages
from tests.wire.table import BASE, ENUMS, EXTENSIONS, OWN, SERVICES

FOUND = messages(V1)


def fields(message: str) -> dict[str, tuple[int, str]]:
    return {field.name: (field.number, kind(field)) for field in FOUND[message].fields}


@pytest.mark.parametrize("message", sorted(BASE))
def test_the_base_level_stands_where_it_stood(message: str) -> None:
    assert {name: entry for name, entry in fields(message).items() if entry[0] < 100} == BASE[message]


@pytest.mark.parametrize("message", sorted(EXTENSIONS))
def test_our_fields_stand_where_they_were_fixed(message: str) -> None:
    present = fields(message)
    assert {name: present.get(name) for name in EXTENSIONS[message]} == EXTENSIONS[message]


@pytest.mark.parametrize("message", sorted(OWN))
def test_our_messages_stand_where_they_were_fixed(message: str) -> None:
    present = fields(message)
    assert {name: present.get(name) for name in OWN[message]} == OWN[message]


@pytest.mark.parametrize("message", sorted(BASE))
def test_what_is_not_of_the_base_level_is_numbered_from_100(message: str) -> None:
    ours = {name: number for name, (number, _) in fields(message).items() if name not in BASE[message]}
    assert all(number >= 100 for number in ours.values()), ours


def test_enums() -> None:
    found = {
        name: {value.name: value.number for value in enum.values}
        for module in (action_pb2, event_pb2)
        for name, enum in module.DESCRIPTOR.enum_types_by_name.items()
    }
    assert found == ENUMS


def test_services() -> None:
    def side(name: str, streams: bool) -> str:
        return f"stream {name}" if streams else name

    found = {
        name: {
            method.name: (
                side(method.input_type.name, method.client_streaming),
                side(method.output_type.name, method.server_streaming),
            )
            for method in service.methods
        }
        for name, service in bridge_pb2.DESCRIPTOR.services_by_name.items()
    }
    assert found == SERVICES


def test_the_package_is_loom_v1() -> None:
    assert {module.DESCRIPTOR.package for module in V1} == {"loom.v1"}
    assert not set(FOUND) & set(ENUMS)
    assert set(BASE) | set(OWN) <= set(FOUND)
