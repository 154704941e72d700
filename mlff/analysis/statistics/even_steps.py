"""Steps at one distance from each other, however they come."""

import numpy as np


def count_steps(clock: np.ndarray, steps: np.ndarray, what: str) -> None:
    """Adds to clock, (3,) int64: how many came, the last step, and the steps from one to the next (0 until two have come).

    Raises:
        ValueError: the steps are not evenly spaced.
    """
    known = np.concatenate([clock[1:2] if clock[0] else [], steps]).astype(np.int64)
    gaps = np.diff(known)
    gap = clock[2] or (gaps[0] if len(gaps) else 0)
    if len(gaps) and ((gaps != gap) | (gaps <= 0)).any():
        odd = int(np.argmax((gaps != gap) | (gaps <= 0)))
        raise ValueError(
            f"{what} lie {gap} steps apart, but from step {known[odd]} to {known[odd + 1]}; "
            "read with a stride that the whole run has, or analyse the parts as runs of their own"
        )
    if len(steps):
        clock[:] = clock[0] + len(steps), known[-1], gap


def joined_gap(own: int, other: int, what: str) -> int:
    """Steps from one to the next of two runs that are joined; 0 where neither knows yet.

    Raises:
        ValueError: they are not alike.
    """
    if own and other and own != other:
        raise ValueError(f"found {what} {own} and {other} steps apart, expected one spacing; read with strides that agree")
    return own or other
