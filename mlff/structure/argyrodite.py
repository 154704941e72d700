"""Site disorder of the argyrodites Li6PS5X (X = Cl, Br, I): which of the 4a and 4c sites of F-43m hold X, and which S.

A cubic cell of 52 atoms has four sites of each kind, four X and four S for them: 70 arrangements, of six kinds under the symmetry of the
crystal. Energies: Kim et al., Nano Energy (2024), doi:10.1016/j.nanoen.2024.109436, table 1.
"""

from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import combinations

import numpy as np
from ase import Atoms

from mlff.structure import catalogue
from mlff.structure.build import prototype
from mlff.units import K_B, TO_MILLI

# X on 4c → meV/atom above the lowest, PBE, Li6PS5Cl
ENERGIES = {"0": 23.0, "25": 4.0, "50_P2122": 0.0, "50_Pmm2": 11.0, "75": 13.0, "100": 206.0}
FCC = np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]]) / 2  # the 4a sites; those of 4c lie a quarter of the diagonal further
QUARTER = np.full(3, 0.25)


def kind_of(on_4a: Sequence[int], on_4c: Sequence[int]) -> str:
    """The name, of ENERGIES, of the arrangement with X on these of the four 4a and of the four 4c sites (rows of FCC).

    Two X on 4a fill one layer of sites across an axis, and so do two on 4c. Layers across the same axis: Pmm2; across two axes: P2_122.
    """
    share = f"{25 * len(on_4c)}"
    if len(on_4c) != 2:
        return share
    across = [np.flatnonzero(FCC[pair[0]] == FCC[pair[1]]) for pair in (list(on_4a), list(on_4c))]
    return f"{share}_Pmm2" if across[0] == across[1] else f"{share}_P2122"


@cache
def arrangements() -> dict[str, list[tuple[tuple[int, ...], tuple[int, ...]]]]:
    """Kind → all its arrangements (sites of X among 4a, among 4c): 1, 16, 24, 12, 16 and 1."""
    found: dict[str, list] = {kind: [] for kind in ENERGIES}
    for n in range(5):
        for on_4a in combinations(range(4), 4 - n):
            for on_4c in combinations(range(4), n):
                found[kind_of(on_4a, on_4c)].append((on_4a, on_4c))
    return found


def configuration(halogen: str = "Cl", on_4c: str = "50_P2122", *, rng: np.random.Generator) -> Atoms:
    """One of the six characteristic configurations: a cubic cell of 52 atoms, not relaxed.

    Args:
        halogen: Cl, Br or I; sets the cell and the positions too (`Li6PS5Cl_ordered`, …).
        on_4c: a key of ENERGIES: per cent of X on 4c, which at 50 has two kinds.
        rng: draws nothing: the arrangement is the first of its kind.
    Raises:
        ValueError: no such halogen or configuration.
    """
    if on_4c not in ENERGIES:
        raise ValueError(catalogue.unknown(str(on_4c), list(ENERGIES), "configuration"))
    return _arranged(_ordered(halogen), halogen, *arrangements()[on_4c][0])


def weights(temperature: float, per: str = "atom", degeneracy: bool = False) -> dict[str, float]:
    """The share of each configuration, g exp(−n ΔE / kT) over its sum; ΔE per atom as published.

    Args:
        temperature: K.
        per: "atom": n = 1, for which all but one of the six have shares of some per cent; "cell": n = 52, the Boltzmann weight of
            independent cells, at 300 K 99.97 % of the lowest.
        degeneracy: whether g counts the arrangements of a kind, else g = 1.
    Raises:
        ValueError: per is neither, or the temperature is not positive.
    """
    n_atoms = {"atom": 1, "cell": 52}.get(per)
    if n_atoms is None or not temperature > 0:
        raise ValueError(f"found per={per!r} at {temperature} K, expected 'atom' or 'cell' at a positive temperature; correct them")
    energies = np.array(list(ENERGIES.values())) / TO_MILLI
    share = np.exp(-n_atoms * energies / (K_B * temperature))
    if degeneracy:
        share *= [len(same) for same in arrangements().values()]
    return dict(zip(ENERGIES, (share / share.sum()).tolist(), strict=True))


def random_cells(
    halogen: str = "Cl",
    repeat: Sequence[int] = (3, 3, 3),
    temperature: float = 300.0,
    per: str = "atom",
    degeneracy: bool = False,
    *,
    rng: np.random.Generator,
) -> Atoms:
    """A supercell whose cells are drawn from the six configurations, each with the share that `weights` gives it.

    Of a kind, the arrangement is drawn too, so that no direction is preferred. The text of the publication gives neither the temperature
    nor the form of the weight, only that the six kinds are arranged at random by their stability: the weight of an energy per atom is
    what mixes five of them at 300 K. With all atoms of a cell counted, 27 cells at 300 K are all of the lowest kind.

    Returns:
        `info["configurations"]` counts the cells of each kind.
    """
    share = weights(temperature, per, degeneracy)
    ordered = _ordered(halogen)
    cells, drawn = [], []
    for step in np.ndindex(*repeat):
        kind = list(share)[rng.choice(len(share), p=list(share.values()))]
        same = arrangements()[kind]
        cell = _arranged(ordered, halogen, *same[rng.integers(len(same))])
        cell.positions += step @ ordered.cell.array
        cells.append(cell)
        drawn.append(kind)
    atoms = cells[0]
    for cell in cells[1:]:
        atoms.extend(cell)
    atoms.set_cell(ordered.cell.array * np.array(repeat)[:, None])
    counts = Counter(drawn)
    atoms.info = ordered.info | {"repeat": list(repeat), "configurations": {kind: counts[kind] for kind in ENERGIES}}
    return atoms


def _ordered(halogen: str) -> Atoms:
    if halogen not in ("Cl", "Br", "I"):
        raise ValueError(catalogue.unknown(str(halogen), ["Cl", "Br", "I"], "halogen"))
    return prototype(f"Li6PS5{halogen}_ordered")


def _arranged(ordered: Atoms, halogen: str, on_4a: Sequence[int], on_4c: Sequence[int]) -> Atoms:
    """A copy of the cell with X on these sites, S on the others."""
    atoms = ordered.copy()
    fractions = atoms.get_scaled_positions()
    for sites, chosen in ((FCC, on_4a), (FCC + QUARTER, on_4c)):
        for k, site in enumerate(sites):
            offset = fractions - site
            atom = np.abs(offset - np.round(offset)).max(1).argmin()
            atoms.symbols[atom] = halogen if k in chosen else "S"
    atoms.info |= {"on_4c": kind_of(on_4a, on_4c), "site_occupancies": {"4a": _names(halogen, on_4a), "4c": _names(halogen, on_4c)}}
    return atoms


def _names(halogen: str, chosen: Sequence[int]) -> list[str]:
    return [halogen if k in chosen else "S" for k in range(4)]
