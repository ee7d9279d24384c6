"""What failed here rests a little longer each time, and not for long."""

import pytest

from worker.rest import Rests


def test_each_failure_in_a_row_makes_the_rest_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("worker.rest.time.monotonic", lambda: now)
    rests = Rests()
    assert rests.are_over(7)

    lengths = []
    for _ in range(6):
        rests.failed(7)
        begun = now
        while not rests.are_over(7):
            now += 0.5
        lengths.append(now - begun)

    assert lengths == [1, 2, 4, 8, 15, 15]
    assert rests.are_over(8), "another mailing is not to blame"

    rests.went_well(7)
    rests.failed(7)
    now += 1
    assert rests.are_over(7)
