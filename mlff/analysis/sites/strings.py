"""Cooperative strings: jumps of different ions, shortly after one another, where one takes the site that another left."""

from collections import deque
from dataclasses import dataclass

import numpy as np

from mlff.analysis.estimate import Estimate, no_result


@dataclass(frozen=True)
class StringSizes:
    """window: ps. sizes: (n,) int64, 1 to the longest. strings: (n,) int64, how many of each size. jumps: (n,) int64, jumps in them.

    share: of the jumps that are in strings of two ions or more.
    """

    window: float
    sizes: np.ndarray
    strings: np.ndarray
    jumps: np.ndarray
    share: Estimate


class Strings:
    """Links jumps of different ions whose times differ by at most a window, when one goes to the site from which the other comes.

    What hangs together is one string; its size is the number of its ions, a jump by itself is a string of one. A vacancy that moves on
    through the window makes a string, too: strings tell of cooperation only where the window is short against the time on a site.
    What is remembered are the jumps of one window and the ions of the strings that are not yet at their end.

    Args:
        n_ions: how many there are. window: frames.
    """

    def __init__(self, n_ions: int, window: int):
        self.window = window
        self.sizes = np.zeros((2, n_ions + 1), np.int64)  # strings and jumps, by size
        self._recent: deque[list[int]] = deque()  # frame, ion, from, to, string
        self._open: dict[int, tuple[int, int, set[int]]] = {}  # latest frame, jumps, ions
        self._next = 0

    def add(self, frame: int, ion: int, left: int, taken: int) -> None:
        """The next jump, in order of time."""
        self._forget(frame)
        linked = {jump[4] for jump in self._recent if jump[1] != ion and (jump[2] == taken or jump[3] == left)}
        jumps, members = 1, {ion}
        for string in linked:
            _, n, others = self._open.pop(string)
            jumps, members = jumps + n, members | others
        for jump in self._recent if linked else ():
            if jump[4] in linked:
                jump[4] = self._next
        self._open[self._next] = (frame, jumps, members)
        self._recent.append([frame, ion, left, taken, self._next])
        self._next += 1

    def close(self) -> None:
        """Counts the strings that are still open."""
        self._forget(None)

    def state(self) -> dict[str, np.ndarray]:
        members = [(string, ion) for string, (_, _, ions) in sorted(self._open.items()) for ion in sorted(ions)]
        latest = [(string, frame, jumps) for string, (frame, jumps, _) in sorted(self._open.items())]
        return {
            "sizes": self.sizes.copy(),
            "recent": np.array(list(self._recent), np.int64).reshape(-1, 5),
            "open": np.array(latest, np.int64).reshape(-1, 3),
            "members": np.array(members, np.int64).reshape(-1, 2),
            "next": np.array(self._next),
        }

    def load(self, state: dict[str, np.ndarray]) -> None:
        self.sizes, self._next = np.array(state["sizes"]), int(state["next"])
        self._recent = deque(state["recent"].tolist())
        self._open = {string: (frame, jumps, set()) for string, frame, jumps in state["open"].tolist()}
        for string, ion in state["members"].tolist():
            self._open[string][2].add(ion)

    def _forget(self, now: int | None) -> None:
        """Counts the strings to which no jump from now on can be linked, all of them for None."""
        while self._recent and (now is None or now - self._recent[0][0] > self.window):
            self._recent.popleft()
        over = [string for string, (latest, _, _) in self._open.items() if now is None or now - latest > self.window]
        for string in over:
            _, jumps, ions = self._open.pop(string)
            self.sizes[:, len(ions)] += 1, jumps


def string_sizes(counts: np.ndarray, window: float) -> StringSizes:
    """From strings and jumps by size, (2, n_ions + 1). Each string is one event: the error is that of so many independent ones."""
    longest = int(np.flatnonzero(counts[0]).max(initial=0))
    strings, jumps = counts[0, 1 : longest + 1], counts[1, 1 : longest + 1]
    share = no_result("no jumps")
    if jumps.sum():
        p = float(jumps[1:].sum() / jumps.sum())
        # of the ratio Σ y / Σ x over strings of x jumps, y of them in company: Σ (y − p x)², with the mean x of each size
        scatter = p**2 * strings[0] + (1 - p) ** 2 * (jumps[1:] ** 2 / np.maximum(strings[1:], 1)).sum()
        share = Estimate(p, float(np.sqrt(max(scatter, 1.0)) / jumps.sum()))
    return StringSizes(window, np.arange(1, longest + 1), strings, jumps, share)
