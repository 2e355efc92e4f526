"""The follower of pages itself: what it runs, and what it does not let pass."""

from __future__ import annotations

import os

import pytest

from tests.docs.story import Background, Story, StoryError, blocks, first_missing


def follow(tmp_path, text: str) -> Story:
    page = tmp_path / "page.md"
    page.write_text(text)
    folder = tmp_path / "work"
    folder.mkdir()
    story = Story(page, folder)
    story.follow()
    return story


def fence(language: str, body: str, how: str = "") -> str:
    comment = f"<!-- run: {how} -->\n" if how else ""
    return f"{comment}```{language}\n{body}\n```\n"


def test_blocks_know_their_line_name_and_commands():
    text = (
        "# Page\n\n" + fence("python", "# a.py\nx = 1") + fence("console", "$ one\nout\n$ two", "skip, slow")
    )
    python, console = blocks(text)
    assert (python.line, python.name, python.how) == (3, "a.py", "")
    assert (console.commands, console.how) == ([("one", ["out"]), ("two", [])], "skip, slow")


def test_a_directive_is_a_block_of_its_own():
    found = blocks("```{picture} it.jsonl\n```\n\n" + fence("python", "# a.py\nx = 1"))
    assert [(block.language, block.name) for block in found] == [
        ("{picture} it.jsonl", ""),
        ("python", "a.py"),
    ]


def test_files_are_written_and_loaded_and_tests_are_run(tmp_path):
    story = follow(
        tmp_path,
        fence("python", "# thing.py\nVALUE = 3")
        + fence("python", "# tests/test_thing.py\ndef test_value():\n    assert 1 + 2 == 3")
        + fence("toml", '# loom.toml\n[agent]\nname = "x"'),
    )
    assert (story.folder / "thing.py").exists()
    assert (story.folder / "loom.toml").read_text().startswith("# loom.toml")


@pytest.mark.parametrize(
    "block",
    [
        fence("python", "# thing.py\nraise RuntimeError('broken')"),
        fence("python", "# test_thing.py\ndef test_it():\n    assert False"),
        fence("python", "import nothing_of_this_name"),
        fence("console", "$ exit 3"),
        fence("console", "$ echo one\ntwo"),
        fence("console", "$ echo one\ntwo", "background"),
        fence("console", "$ exit 3\nready", "background"),
    ],
)
def test_what_does_not_work_fails(tmp_path, block):
    with pytest.raises(StoryError, match=r"page\.md"):
        follow(tmp_path, block)


def test_what_ends_by_itself_is_no_server(tmp_path):
    background = Background("true", tmp_path, dict(os.environ))
    background._process.wait()
    assert background.stop() != 0


def test_a_skipped_block_is_not_run(tmp_path):
    follow(tmp_path, fence("console", "$ exit 3", "skip, only an example"))


SERVER = """# serve.py
import signal, sys

if __name__ == "__main__":
    signal.signal(signal.SIGINT, lambda *_: sys.exit({code}))
    print("ready on 50051", flush=True)
    signal.pause()
"""


def server(code: int) -> str:
    return fence("python", SERVER.format(code=code)) + fence(
        "console", "$ python serve.py\nready on 50051", "background"
    )


def test_a_command_in_the_background_is_stopped_at_the_end(tmp_path):
    assert "50051" not in follow(tmp_path, server(0)).ports.values()


def test_a_command_in_the_background_must_stop_cleanly(tmp_path):
    with pytest.raises(StoryError, match="in the background ended with"):
        follow(tmp_path, server(3))


def test_what_runs_in_the_background_is_ended_when_the_page_says_so(tmp_path):
    after = fence("console", "$ echo done\ndone", "after Ctrl-C")
    assert follow(tmp_path, server(0) + after).running == []


@pytest.mark.parametrize("before", ["", "server"])
def test_ctrl_c_must_end_something_and_well(tmp_path, before):
    after = fence("console", "$ echo done", "after Ctrl-C")
    with pytest.raises(StoryError, match="ended with 3" if before else "nothing runs that Ctrl-C could end"):
        follow(tmp_path, (server(3) if before else "") + after)


def test_output_is_compared_in_order_with_gaps():
    output = ["starting", "listening on 127.0.0.1:4711", "ready"]
    assert first_missing(["listening on ...", "ready"], output) is None
    assert first_missing(["...", "start"], output) is None
    assert first_missing(["ready", "listening"], output) == "listening"
