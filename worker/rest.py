"""What a process leaves alone for a while because it failed here: what failed at once would do so again at once."""

import time

FIRST, LONGEST = 1.0, 15.0  # seconds; doubled by each failure in a row


class Rests:
    """Of mailings, by their number. Of one process: another may be well."""

    def __init__(self) -> None:
        self._failed: dict[int, tuple[int, float]] = {}  # how often in a row, and when last

    def are_over(self, number: int) -> bool:
        failures, last = self._failed.get(number, (0, 0.0))
        return not failures or time.monotonic() >= last + min(FIRST * 2 ** (failures - 1), LONGEST)

    def failed(self, number: int) -> None:
        failures, _ = self._failed.get(number, (0, 0.0))
        self._failed[number] = failures + 1, time.monotonic()

    def went_well(self, number: int) -> None:
        self._failed.pop(number, None)

    def forget(self) -> None:
        self._failed.clear()
