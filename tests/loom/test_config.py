"""Settings: the first place that says it holds, and an error names its place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.config import Settings
from loom.endpoint import TLS, Endpoint
from loom.errors import ConfigError


@pytest.fixture
def load(tmp_path):
    """Loads settings from a loom.toml and an environment of the test's own."""

    def load(toml="", environ=None, **arguments):
        if toml:
            (tmp_path / "loom.toml").write_text(toml)
        return Settings.load(environ=environ or {}, directory=tmp_path, **arguments)

    return load


def test_nothing_said_is_a_local_bridge(load):
    settings = load()
    assert settings.endpoint is None
    assert settings.local
    assert (settings.namespace, settings.memory, settings.max_parallel) == ("default", "local", 64)
    assert settings.describe() == "a local bridge (no bridge is named)"


def test_arguments_go_before_the_environment_before_the_file(load):
    toml = '[bridge]\naddress = "file:1"\nnamespace = "from.file"\n'
    environ = {"LOOM_BRIDGE_ADDR": "env:2", "LOOM_NAMESPACE": "from.env"}
    first = load(toml, environ, address="arg:3", namespace="from.arg").endpoint
    second = load(toml, environ).endpoint
    third = load(toml)
    assert (first.address, first.namespace) == ("arg:3", "from.arg")
    assert (second.address, second.namespace) == ("env:2", "from.env")
    assert (third.endpoint.address, third.endpoint.namespace) == ("file:1", "from.file")
    assert "bridge.address in" in third.reason


def test_the_file_is_searched_upwards(tmp_path):
    (tmp_path / "loom.toml").write_text('[bridge]\naddress = "up:1"\n')
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    settings = Settings.load(environ={}, directory=below)
    assert settings.endpoint.address == "up:1"
    assert settings.file == tmp_path / "loom.toml"


def test_a_token_alone_is_the_managed_bridge_over_tls(load):
    settings = load(environ={"LOOM_TOKEN": "s3cret"})
    assert settings.endpoint.address == "bridge.loomcloud.dev:443"
    assert settings.endpoint.tls == TLS()
    assert settings.endpoint.token == "s3cret"
    assert "s3cret" not in repr(settings) + settings.describe()
    assert "LOOM_TOKEN" in settings.describe()


def test_a_token_goes_with_an_address(load):
    settings = load(environ={"LOOM_TOKEN": "s3cret", "LOOM_BRIDGE_ADDR": "h:1"})
    assert (settings.endpoint.address, settings.endpoint.token) == ("h:1", "s3cret")
    assert settings.endpoint.tls is None


def test_the_token_comes_from_the_variable_that_the_file_names(load):
    settings = load('[bridge]\ntoken_env = "MY_TOKEN"\n', {"MY_TOKEN": "mine", "LOOM_TOKEN": "other"})
    assert settings.endpoint.token == "mine"
    with pytest.raises(
        ConfigError, match=r"bridge.token_env in .*loom.toml names a variable that is not set"
    ):
        load('[bridge]\ntoken_env = "MY_TOKEN"\n')


def test_a_token_in_the_file_is_refused_and_not_shown(load):
    with pytest.raises(ConfigError, match="never write a token into a file") as caught:
        load('[bridge]\ntoken = "s3cret"\n')
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("toml", "environ", "local"),
    [
        ("[bridge]\nlocal = false\n", {}, False),
        ("[bridge]\nlocal = false\n", {"LOOM_NO_LOCAL_BRIDGE": "0"}, True),
        ("", {"LOOM_NO_LOCAL_BRIDGE": "1"}, False),
        ("", {"LOOM_NO_LOCAL_BRIDGE": "yes"}, False),
        ("", {"LOOM_NO_LOCAL_BRIDGE": ""}, True),
    ],
)
def test_a_local_bridge_can_be_forbidden(load, toml, environ, local):
    assert load(toml, environ).local is local
    assert load(toml, environ, local=True).local
    assert load(toml, environ, local=False).describe() == "none (no bridge is named)"


