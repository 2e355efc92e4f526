"""Endpoints: well-formed, and discreet."""

import pytest

from loom.endpoint import TLS, Endpoint
from loom.errors import ConfigError


@pytest.mark.parametrize(
    "address", ["127.0.0.1:50051", "bridge.example:1", "[::1]:65535", "unix:/tmp/bridge.sock", "localhost:9"]
)
def test_addresses(address):
    assert Endpoint(address).address == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "host",
        "host:",
        ":1",
        "host:0",
        "host:65536",
        "host:x",
        "::1:50051",
        "http://host:1",
        "a b:1",
        "unix:",
        "h:\u0661",
    ],
)
def test_what_is_not_an_address_is_refused_in_one_line(address):
    with pytest.raises(ConfigError, match=r"write host:port, such as 127\.0\.0\.1:50051") as caught:
        Endpoint(address)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("namespace", ["", "a b", "a..b", "*", "a.>", "é", "a" * 129])
def test_what_is_not_a_namespace_is_refused(namespace):
    with pytest.raises(ConfigError, match="the namespace is"):
        Endpoint("h:1", namespace)


@pytest.mark.parametrize("token", ["", "se cret", "secr\nret", "secrét"])
def test_what_cannot_be_a_token_is_refused_without_being_shown(token):
    with pytest.raises(ConfigError, match="the token is empty or holds") as caught:
        Endpoint("h:1", token=token)
    assert "secr" not in str(caught.value)


def test_a_token_is_never_shown():
    endpoint = Endpoint("h:1", token="s3cret")
    assert "s3cret" not in repr(endpoint)
    assert "s3cret" not in f"{endpoint} {[endpoint]}"


def test_what_is_local():
    assert Endpoint("127.0.0.1:1").is_local
    assert Endpoint("[::1]:1").is_local
    assert Endpoint("localhost:1").is_local
    assert not Endpoint("10.0.0.1:1").is_local


def test_another_namespace():
    assert Endpoint("h:1", token="t").with_namespace("n") == Endpoint("h:1", "n", "t")


def test_mutual_tls_needs_both_files(tmp_path):
    with pytest.raises(ConfigError, match=r"tls.certificate is set and tls.key is not"):
        TLS(certificate=tmp_path / "c.pem")
    with pytest.raises(ConfigError, match=r"tls.key is set and tls.certificate is not"):
        TLS(key=tmp_path / "k.pem")


def test_tls_files_are_read_when_they_are_needed(tmp_path):
    (tmp_path / "ca.pem").write_bytes(b"PEM")
    tls = TLS(ca=tmp_path / "ca.pem")
    assert tls.read("ca") == b"PEM"
    assert tls.read("key") is None
    with pytest.raises(ConfigError, match=r"tls.ca: cannot read .*No such file"):
        TLS(ca=tmp_path / "none.pem").read("ca")
