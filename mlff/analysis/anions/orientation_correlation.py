"""How long directions are remembered: C1 and C2 at log-spaced lags in one pass, and the rotational diffusivity from either."""

import numpy as np
from numba import njit

from mlff.analysis.accumulator import load_parts, stored_parts
from mlff.analysis.estimate import SURE, Estimate, no_result
from mlff.analysis.statistics.blocks import Blocks
from mlff.analysis.statistics.event_rate import NONE_SEEN
from mlff.analysis.statistics.jackknife import jackknife
from mlff.units import PS

LEVELS = 30
ROWS = 3 + 2 * (LEVELS - 1)
WINDOW = (0.1, 0.6)  # of C in the fit: below the fast fall by librations, above the noise
MOST_LOST = (2.0, 1.5)  # of C1 and C2 of a body, by one jump: by 180° and by 90°
POINTS = 3  # lags that a fit needs


class OrientationCorrelation:
    """Sums of P_l(u(t) · u(t + lag)) over all origins of each level: level k sees each 2^k-th frame and takes the lags of 2 and 3 of its
    steps, level 0 also that of 1, as `multi_tau` does for displacements.

    Attributes:
        sums: (ROWS, 2, n_bodies), of C1 and C2, means over the directions of a body. counts: (ROWS,) int64, origins.
        blocks: of stretches of time, (ROWS, 3): sums over the bodies, and origins.
    """

    def __init__(self, n_bodies: int, n_directions: int):
        """n_directions: of each body."""
        self.sums, self.counts = np.zeros((ROWS, 2, n_bodies)), np.zeros(ROWS, np.int64)
        self.history = np.zeros((LEVELS, 3, n_bodies, n_directions, 3))
        self.blocks, self.open, self.rest = Blocks((ROWS, 3)), np.zeros((ROWS, 3)), np.zeros((ROWS, 3))

    def update(self, u: np.ndarray, start: int) -> None:
        """Take in unit vectors, (n_frames, n_bodies, n_directions, 3), of the frames from number `start` on."""
        _correlate(u, start, self.history, self.sums, self.counts, self.open)

    def close_group(self) -> None:
        """End a stretch of time."""
        self.blocks.add(self.open)
        self.open = np.zeros_like(self.open)

    def merge(self, other: "OrientationCorrelation") -> None:
        """Takes in an independent run of the same bodies."""
        self.sums, self.counts = self.sums + other.sums, self.counts + other.counts
        self.blocks.merge(other.blocks)
        self.rest = self.rest + other.rest + other.open

    def state(self) -> dict[str, np.ndarray]:
        """Its arrays by name, copied."""
        own = {name: getattr(self, name).copy() for name in ("sums", "counts", "history", "open", "rest")}
        return own | stored_parts({"blocks": self.blocks})

    def load(self, state: dict[str, np.ndarray]) -> None:
        for name in ("sums", "counts", "history", "open", "rest"):
            setattr(self, name, np.array(state[name]))
        load_parts(state, {"blocks": self.blocks})

    def measured(self, order: int, function=lambda c: c) -> tuple[np.ndarray, np.ndarray]:
        """A function of C_order at the lags that have origins, and its standard error: the larger of those from the scatter of the bodies
        and from blocks of time (NaN with fewer than two of both).

        Correlations of lags longer than a block, and bodies that turn together, make the one or the other too small.
        """
        has = self.counts > 0
        c = self.sums[has, order - 1] / self.counts[has, None]
        value = np.asarray(function(c.mean(1)))
        n, errors = c.shape[1], [np.full(value.shape, np.nan)]
        if n > 1:
            left_out = np.array([function((c.sum(1) - one) / (n - 1)) for one in c.T])
            errors.append(np.sqrt((n - 1) / n * ((left_out - left_out.mean(0)) ** 2).sum(0)))
        if len(self.blocks.sums) > 1:

            def of_mean(mean):
                counted = mean[has, 2] > 0
                return function(np.where(counted, mean[has, order - 1] / np.where(counted, mean[has, 2], 1), c.mean(1)))

            errors.append(jackknife(self.blocks, of_mean)[1])
        return value, np.fmax.reduce(errors)


