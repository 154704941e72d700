"""p_hop of Candelier et al.: how far the places before and after a moment lie apart, in one pass over the frames."""

import numpy as np
from numba import njit


def hop_indicator(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """p_hop = √(⟨|r_A − r̄_B|²⟩_A ⟨|r_B − r̄_A|²⟩_B) (Candelier et al., Phys. Rev. Lett. 105, 135702, 2010).

    Args:
        before, after: unwrapped positions in the windows A and B, (n_frames, n_ions, 3), Å.
    Returns:
        (n_ions,), Å²; a clean jump of length a gives a², an ion at rest the mean square of its vibration. It is a product of two means,
        not the mean of a product.
    """
    spread_a = np.square(before - after.mean(0)).sum(-1).mean(0)
    return np.sqrt(spread_a * np.square(after - before.mean(0)).sum(-1).mean(0))


def p_hop(positions: np.ndarray, n: int) -> np.ndarray:
    """p_hop at each frame t that has n frames before it (A) and n from it on (B).

    Args:
        positions: (n_frames, n_ions, 3), Å, unwrapped.
    Returns:
        (n_frames − 2n + 1, n_ions), Å²; its first row belongs to frame n.
    """
    return Windows(positions.shape[1], n).update(positions)[0]


class Windows:
    """The two windows that slide along a trajectory, with their sums: a frame costs the same however long they are.

    The sums are of positions relative to where each ion was lately, and are taken anew each time the windows have moved by their
    length: neither a far walk nor 10⁶ additions and subtractions cost digits.
    """

    def __init__(self, n_ions: int, n: int):
        if n < 1:
            raise ValueError(f"found windows of {n} frames, expected at least 1; give the frames of each of the two")
        self.n = int(n)
        self.ring = np.zeros((2 * self.n, n_ions, 3))  # the last 2n frames
        self.origin = np.zeros((n_ions, 3))
        self.sums = np.zeros((n_ions, 8))  # of r_A (3), |r_A|², r_B (3), |r_B|² relative to the origin
        self.seen = np.zeros((), np.int64)

    def update(self, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Take in the next frames, (n_frames, n_ions, 3), Å.

        Returns:
            p_hop (m, n_ions), Å², and r̄_B − r̄_A (m, n_ions, 3), Å, of the m moments whose window B ends with one of these frames: of
            frame number k, counted from 0, the moment is frame k − n + 1.
        """
        positions = np.ascontiguousarray(positions, dtype=float)
        late = max(0, len(positions) - max(0, 2 * self.n - 1 - int(self.seen)))
        p, moved = np.empty((late, len(self.origin))), np.empty((late, len(self.origin), 3))
        _slide(positions, self.n, int(self.seen), self.ring, self.origin, self.sums, p, moved)
        self.seen = self.seen + len(positions)
        return p, moved

    def state(self) -> dict[str, np.ndarray]:
        """Its arrays by name, copied."""
        return {name: np.array(getattr(self, name)) for name in ("ring", "origin", "sums", "seen")}

    def load(self, state: dict[str, np.ndarray]) -> None:
        for name in ("ring", "origin", "sums", "seen"):
            setattr(self, name, np.array(state[name]))


@njit(cache=True, nogil=True)
def _slide(positions, n, seen, ring, origin, sums, p, moved):
    late = len(positions) - len(p)
    for k in range(len(positions)):
        frame = seen + k
        place, middle = frame % (2 * n), (frame + n) % (2 * n)  # of the frame that leaves A, and of that which goes from B to A
        anew = place == 2 * n - 1
        for i in range(ring.shape[1]):
            s = sums[i]
            if frame >= 2 * n and not anew:
                old2, mid2, new2 = 0.0, 0.0, 0.0
                for c in range(3):
                    old, mid = ring[place, i, c] - origin[i, c], ring[middle, i, c] - origin[i, c]
                    new = positions[k, i, c] - origin[i, c]
                    s[c] += mid - old
                    s[4 + c] += new - mid
                    old2 += old * old
                    mid2 += mid * mid
                    new2 += new * new
                s[3] += mid2 - old2
                s[7] += new2 - mid2
            for c in range(3):
                ring[place, i, c] = positions[k, i, c]
        if anew:  # the ring holds A and then B, in order
            _sum(ring, n, origin, sums)
        if frame >= 2 * n - 1:
            for i in range(ring.shape[1]):
                s = sums[i]
                a2, b2, ab = 0.0, 0.0, 0.0
                for c in range(3):
                    a, b = s[c] / n, s[4 + c] / n
                    moved[k - late, i, c] = b - a
                    a2 += a * a
                    b2 += b * b
                    ab += a * b
                p[k - late, i] = np.sqrt(max(0.0, s[3] / n - 2 * ab + b2) * max(0.0, s[7] / n - 2 * ab + a2))


@njit(cache=True, nogil=True)
def _sum(ring, n, origin, sums):
    origin[:] = ring[n]
    sums[:] = 0.0
    for k in range(2 * n):
        first = 0 if k < n else 4
        for i in range(ring.shape[1]):
            for c in range(3):
                x = ring[k, i, c] - origin[i, c]
                sums[i, first + c] += x
                sums[i, first + 3] += x * x
