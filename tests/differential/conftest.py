"""What the tests of both engines share."""

from __future__ import annotations

import pytest

from tests.differential.rust import NoEngineError, RustEngine, find_binary


@pytest.fixture(scope="session")
def rust() -> RustEngine:
    """The Rust engine; without it the test fails and says how to get it."""
    try:
        return RustEngine(find_binary())
    except NoEngineError as error:
        pytest.fail(str(error), pytrace=False)
