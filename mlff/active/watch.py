"""What a campaign tells while it goes."""

from collections.abc import Sequence
from typing import Protocol

from mlff.active.record import Record
from mlff.md.watch import Silent as SilentDynamics
from mlff.md.watch import Watch as WatchDynamics


class Watch(WatchDynamics, Protocol):
    """Is told how a campaign goes, and how its dynamics do."""

    def begins(self, number: int, stage: str) -> None:
        """A round."""

    def step(self, words: str) -> None:
        """A step of it."""

    def finished(self, records: Sequence[Record]) -> None:
        """The last of these rounds is over."""

    def tells(self, message: str) -> None:
        """Something that a user must know."""


class Silent(SilentDynamics):
    """Tells nothing; keeps what a user must know in `told`."""

    def begins(self, number: int, stage: str) -> None:
        pass

    def step(self, words: str) -> None:
        pass

    def finished(self, records: Sequence[Record]) -> None:
        pass

    def tells(self, message: str) -> None:
        self.told.append(message)
