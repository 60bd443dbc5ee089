"""What a test needs and the machine lacks: a skip at the desk, a failure in CI."""

from collections.abc import Callable
from typing import NoReturn

import pytest


def test_a_need_that_is_not_met_skips_at_the_desk(
    lacking: Callable[[str], NoReturn], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="needs Chromium"):
        lacking("Chromium")


def test_a_need_that_is_not_met_fails_in_ci(
    lacking: Callable[[str], NoReturn], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="needs Chromium"):
        lacking("Chromium")
