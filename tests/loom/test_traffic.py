"""A gRPC call, counted."""

from loom.traffic import Traffic


def test_on_a_real_clock_it_only_counts():
    traffic = Traffic()
    traffic.give(2)
    traffic.take()
    traffic.pause(True)
    traffic.end()
    assert (traffic.number, traffic.metadata) == (0, ())
    assert (traffic.sent, traffic.received, traffic.paused) == (2, 1, True)


def test_each_change_is_told_and_the_end():
    told, ended = [], []
    traffic = Traffic(7, (("key", "a/7"),), lambda: told.append(1), ended.append)
    traffic.give(1)
    traffic.take()
    traffic.pause(True)
    traffic.pause(False)
    assert len(told) == 4
    assert not ended
    traffic.end()
    assert ended == [7]
