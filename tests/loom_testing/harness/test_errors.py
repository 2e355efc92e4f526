"""Errors that say all there is to say."""

from __future__ import annotations

import pytest

from loom.errors import CapabilityError
from loom_testing.harness.errors import BridgeDiedError, ExpectationError, HarnessError, speaks_for_itself


@pytest.mark.parametrize(
    ("error", "speaks"),
    [
        (ExpectationError("nothing came"), True),
        (BridgeDiedError("killed"), True),
        (CapabilityError("it raised"), False),
        (AssertionError("of the test"), False),
    ],
)
def test_only_the_harness_own_errors_hide_how_it_works(error, speaks):
    with pytest.raises(type(error)) as caught:
        raise error
    assert speaks_for_itself(caught) is speaks


def test_a_missed_expectation_is_a_failed_test_and_not_a_broken_bridge():
    assert issubclass(ExpectationError, AssertionError)
    assert not issubclass(ExpectationError, HarnessError)
