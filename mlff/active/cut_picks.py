"""Frames that are too large to be labelled, each replaced by a local cell."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from ase import Atoms

from mlff.active.local_cell import LocalCells, Uncut
from mlff.active.select import Pick
from mlff.active.soundness import Soundness


def cut_picks(
    picks: Sequence[Pick], cells: LocalCells | None, soundness: Soundness, centres: Callable[[Sequence[Atoms]], Sequence[int]]
) -> tuple[list[Pick], dict[str, int]]:
    """The picks in their order, and how many of them were left out for which reason: no cell could be cut, or it is not sound.

    Args:
        cells: None: nothing is cut. centres: the atom of each of some frames around which a cell is cut.
    """
    if cells is None:
        return list(picks), {}
    large = [k for k, pick in enumerate(picks) if cells.concern(pick.atoms)]
    around = dict(zip(large, centres([picks[k].atoms for k in large]) if large else [], strict=True))
    found, refused = [], Counter()
    for k, pick in enumerate(picks):
        if k not in around:
            found.append(pick)
            continue
        try:
            cut = cells.cut(pick.atoms, int(around[k]))
        except Uncut as why:
            refused[why.reason] += 1
            continue
        if fault := soundness.fault(cut):
            refused[fault] += 1
            continue
        found.append(replace(pick, atoms=cut))
    return found, dict(refused)
