"""What an agent registers, at both levels."""

from loom.registration import QoS, Registration, Subscription, merged
from loom.v1 import event_pb2

PLAIN = Subscription("a.*")
FILTERED = Subscription("b", types=("x", "y"), group="g", qos=QoS.REALTIME)
OBSERVER = Subscription("c.>", observer=True)


def test_plain_topics_stand_where_every_bridge_reads_them():
    request = Registration("me", (PLAIN, FILTERED, OBSERVER), (), {"k": "v"}).request({"session", "confirm"})
    assert list(request.subscribed_topics) == ["a.*"]
    assert [item.topic for item in request.subscriptions] == ["b", "c.>"]
    assert list(request.features) == ["confirm", "session"]
    assert dict(request.metadata) == {"k": "v"}
    first, second = request.subscriptions
    assert (list(first.event_types), first.group, first.qos) == (["x", "y"], "g", event_pb2.QOS_REALTIME)
    assert second.observer
    assert not second.HasField("qos")


def test_echo_is_said_only_where_it_is_off():
    assert not Registration("me").request(()).HasField("echo")
    assert Registration("me", echo=False).request(()).echo is False


def test_the_base_level_hears_every_topic_once_and_its_replies():
    request = Registration("me", (PLAIN, FILTERED, Subscription("b"))).base_level_request()
    assert list(request.subscribed_topics) == ["a.*", "b", "agent.me.replies"]
    assert not request.subscriptions
    assert not request.features


def test_subscriptions_to_one_topic_become_one():
    assert merged([Subscription("a", types=("x",)), Subscription("a", types=("y", "x"))]) == (
        Subscription("a", types=("x", "y")),
    )
    assert merged([Subscription("a", types=("x",)), Subscription("a")]) == (Subscription("a"),)


def test_groups_and_observers_stay_apart():
    subscriptions = (Subscription("a"), Subscription("a", group="g"), Subscription("a", observer=True))
    assert merged(subscriptions) == subscriptions


def test_the_strongest_qos_holds():
    def joined(*kinds):
        return merged([Subscription("a", qos=kind) for kind in kinds])[0].qos

    assert joined(QoS.REALTIME, QoS.BATCHED) is QoS.BATCHED
    assert joined(QoS.REALTIME, None) is None
    assert joined(None, QoS.BACKGROUND) is QoS.BACKGROUND
    assert joined(QoS.REALTIME, QoS.REALTIME) is QoS.REALTIME
