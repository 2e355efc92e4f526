import asyncio
import sys
import threading
from types import SimpleNamespace

import pytest

from loom_testing.harness.places import (
    frames_from,
    frames_of_task,
    frames_of_thread,
    own_frames,
    said_of,
    up_to_the_tests_own,
)


def frame_in(name: str):
    return SimpleNamespace(f_code=SimpleNamespace(co_filename=name))


@pytest.mark.parametrize(
    "name",
    [
        asyncio.__file__,
        pytest.__file__,
        threading.__file__,
        said_of.__code__.co_filename,
        "src/python/grpcio/grpc/_cython/_cygrpc/callback_common.pyx.pxi",
        "<frozen runpy>",
    ],
)
def test_libraries_and_loom_are_nobodys_own(name):
    assert own_frames([frame_in(name)]) == []


def test_the_rest_is():
    mine = frame_in("/home/ada/tests/test_shop.py")
    assert own_frames([mine]) == [mine]


def test_a_thread_is_told_from_outside_in():
    here = sys._getframe()
    frames = frames_of_thread(threading.get_ident())
    assert here in frames
    assert list(frames_from(here))[-1] is frames[0]
    assert frames_of_thread(None) == []


async def test_a_task_stands_where_it_awaits():
    async def waits():
        await asyncio.Event().wait()  # here

    task = asyncio.create_task(waits())
    await asyncio.sleep(0)
    (frame,) = own_frames(frames_of_task(task))
    assert said_of(frame).endswith("in waits: await asyncio.Event().wait()  # here")
    task.cancel()


def test_a_traceback_ends_at_the_users_line():
    with pytest.raises(ZeroDivisionError) as caught:
        asyncio.run(asyncio.sleep(1 / 0))
    trace = up_to_the_tests_own(caught.tb)
    assert trace is not None
    assert trace.tb_frame.f_code.co_filename == __file__
    assert up_to_the_tests_own(None) is None
