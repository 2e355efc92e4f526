"""Which bridge it is."""

import logging

import pytest

from loom.config import Settings
from loom.endpoint import TLS, Endpoint
from loom.errors import ConfigError
from loom.runtime.choose import find_bridge, find_running
from loom.runtime.managed import ADDRESS, managed_endpoint

NAMED = Settings(endpoint=Endpoint("named:1", "space", "token"), reason="named by somebody")


async def test_what_the_program_gives_goes_before_the_settings():
    given = Endpoint("given:2")
    assert (await find_bridge(NAMED, given)).endpoint is given
    text = (await find_bridge(NAMED, "given:3")).endpoint
    assert (text.address, text.namespace, text.token) == ("given:3", "space", "token")
    alone = (await find_bridge(Settings(namespace="n"), "given:3")).endpoint
    assert (alone.address, alone.namespace) == ("given:3", "n")


async def test_what_is_named_is_taken_and_logged_without_its_token(caplog):
    caplog.set_level(logging.INFO, "loom.runtime")
    found = await find_bridge(NAMED)
    assert found.endpoint is NAMED.endpoint
    assert found.again is None
    assert [record.message for record in caplog.records] == [
        "bridge named:1: named by somebody",
        "the token travels in the clear to named:1: set LOOM_TLS=1, or bridge.tls in loom.toml",
    ]


@pytest.mark.parametrize(
    "endpoint",
    [Endpoint("far:1"), Endpoint("127.0.0.1:1", token="t"), Endpoint("far:1", token="t", tls=TLS())],
)
async def test_a_token_that_is_safe_is_not_warned_of(caplog, endpoint):
    await find_bridge(Settings(), endpoint)
    assert not caplog.records


async def test_a_malformed_address_is_refused():
    with pytest.raises(ConfigError, match="write host:port"):
        await find_bridge(Settings(), "nowhere")


async def test_without_leave_no_local_bridge_is_started():
    with pytest.raises(ConfigError, match="no bridge is named, and a local one may not be started"):
        await find_bridge(Settings(local=False))


def test_tools_find_what_is_named_or_runs_and_start_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("LOOM_RUNTIME_DIR", str(tmp_path / "run"))
    assert find_running(NAMED).endpoint is NAMED.endpoint
    assert find_running(Settings(local=False)) is None
    assert find_running(Settings()) is None
    (tmp_path / "run" / "bridge.json").write_text('{"address": "127.0.0.1:9"}')
    found = find_running(Settings(namespace="n"))
    assert (found.endpoint.address, found.endpoint.namespace) == ("127.0.0.1:9", "n")


def test_the_managed_bridge_speaks_tls_only():
    endpoint = managed_endpoint("n", "t", None)
    assert (endpoint.address, endpoint.namespace, endpoint.token) == (ADDRESS, "n", "t")
    assert endpoint.tls is not None
