"""Lists of frames to label: the passive set of strained and rattled crystals, and scans of the volume."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase import Atoms

from mlff.structure.build import crystal
from mlff.structure.rattle import CLOSEST, rattled
from mlff.structure.strain import along_lattice, volumes


def passive(
    structures: Sequence[str | Path | Atoms],
    repeat: Sequence[int] | None = None,
    strain: float = 0.05,
    n_rattled: int = 1,
    displacement: float = 0.1,
    closest: float = CLOSEST,
    *,
    rng: np.random.Generator,
) -> list[Atoms]:
    """Each structure as it is and strained along each lattice vector and along all three, and rattled copies of every one of these.

    Strains of Kim et al., Nano Energy (2024), doi:10.1016/j.nanoen.2024.109436, section 2.2. There, hot dynamics of three strains take
    the place of the rattled copies (`scripts/sample_frames.py`).

    Args:
        structures, repeat: as `crystal`.
        strain: share of the length of a lattice vector, both signs.
        n_rattled: copies of each, displacement: Å, and closest: as `rattled`.
    Returns:
        9 × (1 + n_rattled) frames of each structure. `info["structure"]` names it, `info["strain"]` is "none", "a +0.05", …, "abc -0.05";
        rattled copies have `info["displacement"]`.
    """
    frames = []
    for structure in structures:
        atoms = crystal(structure, repeat, rng=rng)
        atoms.info |= {"structure": _name(structure), "strain": "none"}
        for each in (atoms, *along_lattice(atoms, strain)):
            frames += [each, *(rattled(each, displacement, closest, rng=rng) for _ in range(n_rattled))]
    return frames


def volume_scan(
    structure: str | Path | Atoms,
    repeat: Sequence[int] | None = None,
    ratios: Sequence[float] = (0.94, 0.96, 0.98, 1.0, 1.02, 1.04, 1.06),
    *,
    rng: np.random.Generator,
) -> list[Atoms]:
    """One structure at several ratios to its volume, for an equation of state; `info["strain"]` is "volume 0.94", …."""
    atoms = crystal(structure, repeat, rng=rng)
    atoms.info["structure"] = _name(structure)
    return volumes(atoms, ratios)


def _name(structure: str | Path | Atoms) -> str:
    return structure.get_chemical_formula() if isinstance(structure, Atoms) else str(structure)