def lags() -> np.ndarray:
    """(ROWS,) int64, frames: 1 2 3 4 6 8 12 16 …"""
    row = np.arange(ROWS)
    level = np.maximum(0, (row - 1) // 2)
    return (row + 1 - 2 * level) << level


def rotational_diffusivity(
    times: np.ndarray, c: np.ndarray, error: np.ndarray, order: int, correlation: OrientationCorrelation
) -> Estimate:
    """D_r from C_l(t) = A e^(−l(l+1) D_r t), 1/ps: C1 ∝ e^(−2 D_r t), C2 ∝ e^(−6 D_r t).

    The amplitude A is fitted, because librations take a share of C at once, that does not diffuse; of free diffusion it is 1. A line
    through ln C, with weights t⁻¹, as the noise grows, over the lags where C lies in the window and the fit has at least three. Where
    C stays above the window, an upper limit: −ln C(t_max) / (l(l+1) t_max), of the lowest that C may be there, and what so few jumps as
    may have been missed by chance (three, in 95 % of the cases) would add in all the time that the bodies were seen.

    Args:
        times: (n_lags,), fs. c, error: C_l, (n_lags,).
    """
    factor, unit = order * (order + 1), "1/ps"
    if not len(c):
        return no_result("a correlation needs a second frame", unit)
    seen = correlation.counts[0] * times[0] / PS * correlation.sums.shape[2]  # ps, of all bodies
    missed = NONE_SEEN / seen * MOST_LOST[order - 1] / factor
    inside = _window(c, error)
    if inside.sum() >= POINTS:

        def slope(values):
            x, y = times[inside] / PS, np.log(np.maximum(values[inside], 1e-3))
            weight = 1 / x / (1 / x).sum()
            x = x - weight @ x
            return np.array(-(weight * x) @ y / ((weight * x) @ x) / factor)

        value, spread = correlation.measured(order, slope)
        if not np.isfinite(spread):
            return no_result("one anion and too short a run for an error", unit)
        if value > 2 * spread:
            return Estimate(float(value), float(spread), unit=unit)
        return Estimate(None, upper=float(max(value, 0) + SURE * spread + missed), unit=unit, reason="the fall of C is within its error")
    low = c[-1] - SURE * error[-1]
    if np.isfinite(low) and low > 0 and c.min() > WINDOW[0]:
        fall = -np.log(min(low, 1.0)) / (factor * times[-1] / PS)
        return Estimate(None, upper=float(fall + missed), unit=unit, reason="C hardly falls")
    return no_result("C falls between too few lags, or is lost in its noise; store frames more often, or run longer", unit)


def _window(c: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Which lags are fitted: up to the first at which C has left the window or cannot be told from nothing."""
    lost = (c < WINDOW[0]) | (c < 3 * np.nan_to_num(error))
    end = int(np.argmax(lost)) if lost.any() else len(c)
    return (c <= WINDOW[1]) & (np.arange(len(c)) < end)


@njit(cache=True, nogil=True)
def _correlate(u, start, history, sums, counts, group):
    n_bodies, n_directions = u.shape[1], u.shape[2]
    for t in range(u.shape[0]):
        frame = start + t
        for level in range(LEVELS):
            if frame % (1 << level):
                break
            step = frame >> level
            for lag in range(1 if level == 0 else 2, min(3, step) + 1):
                row = lag - 1 + 2 * level
                before = history[level, (step - lag) % 3]
                for body in range(n_bodies):
                    first, second = 0.0, 0.0
                    for k in range(n_directions):
                        dot = (
                            u[t, body, k, 0] * before[body, k, 0]
                            + u[t, body, k, 1] * before[body, k, 1]
                            + u[t, body, k, 2] * before[body, k, 2]
                        )
                        first += dot
                        second += 1.5 * dot * dot - 0.5
                    first, second = first / n_directions, second / n_directions
                    sums[row, 0, body] += first
                    sums[row, 1, body] += second
                    group[row, 0] += first
                    group[row, 1] += second
                counts[row] += 1
                group[row, 2] += n_bodies
            history[level, step % 3] = u[t]
