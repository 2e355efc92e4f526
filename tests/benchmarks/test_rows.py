"""Every row that needs no peer does its job, once or twice, on the fake. Nothing here is about speed."""

from __future__ import annotations

import shutil
import sys

import pytest

from benchmarks import peers
from benchmarks.__main__ import all_rows, main
from benchmarks.measure import ContestantError
from benchmarks.processes import playing, serving
from benchmarks.rows import calls, events, fresh_fake, requests

ROWS = all_rows()


def test_the_rows_are_found():
    assert set(ROWS) == {"calls", "events", "fresh_fake", "requests"}


@pytest.mark.parametrize("name", ROWS)
def test_ours_comes_first_and_targets_are_about_who_takes_part(name):
    row = ROWS[name]
    names = [contestant.name for contestant in row.contestants]
    assert not row.contestants[0].peer
    assert len(set(names)) == len(names)
    assert {target.whose for target in row.targets} <= set(names)
    assert {target.beside for target in row.targets if target.beside} <= set(names)


async def test_events_arrive():
    async with events.loom("fake", events=20) as turn:
        assert len(await turn(2)) == 2


@pytest.mark.parametrize("row", [calls, requests, fresh_fake], ids=lambda row: row.ROW.name)
async def test_ours_on_the_fake(row):
    async with row.loom("fake") as turn:
        assert len(await turn(2)) == 2


async def test_the_floor():
    async with (
        playing("grpc_echo", "server") as server,
        playing("grpc_echo", "call", server.address) as caller,
        playing("grpc_echo", "stream", server.address) as streamer,
        playing("grpc_echo", "flood", server.address) as flood,
        playing("grpc_echo", "flood_batches", server.address) as batches,
    ):
        assert len(await caller.turn(2)) == 2
        assert len(await streamer.turn(2)) == 2
        for client in (flood, batches):
            await client.turn(100)
            assert await server.turn(100) == []


@pytest.mark.parametrize("floor", [fresh_fake.bare_calls, fresh_fake.bare_grpc])
async def test_the_floors_of_a_fresh_test(floor):
    async with floor() as turn:
        assert len(await turn(2)) == 2


async def test_a_player_that_ends_says_why():
    with pytest.raises(ContestantError, match=r"no_such_player ended; it said: .*No module named"):
        async with playing("no_such_player"):
            pass


async def test_a_server_that_does_not_serve_says_why():
    command = [sys.executable, "-c", "print('no room')"]
    with pytest.raises(ContestantError, match="does not say where it listens; it said: no room"):
        async with serving(command, r"listening on (\S+)"):
            pass


def test_a_peer_that_is_missing_says_how_to_install_it(monkeypatch):
    monkeypatch.setenv(peers.AUTOGEN, "/nowhere/python")
    peers.autogen_found.cache_clear()
    assert "make bench installs it" in peers.autogen_missing()
    monkeypatch.setattr(shutil, "which", lambda name, path: None)
    assert "system-packages.sh --bench" in peers.nats_missing()


@pytest.mark.parametrize(
    ("arguments", "said"), [(["nothing"], "no row nothing; there are calls"), (["--rounds", "0"], "from 1")]
)
def test_what_is_asked_wrongly_is_said(arguments, said, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["bench", *arguments])
    with pytest.raises(SystemExit):
        main()
    assert said in capsys.readouterr().err
