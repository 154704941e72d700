"""Reorientation events of anions: how often one turns by more than an angle and stays."""

import numpy as np
from numba import njit

from mlff.analysis.estimate import Estimate, no_result
from mlff.analysis.statistics.blocks import Blocks
from mlff.analysis.statistics.event_rate import event_rate
from mlff.units import PS


class Reorientations:
    """Counts the turns of bodies of one kind, frame by frame.

    Home is the mean orientation of a body since it last turned. It is away when its orientation has turned from home by more than
    `least`, and back when within half of that again. One that has been away for `settle` frames has turned: that counts once, and its
    mean orientation since it left is the new home. So a body that librates by ±40° does not turn, although it passes 80°, nor does one
    that only looks over the barrier. The two thresholds and the wait keep a turn from being counted at every wiggle across one of them.

    Attributes:
        events: (n_bodies,) int64.
    """

    def __init__(self, n_bodies: int, least: float, settle: int):
        """least: °. settle: frames, at least 1."""
        if not (0 < least < 180 and settle >= 1):
            raise ValueError(f"found least = {least}° and settle = {settle} frames, expected 0° < least < 180° and at least 1 frame")
        self.least, self.settle = float(least), int(settle)
        self.home, self.away = np.zeros((n_bodies, 4)), np.zeros((n_bodies, 4))  # sums of quaternions
        self.frames_away, self.events = np.zeros(n_bodies, np.int64), np.zeros(n_bodies, np.int64)

    def update(self, q: np.ndarray) -> int:
        """Take in the next frames, (n_frames, n_bodies, 4); how many events they bring."""
        limits = np.cos(np.radians([self.least / 2, self.least / 4]))  # of the product of quaternions, the cosine of half the angle
        return int(_follow(q, *limits, self.settle, self.home, self.away, self.frames_away, self.events))

    def state(self) -> dict[str, np.ndarray]:
        """Its arrays by name, copied."""
        return {name: getattr(self, name).copy() for name in ("home", "away", "frames_away", "events")}

    def load(self, state: dict[str, np.ndarray]) -> None:
        for name in ("home", "away", "frames_away", "events"):
            setattr(self, name, np.array(state[name]))


def frequency(events: np.ndarray, time: float, per_group: Blocks, group_time: float) -> Estimate:
    """Turns per body and time, 1/ps.

    The error is that of a Poisson number, or the scatter of blocks of time or of the bodies where these say more: bodies that turn
    together, or turn back at once, are fewer independent events. Where nobody turned, the 95 % limit of a Poisson number.

    Args:
        events: (n_bodies,). time: fs, that each was seen.
        per_group: blocks of events of all bodies in stretches of group_time, fs.
    """
    n, bodies = int(events.sum()), len(events)
    if not time > 0:
        return no_result("a turn needs a second frame", "1/ps")
    errors = []
    if len(per_group.sums) >= 8:  # fewer tell their own scatter too badly
        errors.append(float(per_group.error()[0]) * PS / (bodies * group_time))
    if bodies >= 8:
        errors.append(float(events.std(ddof=1)) / np.sqrt(bodies) * PS / time)
    return event_rate(n, bodies * time / PS, "no anion turned", tuple(errors))


@njit(cache=True, nogil=True)
def _follow(q, out, back, settle, home, away, frames_away, events):
    found = 0
    for t in range(q.shape[0]):
        for body in range(q.shape[1]):
            size, product, beside = 0.0, 0.0, 0.0
            for a in range(4):
                size += home[body, a] ** 2
                product += home[body, a] * q[t, body, a]
                beside += away[body, a] * q[t, body, a]
            cosine = abs(product) / np.sqrt(size) if size > 0 else 1.0
            if cosine > back or (frames_away[body] == 0 and cosine >= out):
                frames_away[body] = 0
                for a in range(4):
                    home[body, a] += q[t, body, a] if product >= 0 else -q[t, body, a]
                continue
            for a in range(4):
                if frames_away[body] == 0:
                    away[body, a] = q[t, body, a]
                else:
                    away[body, a] += q[t, body, a] if beside >= 0 else -q[t, body, a]
            frames_away[body] += 1
            if frames_away[body] >= settle:
                home[body] = away[body]
                frames_away[body] = 0
                events[body] += 1
                found += 1
    return found
