"""Hops and quiet stretches of ions, found in a stream of p_hop."""

import numpy as np
from numba import njit


class HopEvents:
    """Finds events, of one row each, and stretches of quiet.

    An event opens when p_hop > cut, its peak is the largest p_hop, and it closes when p_hop < cut. Its motion lies within the windows of
    its peak and its close: from n frames before the peak to n − 1 frames after the close. One that has not closed is none.
    A quiet stretch is a time of at least `least` frames in which p_hop stays below `low`.

    The arrays grow with the number of events alone, by 8 numbers each.

    Args:
        n: frames in each window. cut, low: Å². least: frames.
    """

    def __init__(self, n_ions: int, n: int, cut: float, low: float, least: int):
        if not (0 < low <= cut and least >= 1):
            raise ValueError(f"found low {low} Å², cut {cut} Å², quiet for {least} frames; expected 0 < low ≤ cut and at least one frame")
        self.n, self.cut, self.low, self.least = n, cut, low, least
        self.moment = np.array(n)  # frame number of the next p_hop
        self.open = np.full((n_ions, 2), -1)  # frame of the peak of the event that is open, first frame of the quiet stretch; or −1
        self.peak = np.zeros((n_ions, 4))  # p_hop there, and r̄_B − r̄_A
        self._frames, self._sizes, self._quiet = [np.zeros((0, 4), np.int64)], [np.zeros((0, 4))], [np.zeros((0, 3), np.int64)]

    def update(self, p: np.ndarray, moved: np.ndarray) -> int:
        """Take in the next moments, (m, n_ions), Å², and (m, n_ions, 3), Å; returns how many events closed."""
        most = p.shape[1] * (len(p) // 2 + 2)
        frames, sizes, quiet = np.empty((most, 4), np.int64), np.empty((most, 4)), np.empty((most, 3), np.int64)
        found, rests = _find(p, moved, int(self.moment), self.n, self.cut, self.low, self.least, self.open, self.peak, frames, sizes, quiet)
        self.moment = self.moment + len(p)
        if found:
            self._frames.append(frames[:found].copy())
            self._sizes.append(sizes[:found].copy())
        if rests:
            self._quiet.append(quiet[:rests].copy())
        return found

    @property
    def n_open(self) -> int:
        """Events that have not closed."""
        return int((self.open[:, 0] >= 0).sum())

    def events(self) -> tuple[np.ndarray, np.ndarray]:
        """frames: (n_events, 4) int64: ion, start, peak, end. sizes: (n_events, 4): p_hop at the peak, Å², and r̄_B − r̄_A there, Å.
        By ion, and by time for each."""
        frames, sizes = np.concatenate(self._frames), np.concatenate(self._sizes)
        order = np.lexsort((frames[:, 2], frames[:, 0]))
        return frames[order], sizes[order]

    def quiet(self) -> np.ndarray:
        """(n_stretches, 3) int64: ion, first and last frame with p_hop below `low`; those that still last are among them."""
        since = self.open[:, 1]
        lasting = np.flatnonzero((since >= 0) & (self.moment - since >= self.least))
        rows = np.stack([lasting, since[lasting], np.full(len(lasting), self.moment - 1)], axis=1)
        rows = np.concatenate([*self._quiet, rows])
        return rows[np.lexsort((rows[:, 1], rows[:, 0]))]

    def state(self) -> dict[str, np.ndarray]:
        """Its arrays by name, copied."""
        arrays = {name: np.array(getattr(self, name)) for name in ("moment", "open", "peak")}
        return arrays | {name: np.concatenate(getattr(self, f"_{name}")) for name in ("frames", "sizes", "quiet")}

    def load(self, state: dict[str, np.ndarray]) -> None:
        for name in ("moment", "open", "peak"):
            setattr(self, name, np.array(state[name]))
        for name in ("frames", "sizes", "quiet"):
            setattr(self, f"_{name}", [np.array(state[name])])


@njit(cache=True, nogil=True)
def _find(p, moved, moment, n, cut, low, least, opened, peak, frames, sizes, quiet):
    found = rests = 0
    for k in range(len(p)):
        t = moment + k
        for i in range(p.shape[1]):
            x = p[k, i]
            if opened[i, 0] < 0 and x > cut:
                opened[i, 0], peak[i, 0] = t, -1.0
            if opened[i, 0] >= 0:
                if x > peak[i, 0]:
                    opened[i, 0], peak[i, 0] = t, x
                    peak[i, 1:] = moved[k, i]
                if x < cut:
                    frames[found, 0], frames[found, 1] = i, opened[i, 0] - n
                    frames[found, 2], frames[found, 3] = opened[i, 0], t + n - 1
                    sizes[found] = peak[i]
                    opened[i, 0] = -1
                    found += 1
            if x < low:
                if opened[i, 1] < 0:
                    opened[i, 1] = t
            elif opened[i, 1] >= 0:
                if t - opened[i, 1] >= least:
                    quiet[rests, 0], quiet[rests, 1], quiet[rests, 2] = i, opened[i, 1], t - 1
                    rests += 1
                opened[i, 1] = -1
    return found, rests
