"""The wall clock of a training, which goes on where it stood when a run is resumed."""

import time


class Clock:
    """Counts the seconds of a training against a budget.

    Args:
        budget: s; None for no end.
    """

    def __init__(self, budget: float | None):
        if budget is not None and budget <= 0:
            raise ValueError(f"the time budget is {budget} s, expected more than 0; set `trainer.max_minutes` or leave it null")
        self.budget, self._begin = budget, None

    def start(self, elapsed: float = 0.0) -> None:
        """Begin to count, from `elapsed` seconds."""
        self._begin = time.monotonic() - elapsed

    @property
    def elapsed(self) -> float:
        """Seconds since the start; 0 before it."""
        return 0.0 if self._begin is None else time.monotonic() - self._begin

    @property
    def share(self) -> float:
        """Of the budget that is used, 0 to 1 and beyond; 0 without a budget."""
        return 0.0 if self.budget is None else self.elapsed / self.budget
