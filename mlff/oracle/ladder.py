"""The retry ladder: a density that was not found is looked for again in another way.

A rung changes how the self-consistent density is searched: mixing, algorithm, number of iterations. It must not change which
density is sought. All ways end at the same fixed point within the threshold of convergence, so that a label does not tell which
rung it came from: it counts them (`Label.retries`), and they are no part of `settings_hash`.

Smearing is therefore no rung, though it often helps: it adds −TS to the energy and moves the forces, and a frame labelled with
more of it lies on another potential-energy surface than its neighbours under the same hash. Neither are k-points, cutoffs, spin or
the threshold itself. Whoever needs those changes the settings, and with them the hash of every label.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

from mlff.oracle.base import Unconverged

Answer = TypeVar("Answer")
Way = Mapping[str, object]


def ladder(first: Way, retries: Sequence[Way], knobs: Collection[str]) -> list[dict[str, object]]:
    """Every way to the density, whole, in the order in which they are tried.

    Args:
        first: of the first attempt; retries: what each later one changes of the first.
        knobs: the names that a way may hold.
    Raises:
        ValueError: a way holds another name.
    """
    ways = [dict(first), *(dict(first) | dict(change) for change in retries)]
    unknown = sorted({name for way in ways for name in way} - set(knobs))
    if unknown:
        raise ValueError(
            f"`oracle.search` and `oracle.retries` hold {unknown}, expected {sorted(knobs)}: they change how the density is searched; "
            "what changes the label (smearing, cutoffs, thresholds) is a setting of its own"
        )
    return ways


def climb(ways: Sequence[Way], attempt: Callable[[Way], Answer]) -> tuple[Answer, int]:
    """The first answer that converges, and how many ways failed before it.

    Raises:
        Unconverged: no way converged; the last one's reason. Whatever else an attempt raises ends the climb at once.
    """
    for retries, way in enumerate(ways):
        try:
            return attempt(way), retries
        except Unconverged as error:
            if retries == len(ways) - 1:
                tried = "" if retries == 0 else f" (the last of {len(ways)} ways that were tried)"
                given_up = Unconverged(f"{error}{tried}")
                given_up.retries = retries
                raise given_up from error
    raise ValueError("there is no way to try; expected at least the first")
