"""The managed bridge."""

from loom.endpoint import TLS, Endpoint
from loom.runtime.managed import managed_endpoint


def test_it_speaks_tls_whatever_else_is_said():
    assert managed_endpoint("n", "t", None) == Endpoint("bridge.loomcloud.dev:443", "n", "t", TLS())
    own = TLS(server_name="other")
    assert managed_endpoint("n", "t", own).tls is own
