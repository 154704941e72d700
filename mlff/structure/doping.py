"""Atoms exchanged and taken out at random places: aliovalent substitution with the vacancies that compensate it."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from ase import Atoms


def doped(
    atoms: Atoms,
    replace: Sequence[tuple[str, str, int]],
    remove: Mapping[str, int],
    rng: np.random.Generator | None,
    replaceable: np.ndarray | None = None,
) -> tuple[Atoms, dict[str, int]]:
    """A copy with `replace` [(from, to, how many)] and `remove` {element: how many} at random places, and the composition asked for.

    replaceable: (n,) bool, the atoms that may be replaced; None: all.

    Raises:
        ValueError: rng is missing, or the structure has fewer such atoms.
    """
    if rng is None:
        raise ValueError("found dopants and no generator to place them with; give rng=np.random.default_rng(seed)")
    composition = Counter(atoms.get_chemical_symbols())
    atoms, taken = atoms.copy(), []
    for old, new, count in [*replace, *[(symbol, None, count) for symbol, count in remove.items()]]:
        places = np.flatnonzero((atoms.symbols == old) & (True if replaceable is None or new is None else replaceable))
        if len(places) < count:
            raise ValueError(f"found {len(places)} atoms of {old}, expected at least {count} to exchange or take out; ask for fewer")
        chosen = rng.choice(places, count, replace=False)
        composition[old] -= count
        if new is None:
            taken += chosen.tolist()
        else:
            atoms.symbols[chosen] = new
            composition[new] += count
    del atoms[taken]
    return atoms, dict(composition)
