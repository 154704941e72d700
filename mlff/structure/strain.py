"""Deformed crystals: atoms keep their fractions of the cell."""

from collections.abc import Mapping, Sequence

import numpy as np
from ase import Atoms

VOIGT = {"xx": (0, 0), "yy": (1, 1), "zz": (2, 2), "yz": (1, 2), "xz": (0, 2), "xy": (0, 1)}
DRAWN = ("isotropic", "uniaxial", "shear")


def deformed(atoms: Atoms, deformation: np.ndarray) -> Atoms:
    """A copy with cell @ deformation, (3, 3), in Cartesian axes: 1 + ε for a small strain ε."""
    copy = atoms.copy()
    copy.set_cell(atoms.cell.array @ deformation, scale_atoms=True)
    return copy


def stretched(atoms: Atoms, factors: Sequence[float]) -> Atoms:
    """A copy whose lattice vectors, in any cell, are longer by one factor each; angles stay."""
    copy = atoms.copy()
    copy.set_cell(atoms.cell.array * np.asarray(factors, float)[:, None], scale_atoms=True)
    return copy


def voigt_strain(component: str, size: float) -> np.ndarray:
    """(3, 3), symmetric: "xx", "yy", "zz", or a shear "yz", "xz", "xy" of γ = size, whose two elements are γ/2."""
    i, j = VOIGT[component]
    strain = np.zeros((3, 3))
    strain[i, j] = strain[j, i] = size / (1 if i == j else 2)
    return strain


def drawn_strain(kind: str, most: float, rng: np.random.Generator) -> np.ndarray:
    """(3, 3), symmetric, no element beyond ±most: "isotropic", "uniaxial" along a random Cartesian axis, or "shear", all six components.

    Raises:
        ValueError: another kind.
    """
    if kind == "isotropic":
        return np.eye(3) * rng.uniform(-most, most)
    if kind == "uniaxial":
        axis = rng.integers(3)
        return voigt_strain("xyz"[axis] * 2, rng.uniform(-most, most))
    if kind == "shear":
        half = rng.uniform(-most, most, size=(3, 3)) / 2
        return (half + half.T) / 2
    raise ValueError(f"unknown strain {kind!r}; expected one of {DRAWN}")


def volumes(atoms: Atoms, ratios: Sequence[float]) -> list[Atoms]:
    """Copies at these ratios to the volume, shape kept; `info["strain"]` names each: "volume 0.96"."""
    return _named(atoms, {f"volume {ratio:g}": (ratio ** (1 / 3),) * 3 for ratio in ratios})


def along_lattice(atoms: Atoms, size: float) -> list[Atoms]:
    """Copies with each lattice vector in turn, and then all three, longer and shorter by the share `size`; eight of them.

    `info["strain"]` names each: "a +0.05", "a -0.05", …, "abc -0.05".
    """
    factors = {}
    for name, direction in {"a": (1, 0, 0), "b": (0, 1, 0), "c": (0, 0, 1), "abc": (1, 1, 1)}.items():
        for change in (size, -size):
            factors[f"{name} {change:+g}"] = tuple(1 + change * along for along in direction)
    return _named(atoms, factors)


def _named(atoms: Atoms, factors: Mapping[str, Sequence[float]]) -> list[Atoms]:
    frames = []
    for name, each in factors.items():
        frames.append(stretched(atoms, each))
        frames[-1].info["strain"] = name
    return frames
