"""Whether the potential is used where it knows little: anions that join or break, members of its committee that disagree."""

from collections.abc import Sequence

from mlff.geometry import classify
from softness.study.findings import Findings
from softness.study.reading import Sampled

MOST_DEVIATION = 0.5  # eV/Å, rms, of the forces on a species among members: several times what they differ by in frames like those learnt


def changed_units(trajectories: Sequence[Sampled]) -> list[str]:
    """A sentence for each structure whose trajectories do not all begin and end with the same anions; none where they do."""
    found: dict[str, dict[str, list[str]]] = {}
    for each in trajectories:
        counts = found.setdefault(each.source.condition.structure, {})
        for word, (positions, cell) in (("begin", each.structures[0]), ("end", each.structures[-1])):
            units = classify(each.system.numbers, positions, cell, each.system.pbc).counts()
            told = ", ".join(f"{n} {kind}" for kind, n in sorted(units.items())) or "no anions"
            counts.setdefault(told, []).append(f"{word} of {each.name}")
    return [
        f"the anions of {structure} do not stay the same ("
        + "; ".join(f"{told}: {_short(places)}" for told, places in sorted(counts.items(), key=lambda item: -len(item[1])))
        + "): where they join or break, the potential is least sure, and so is what is told there"
        for structure, counts in found.items()
        if len(counts) > 1
    ]


def uncertain(found: Sequence[Findings]) -> list[str]:
    """A sentence for each trajectory in which members of the potential disagree on the forces of a species."""
    return [
        f"in {each.name} members of the potential differ in the forces on "
        + ", ".join(f"{symbol} by {value:.2g}" for symbol, value in each.deviation.items() if value > MOST_DEVIATION)
        + f" eV/Å (rms), expected below {MOST_DEVIATION:g}: it knows little of what happens there"
        for each in found
        if any(value > MOST_DEVIATION for value in each.deviation.values())
    ]


def _short(places: Sequence[str]) -> str:
    return ", ".join(places) if len(places) <= 3 else f"{len(places)} beginnings and ends"
