"""Nothing secret is ever written: by its name, by its looks, and wherever else it stands."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loom.v1 import event_pb2, stream_pb2
from loom_testing.transcript import Recorder, Redaction, Way, draw, encode
from loom_testing.transcript.redaction import REDACTED, Redactor

SECRET = [
    "password", "userPassword", "PASSWORD_HASH", "client_secret", "secret", "api_key", "apiKey", "API-KEY",
    "apikey", "x-api-key", "access_token", "token", "refreshToken", "Authorization", "proxy-authorization",
    "cookie", "set-cookie", "private_key", "aws_access_key", "credentials", "session_key", "passphrase",
    "jwt",
]  # fmt: skip
PLAIN = [
    "token_count",
    "monkey",
    "keyboard",
    "author",
    "name",
    "tokenizer",
    "key",
    "id",
    "passage",
    "secretary",
]


@pytest.mark.parametrize("name", SECRET)
def test_names_that_are_secret(name: str):
    assert Redactor().json({name: "hunter22"}) == {name: REDACTED}


@pytest.mark.parametrize("name", PLAIN)
def test_names_that_are_not(name: str):
    assert Redactor().json({name: "hunter22"}) == {name: "hunter22"}


def test_how_many_tokens_is_no_secret():
    assert Redactor().json({"max_tokens": 100, "tokens": ["a"]}) == {"max_tokens": 100, "tokens": REDACTED}


def test_numbers_and_objects_under_a_secret_name_are_secret_as_well():
    cleaned = Redactor().json({"password": 1234, "credentials": {"user": "a"}, "token": None})
    assert cleaned == {"password": REDACTED, "credentials": REDACTED, "token": None}


@pytest.mark.parametrize(
    "text",
    [
        "Bearer abcdef123456",
        "Basic dXNlcjpwYXNz",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc_def",
        "sk-proj-abcdefghijkl",
        "ghp_abcdefghijklmnopqrst",
        "AKIAABCDEFGHIJKLMNOP",
        "xoxb-1234567890-abc",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\ncut off",
    ],
)
def test_what_looks_secret_is_redacted_wherever_it_stands(text: str):
    assert Redactor().text(f"see {text} there") in (f"see {REDACTED} there", f"see {REDACTED}")


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("password=hunter2&user=a", f"password={REDACTED}&user=a"),
        ('{"api_key": "abc', f'{{"api_key": {REDACTED}'),
        ("token: abc def", f"token: {REDACTED} def"),
        ("https://user:pass@example.org/", f"https://{REDACTED}@example.org/"),
        ("token_count=3", "token_count=3"),
    ],
)
def test_names_and_values_in_plain_text(text: str, cleaned: str):
    assert Redactor().text(text) == cleaned


def test_a_secret_that_was_seen_is_found_elsewhere():
    redactor = Redactor()
    redactor.see({"token": "open-sesame", "note": "nothing"})
    assert redactor.json(["he said open-sesame twice", "nothing"]) == [f"he said {REDACTED} twice", "nothing"]


def test_short_secrets_are_not_looked_for_elsewhere():
    redactor = Redactor()
    redactor.see({"token": "a"})
    assert redactor.text("banana") == "banana"


def test_the_users_own_patterns():
    redactor = Redactor(Redaction(keys=("card.*",), values=(r"\d{16}",), keep=("token",)))
    cleaned = redactor.json({"card_number": "x", "said": "1234567812345678", "token": "kept"})
    assert cleaned == {"card_number": REDACTED, "said": REDACTED, "token": "kept"}


def test_a_pattern_that_is_none_is_told_at_once():
    with pytest.raises(ValueError, match=r"'\(' is no regular expression"):
        Redaction(values=("(",))


def recorded_with(secret: str) -> Recorder:
    """A recorder that the secret went through in every way there is."""
    recorder = Recorder(about=f"with Bearer {secret}")
    metadata = [("authorization", f"Bearer {secret}"), ("loom-namespace", "n")]
    recorder.headers("a", "EventStream", metadata, way=Way.SENT)
    payloads = [
        f'{{"password": "{secret}"}}'.encode(),
        f"it is {secret}, told in passing".encode(),
        b"\xff\x00 binary " + secret.encode(),
        f'{{"nested": [{{"said": "{secret}"}}]}}'.encode(),
    ]
    for payload in payloads:
        event = event_pb2.Event(id="e", payload=payload, metadata={"x": secret}, tags=[secret])
        publish = event_pb2.Publish(topic=f"t.{secret}", event=event)
        recorder.sent("a", "EventStream", stream_pb2.ClientEvent(publish=publish))
    recorder.sent("a", "EventStream", b"\xff\xff" + secret.encode())
    recorder.received(
        "a", "EventStream", stream_pb2.ServerEvent(err=stream_pb2.Error(code="X", message=f"no {secret}"))
    )
    recorder.status("a", "EventStream", "UNAUTHENTICATED", f"the token {secret} is none")
    recorder.note(f"it was {secret}", body={"why": secret})
    return recorder


@given(st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=8, max_size=24))
def test_a_secret_is_in_no_file_and_in_no_picture(secret: str):
    transcript = recorded_with(f"q{secret}q").transcript()
    written = [
        encode(transcript),
        draw(transcript, full=True),
        draw(transcript, "svg"),
        draw(transcript, "mermaid"),
    ]
    for text in written:
        assert f"q{secret}q" not in text
    decoded = [
        base64.b64decode(part)
        for part in encode(transcript).replace('"', " ").split()
        if len(part) % 4 == 0 and part.isascii() and part.isalnum()
    ]
    assert not [data for data in decoded if f"q{secret}q".encode() in data]
