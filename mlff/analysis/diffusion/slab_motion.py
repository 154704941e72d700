"""Displacements by the slab of the cell in which an ion was at the time origin, over a fixed set of origins that live at once."""

import numpy as np
from numba import njit

PARTS = 7  # of a sum: ions, and Σ Δs_a Δs_b of the fractions in the order xx yy zz xy yz xz


class SlabMotion:
    """A ring of time origins. Each is filled at its lags and handed out when the last of them has come.

    Args:
        start: (n_ions, 3), fractions in the first frame. axis: 0 to 2. edges: (n_slabs,), ascending fractions at which slabs begin; the
            last goes on through the boundary of the cell to the first edge. region_of: (n_slabs,), number of the region of each.
        lags: (n_lags,), ascending, frames. stride: frames from origin to origin.
    """

    def __init__(self, n_ions: int, axis: int, edges: np.ndarray, region_of: np.ndarray, lags: np.ndarray, stride: int):
        self.axis, self.edges, self.region_of = axis, edges, region_of
        self.lags, self.stride, self.n_regions = lags, stride, int(region_of.max()) + 1
        slots = int(lags[-1]) // stride + 1
        self.places = np.zeros((slots, n_ions, 3))
        self.regions = np.zeros((slots, n_ions), np.int64)
        self.sums = np.zeros((slots, len(lags), self.n_regions, 2, PARTS))
        self.region, self.since = np.full(n_ions, -1), np.zeros(n_ions, np.int64)
        self.seen = np.zeros((), np.int64)

    def update(self, fractions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of the next frames, (n_frames, n_ions, 3), unwrapped, without the drift.

        Returns:
            counts: (n_frames, n_regions) int64, ions in each region, told by the wrapped coordinate.
            finished: (n, n_lags, n_regions, 2, 7), sums of the origins that are complete: of all ions that were in the region at the
                origin, and of those that were in it in every frame until the lag.
        """
        counts = np.zeros((len(fractions), self.n_regions), np.int64)
        finished = np.zeros((len(fractions) // self.stride + 1, *self.sums.shape[1:]))
        n = _follow(
            fractions, self.axis, self.edges, self.region_of, self.lags, self.stride, int(self.seen),
            self.places, self.regions, self.sums, self.region, self.since, counts, finished,
        )  # fmt: skip
        self.seen = self.seen + len(fractions)
        return counts, finished[:n]

    def state(self) -> dict[str, np.ndarray]:
        """Its arrays by name, copied."""
        return {name: np.array(getattr(self, name)) for name in ("places", "regions", "sums", "region", "since", "seen")}

    def load(self, state: dict[str, np.ndarray]) -> None:
        for name in ("places", "regions", "sums", "region", "since", "seen"):
            setattr(self, name, np.array(state[name]))


@njit(cache=True, nogil=True)
def _follow(
    fractions, axis, edges, region_of, lags, stride, seen, places, regions, sums, region, since, counts, finished
):  # fmt: skip
    n_finished = 0
    for t in range(len(fractions)):
        now = seen + t
        for i in range(len(region)):
            f = fractions[t, i, axis]
            f -= np.floor(f)  # 1 for the smallest of negative numbers: the last slab
            slab = len(edges) - 1
            for k in range(len(edges)):
                if f < edges[k]:
                    slab = k - 1
                    break
            here = region_of[slab]  # of slab −1, before the first edge: the last
            counts[t, here] += 1
            if here != region[i]:
                region[i], since[i] = here, now
        for k in range(len(lags)):
            origin = now - lags[k]
            if origin < 0 or origin % stride:
                continue
            slot = (origin // stride) % len(places)
            for i in range(len(region)):
                x, y, z = (
                    fractions[t, i, 0] - places[slot, i, 0],
                    fractions[t, i, 1] - places[slot, i, 1],
                    fractions[t, i, 2] - places[slot, i, 2],
                )
                for kind in range(2 if since[i] <= origin else 1):
                    s = sums[slot, k, regions[slot, i], kind]
                    s[0] += 1
                    s[1] += x * x
                    s[2] += y * y
                    s[3] += z * z
                    s[4] += x * y
                    s[5] += y * z
                    s[6] += x * z
            if k == len(lags) - 1:
                finished[n_finished] = sums[slot]
                n_finished += 1
        if now % stride == 0:
            slot = (now // stride) % len(places)
            places[slot] = fractions[t]
            regions[slot] = region
            sums[slot] = 0.0
    return n_finished
