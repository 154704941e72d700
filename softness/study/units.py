"""Whether the anions stay what they were: a potential that joins or breaks them is used where it knows least."""

from collections.abc import Sequence

from mlff.geometry import classify
from softness.study.reading import Sampled


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


def _short(places: Sequence[str]) -> str:
    return ", ".join(places) if len(places) <= 3 else f"{len(places)} beginnings and ends"
