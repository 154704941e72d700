"""A low-pass filter of many signals at once, in one pass, that keeps a few sums and no past."""

import numpy as np
from numba import njit

from mlff.units import PER_CM

PER_PERIOD = 4  # outputs in one period of the cut-off: what passes lies below it, and is sampled at least twice as often as need be


class LowPass:
    """h * x with a finite symmetric h: a sinc of the cut-off under a Hann window of two of its periods.

    A wave at the cut-off passes at half its amplitude, one at a fifth of it at 99 %, one at half at 89 %, at twice less than 1 %. A Fourier
    filter of the whole run, as in papers/001, is sharper and needs all frames at once; here each output waits for one period of the
    cut-off on either side, so that a run shorter than two periods has none. Nothing is shifted in time.

    Attributes:
        half: frames on either side of an output. spacing: frames from one output to the next, the first at frame `half`.
    """

    def __init__(self, cutoff: float, frame_time: float, n_signals: int):
        """cutoff: cm⁻¹. frame_time: fs. n_signals: filtered side by side."""
        if not (cutoff > 0 and frame_time > 0):
            raise ValueError(f"found a cut-off of {cutoff} cm⁻¹ and frames {frame_time} fs apart, expected both positive; give both")
        period = 1 / (cutoff * PER_CM)
        self.half, self.spacing = round(period / frame_time), max(1, int(period / frame_time / PER_PERIOD))
        k = np.arange(-self.half, self.half + 1)
        taps = np.sinc(2 * k * frame_time / period) * np.cos(np.pi * k / (2 * self.half + 2)) ** 2
        self.taps = taps / taps.sum()
        self.sums = np.zeros((2 * self.half // self.spacing + 1, n_signals))  # of the outputs whose window has begun
        self.seen = np.zeros((), np.int64)

    def update(self, x: np.ndarray) -> tuple[int, np.ndarray]:
        """Take in the next frames, (n_frames, n_signals); number of the first output that they complete, and all these, (n, n_signals)."""
        first, start = self._complete(int(self.seen)), int(self.seen)
        self.seen = self.seen + len(x)
        outputs = np.empty((self._complete(int(self.seen)) - first, x.shape[1]))
        _filter(np.ascontiguousarray(x), start, self.taps, self.spacing, self.sums, outputs)
        return first, outputs

    def frames(self, outputs: np.ndarray) -> np.ndarray:
        """At which frame each output stands."""
        return self.half + self.spacing * outputs

    def state(self) -> dict[str, np.ndarray]:
        """Its arrays by name, copied."""
        return {"sums": self.sums.copy(), "seen": np.array(self.seen)}

    def load(self, state: dict[str, np.ndarray]) -> None:
        self.sums, self.seen = np.array(state["sums"]), np.array(state["seen"])

    def _complete(self, n_frames: int) -> int:
        """Outputs whose window lies within the first n frames."""
        return max(0, (n_frames - 1 - 2 * self.half) // self.spacing + 1)


@njit(cache=True, nogil=True)
def _filter(x, start, taps, spacing, sums, outputs):
    done = 0
    for t in range(len(x)):
        frame = start + t
        for output in range(max(0, -((len(taps) - 1 - frame) // spacing)), frame // spacing + 1):
            weight, row = taps[frame - output * spacing], output % len(sums)
            for i in range(x.shape[1]):
                sums[row, i] += weight * x[t, i]
            if frame == output * spacing + len(taps) - 1:
                outputs[done] = sums[row]
                sums[row] = 0.0
                done += 1
