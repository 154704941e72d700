"""How long a run must be for the error that is wanted, and how large its cell."""

from dataclasses import dataclass

import numpy as np

from mlff.analysis.estimate import Estimate, no_result
from mlff.units import CM2_PER_S

SLOPE, LEAST = 3.43, 0.04  # of He et al.'s law


@dataclass(frozen=True)
class RunLength:
    """total: fs, of the run that gives the wanted error: the later of the two below; its error is their difference. A lower limit where
    the diffusivity is bounded alone.
    from_error: fs, by the measured error, which falls as 1/√t. from_jumps: fs, by the law of He et al. None where they say nothing.
    advice: a sentence.
    """

    total: Estimate
    from_error: float | None
    from_jumps: float | None
    advice: str


def expected_error(jumps: float) -> float:
    """Relative error of D to expect of so many jumps: 3.43/√N + 0.04 (He, Zhu, Epstein and Mo, npj Comput. Mater. 4, 18, 2018)."""
    return SLOPE / np.sqrt(jumps) + LEAST


def jumps_for(relative_error: float) -> float | None:
    """Inverse of `expected_error`; None at 0.04 and below, which no number of jumps reached there."""
    return (SLOPE / (relative_error - LEAST)) ** 2 if relative_error > LEAST else None


def run_length(
    diffusivity: Estimate, jumps: float, duration: float, n_ions: int, wanted: float = 0.2, jump_length: float = 3.0
) -> RunLength:
    """How long one run must be for a relative error of D.

    Where D is only bounded from above, jumps come no faster than at the bound, N = 6 n D t / a²: a run for enough of them is at least
    that long, and how much longer nobody knows.

    Args:
        diffusivity: cm²/s, and jumps: of a `TracerDiffusivity`. duration: fs, of the run, of n_ions mobile ions.
        wanted: relative error, one standard deviation. jump_length: a, Å.
    """
    if not (wanted > 0 and duration > 0 and n_ions > 0 and jump_length > 0):
        raise ValueError(
            f"found a wanted error of {wanted}, {duration} fs, {n_ions} ions and jumps of {jump_length} Å; expected positive numbers"
        )
    needed = jumps_for(wanted)
    beyond = f"; {wanted:.0%} is no more than the {LEAST:.0%} that runs with any number of jumps scattered by, so average several" * (
        needed is None
    )
    if diffusivity.known and diffusivity.value > 0:
        by_error = duration * (diffusivity.error / diffusivity.value / wanted) ** 2
        by_jumps = duration * needed / jumps if needed is not None and jumps > 0 else None
        both = [time for time in (by_error, by_jumps) if time is not None]
        total = Estimate(max(both), max(both) - min(both), unit="fs")
        factor = total.value / duration
        words = "the run is long enough" if factor <= 1 else f"run {factor:.2g} times as long in all"
        return RunLength(total, by_error, by_jumps, words + beyond)
    if diffusivity.upper and needed is not None:
        at_least = needed * jump_length**2 / (6 * n_ions * diffusivity.upper * CM2_PER_S)
        words = f"run at least {at_least / duration:.2g} times as long, or hotter: the diffusivity is only known to be below a bound"
        reason = "the diffusivity is bounded, not known"
        return RunLength(Estimate(None, lower=max(at_least, duration), unit="fs", reason=reason), None, None, words)
    reason = "the diffusivity is neither known nor bounded" if not diffusivity.upper else "the wanted error is out of reach"
    return RunLength(no_result(reason, "fs"), None, None, f"nothing can be said: {reason}" + beyond)


@dataclass(frozen=True)
class CellSize:
    """heights: (3,), Å, of the cell, between opposite faces. needed: Å, of the shortest. warnings: sentences, none where it is enough."""

    heights: np.ndarray
    needed: float
    warnings: tuple[str, ...]


def cell_size(cell: np.ndarray, jump_length: float = 3.0, string_length: float | None = None) -> CellSize:
    """Whether the cell is large enough for its ions not to meet their own images, by its shortest height.

    The correction of Yeh and Hummer (J. Phys. Chem. B 108, 15873, 2004), k_B T ξ / (6π η L), is none for solids: it takes away the drag
    of a fluid's flow by its images, and a crystal has no such flow and an infinite viscosity, which makes it 0. What a small cell does
    to a solid is discrete: a jump, or a string of ions that move together, that is longer than half the cell reaches its own image,
    so that its ends push each other, and strings longer than the cell cannot form. There is no formula for it; a larger cell tells.

    Args:
        cell: (3, 3) rows, Å. jump_length: Å, of one hop. string_length: Å, from end to end of cooperative strings; None: not known.
    """
    cell = np.asarray(cell, float)
    volume = abs(np.linalg.det(cell))
    if not volume > 0:
        raise ValueError("found a cell without volume, expected three cell vectors; give the cell of the simulation")
    heights = volume / np.array([np.linalg.norm(np.cross(cell[a - 2], cell[a - 1])) for a in range(3)])
    length, what = max((jump_length, "a jump"), (string_length or 0.0, "a string of ions that move together"))
    needed, warnings = 2 * length, ()
    if heights.min() < needed:
        axis = "abc"[int(heights.argmin())]
        warnings = (
            f"the cell is {heights.min():.3g} Å high along {axis}, expected at least {needed:.3g} Å, twice the length of {what}: it "
            "meets its own image; repeat the cell and compare (the Yeh–Hummer correction is for liquids and does not mend this)",
        )
    return CellSize(heights, float(needed), warnings)
