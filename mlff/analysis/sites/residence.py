"""How long ions stay: the distribution of times on a site, with stays of which the end, or the beginning, was not seen."""

from dataclasses import dataclass

import numpy as np

ENDS = np.unique(np.floor(2.0 ** (np.arange(161) / 4)).astype(np.int64))  # frames: 1 2 3 4 5 6 8 9 11 13 …, to 2⁴⁰


@dataclass(frozen=True)
class ResidenceTimes:
    """times: (n + 1,), edges of the bins, ps. complete: (n,) int64, stays seen from their beginning to their end.

    survival, error: (n + 1,), chance that a stay lasts longer than each edge.
    """

    times: np.ndarray
    complete: np.ndarray
    survival: np.ndarray
    error: np.ndarray


def bin_of(frames: np.ndarray) -> np.ndarray:
    """Of stays of so many frames, 1 or more."""
    return np.searchsorted(ENDS, frames, side="right") - 1


def residence_times(complete: np.ndarray, censored: np.ndarray, frame_time: float) -> ResidenceTimes:
    """The life table: of those who stay as long as a bin's beginning, what share leaves within it.

    Stays that the end of the run cuts are at risk as long as they were seen, for half of the bin in which they are cut (Kaplan and Meier,
    J. Am. Stat. Assoc. 53, 457, 1958, for bins); the error is Greenwood's. Without them long stays would be missing. Stays from the start
    of the run on are left out, as nobody knows their beginning.

    Args:
        complete, censored: (n_bins,) int64, stays with an end, and those cut, by length in the bins of ENDS.
        frame_time: ps.
    """
    last = int(np.flatnonzero(complete + censored).max(initial=0)) + 1
    d, c = complete[:last], censored[:last]
    at_risk = np.cumsum((d + c)[::-1])[::-1] - c / 2
    safe = np.maximum(at_risk, 1e-300)
    survival = np.concatenate([[1.0], np.cumprod(1 - d / safe)])
    some = at_risk > d  # where all leave, or nobody is, there is no scatter
    variance = np.concatenate([[0.0], np.cumsum(np.divide(d, safe * (at_risk - d), out=np.zeros(last), where=some))])
    # n frames from one jump to the next are n intervals ± 1: a bin of integers begins half an interval before its first
    times = (ENDS[: last + 1] - 0.5) * frame_time
    times[0] = 0.0
    return ResidenceTimes(times, d.copy(), survival, survival * np.sqrt(variance))
