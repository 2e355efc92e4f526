import pytest

from mutants.mutant import Mutant, load

GOOD = Mutant(
    clause="HB-1.1",
    name="m",
    why="it echoes nothing",
    file="loom_testing/engine/engine.py",
    old="HeartbeatReply(came_in.call, came_in.timestamp_ms)",
    new="HeartbeatReply(came_in.call, 0)",
    killed_by="Expected 1.*got 0",
)


def changed(**fields):
    from dataclasses import replace

    return replace(GOOD, **fields)


def test_the_source_has_the_bug_and_nothing_else():
    text = GOOD.source()
    assert GOOD.new in text
    assert text.replace(GOOD.new, GOOD.old) == changed(new=GOOD.old + " ").source().replace(
        GOOD.old + " ", GOOD.old
    )


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"old": "no such text"}, "stands 0 times"),
        ({"old": "came_in", "new": "x"}, r"stands \d+ times"),
        ({"new": GOOD.old}, "changes nothing"),
    ],
)
def test_a_mutant_that_cannot_be_planted_says_so(fields, text):
    with pytest.raises(ValueError, match=text):
        changed(**fields).source()


def test_a_mutant_is_python():
    with pytest.raises(SyntaxError):
        changed(new="HeartbeatReply(").source()


def test_the_reason_may_stand_anywhere_in_the_text():
    assert GOOD.reason().search("the echo: EXPECTED 1,\n got 0")
    assert not GOOD.reason().search("the echo: expected 1, got 2")


@pytest.mark.parametrize("mutant", load(), ids=lambda mutant: mutant.name)
def test_every_mutant_can_be_planted(mutant):
    mutant.source()
    mutant.reason()
    assert mutant.file.startswith("loom_testing/")
    assert mutant.name == mutant.name.lower().replace(" ", "-")
    assert mutant.why
