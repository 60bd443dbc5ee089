"""What is made beside the answering takes its share of the time and no more."""

from itertools import count

import pytest

from search import pace as module
from search.pace import Pace


@pytest.mark.parametrize(("share", "least"), [(0.1, 9.0), (0.5, 1.0), (1.0, 0.0)])
def test_rests_are_as_long_as_the_share_of_work_asks(
    monkeypatch: pytest.MonkeyPatch, share: float, least: float
) -> None:
    clock, rests = count(0.0, 0.001), []
    monkeypatch.setattr(module, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(module, "sleep", rests.append)
    assert list(Pace(share).over(range(100))) == list(range(100))
    worked = next(clock)
    assert sum(rests) == pytest.approx(worked * least, rel=0.4)
