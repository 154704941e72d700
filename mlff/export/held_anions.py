"""Anions that an engine can hold by a constant projector: found by their bonds, and the directions that are taken from them."""

from collections.abc import Collection, Mapping

import numpy as np
from ase import Atoms

from mlff.geometry.anion_motion import constrained_motions
from mlff.geometry.held_anions import HeldAnions, hold
from mlff.geometry.topology import find_anions


def hold_anions(
    atoms: Atoms, mode: str, kinds: Collection[str] | None = None, shapes: Mapping[int, np.ndarray] | None = None
) -> tuple[list[HeldAnions], np.ndarray]:
    """The anions of a structure as `mlff.geometry.held_anions.hold` has them.

    Args:
        mode: RC, TC, RTC, RVC or RTVC.
        kinds: of `find_anions`, such as ("PS4",); None: all.
        shapes: geometries (n, 3), Å, by the anion's place in `find_anions`; None: as they lie.
    Returns:
        the groups of anions, and positions (n_atoms, 3), Å, with which the constraints begin.
    Raises:
        ValueError: no such mode, one that constrains nothing or leaves rigid bodies that turn, or no anions.
    """
    motions = constrained_motions(mode)
    if not motions:
        raise ValueError(f"constraint mode {mode} takes nothing away; leave the constraint out")
    if "V" in motions and "R" not in motions:
        raise ValueError(
            f"constraint mode {mode} leaves rigid bodies that turn, which no constant projector describes, and neither ASE's nor LAMMPS's "
            "integrators turn them; take RVC or RTVC, or fix rigid in LAMMPS"
        )
    cell = atoms.cell.array
    anions = find_anions(atoms.numbers, atoms.positions, cell, atoms.pbc, kinds)
    if not anions:
        found = sorted({anion.kind for anion in find_anions(atoms.numbers, atoms.positions, cell, atoms.pbc)})
        raise ValueError(
            f"found no anions{'' if kinds is None else ' of the kinds ' + ', '.join(kinds)} in {atoms.get_chemical_formula()}, which has "
            f"{', '.join(found) or 'none of a known shape'}; correct `kinds`, or leave the constraint out"
        )
    return hold(anions, atoms.get_masses(), atoms.positions, cell, mode, shapes)


def taken(group: HeldAnions) -> list[np.ndarray]:
    """Of each anion the directions taken from it in coordinates √m·r, orthonormal rows (n_removed, 3n)."""
    root = np.sqrt(np.repeat(group.masses, 3, axis=1))
    # 1 − M^½ P M^−½ is a symmetric projector: its eigenvalues are 0 and 1
    weighted = np.eye(root.shape[1]) - root[:, :, None] * group.projectors / root[:, None, :]
    _, directions = np.linalg.eigh(weighted)
    return [found[:, len(found) - rank :].T for found, rank in zip(directions, group.n_removed, strict=True)]