def test_tls(load, tmp_path):
    named = '[bridge]\naddress = "h:1"\n'
    assert load(named + "tls = true\n").endpoint.tls == TLS()
    assert load(named + "tls = false\n").endpoint.tls is None
    assert load(named, {"LOOM_TLS": "1"}).endpoint.tls == TLS()
    assert load(named + "tls = true\n", {"LOOM_TLS": "0"}).endpoint.tls is None
    table = load(named + 'tls = { ca = "ca.pem", server_name = "bridge" }\n').endpoint.tls
    assert table == TLS(ca=tmp_path / "ca.pem", server_name="bridge")


def test_agent_and_memory_settings(load):
    settings = load('[agent]\nmax_parallel = 8\nconnect_timeout = 2\n[memory]\nstore = "sqlite:m.db"\n')
    assert (settings.max_parallel, settings.connect_timeout, settings.memory) == (8, 2, "sqlite:m.db")


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("[bridge", r"loom.toml is not TOML"),
        ("[brigde]\n", r"unknown table \[brigde\]: known are bridge, agent, memory"),
        ("bridge = 3\n", r"write it as a table \[bridge\]"),
        ('[bridge]\nadress = "h:1"\n', r"unknown key bridge.adress: known are address"),
        ("[bridge]\naddress = 3\n", r"bridge.address in .*loom.toml is 3: it must be a string"),
        ('[bridge]\naddress = "nowhere"\n', r"bridge.address in .*loom.toml is 'nowhere': write host:port"),
        ('[bridge]\nnamespace = "a b"\n', r"bridge.namespace in .*loom.toml is 'a b'"),
        ('[bridge]\nlocal = "no"\n', r"bridge.local in .* is 'no': it must be true or false"),
        ('[bridge]\naddress = "h:1"\ntls = { cert = "x" }\n', r"unknown key bridge.tls.cert"),
        ('[bridge]\ntls = { cert = "x" }\n', r"unknown key bridge.tls.cert"),
        ("[agent]\nmax_parallel = 0\n", r"agent.max_parallel in .* is 0: it must be at least 1"),
        ("[agent]\nmax_parallel = true\n", r"it must be a whole number"),
        ("[agent]\nconnect_timeout = nan\n", r"must be at least 0.1"),
    ],
)
def test_a_malformed_file_is_refused_in_one_line(load, toml, message):
    with pytest.raises(ConfigError, match=message) as caught:
        load(toml)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"LOOM_BRIDGE_ADDR": "nowhere"}, "LOOM_BRIDGE_ADDR is 'nowhere': write host:port"),
        ({"LOOM_NAMESPACE": "a b"}, "LOOM_NAMESPACE is 'a b'"),
        ({"LOOM_NO_LOCAL_BRIDGE": "maybe"}, "LOOM_NO_LOCAL_BRIDGE is 'maybe': write 1 or 0"),
        ({"LOOM_TOKEN": "s3 cret"}, "LOOM_TOKEN is empty or holds spaces"),
    ],
)
def test_a_malformed_environment_is_refused_in_one_line(load, environ, message):
    with pytest.raises(ConfigError, match=message) as caught:
        load(environ=environ)
    assert "cret" not in str(caught.value)


def test_a_file_that_cannot_be_read(tmp_path):
    (tmp_path / "loom.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="is not TOML"):
        Settings.load(environ={}, directory=tmp_path)


@given(text=st.text(max_size=60))
def test_whatever_the_address_says_it_is_taken_or_refused(text):
    try:
        settings = Settings.load(environ={"LOOM_BRIDGE_ADDR": text}, local=False)
    except ConfigError as error:
        assert "\n" not in error.message  # noqa: PT017 - either outcome is right
    else:
        assert (settings.endpoint.address if settings.endpoint else "") == text


def test_what_is_said_later_holds_later(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number in (1, 2, 1):
        monkeypatch.setenv("LOOM_BRIDGE_ADDR", f"127.0.0.1:{number}")
        assert Settings.load().endpoint == Endpoint(f"127.0.0.1:{number}")
    assert Settings.load(address="127.0.0.1:3").endpoint == Endpoint("127.0.0.1:3")
    assert Settings.load(local=False) != Settings.load(local=True)
    (tmp_path / "loom.toml").write_text("[agent]\nmax_parallel = 3\n")
    assert Settings.load().max_parallel == 3
    (tmp_path / "loom.toml").write_text("[agent]\nmax_parallel = 4\n")
    assert Settings.load().max_parallel == 4
    (tmp_path / "loom.toml").unlink()
    assert Settings.load().max_parallel == 64
