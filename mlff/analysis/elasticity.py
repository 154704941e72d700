"""Equation of state and stiffness from energies and stresses of strained cells."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from ase.eos import EquationOfState
from ase.stress import full_3x3_to_voigt_6_stress

VOIGT = ("xx", "yy", "zz", "yz", "xz", "xy")


@dataclass(frozen=True)
class BirchMurnaghan:
    """volume: of lowest energy, Å³. bulk_modulus: eV/Å³. energy: the lowest, eV."""

    volume: float
    bulk_modulus: float
    energy: float


def birch_murnaghan(volumes: np.ndarray, energies: np.ndarray) -> BirchMurnaghan:
    """Third-order Birch–Murnaghan fit of E(V), at least five volumes that bracket the minimum.

    Args:
        volumes: (n,), Å³. energies: (n,), eV.
    Raises:
        ValueError: too few volumes, or a minimum outside of them.
    """
    volumes, energies = np.asarray(volumes, float), np.asarray(energies, float)
    if len(volumes) < 5:
        raise ValueError(f"found {len(volumes)} volumes, expected at least 5 for a Birch–Murnaghan fit; add strained cells")
    if not 0 < np.argmin(energies[np.argsort(volumes)]) < len(volumes) - 1:
        raise ValueError("the lowest energy lies at the end of the volumes, expected it inside; add volumes on that side")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a fit that did not converge
        volume, energy, bulk_modulus = EquationOfState(volumes, energies, eos="birchmurnaghan").fit(warn=False)
    return BirchMurnaghan(float(volume), float(bulk_modulus), float(energy))


def stiffness(stresses: Mapping[str, tuple[np.ndarray, np.ndarray]], strain: float) -> np.ndarray:
    """C_ij = ∂σ_i/∂ε_j by central differences, Voigt order xx yy zz yz xz xy, (6, 6), in the stress's unit.

    Args:
        stresses: for each Voigt component j the stress tensors (3, 3), tension positive, at +strain and −strain.
        strain: engineering strain: of a shear, γ = 2 ε_ij.
    """
    missing = [name for name in VOIGT if name not in stresses]
    if missing:
        raise ValueError(f"no stresses for the strains {', '.join(missing)}; label these strained cells too")
    columns = [
        (full_3x3_to_voigt_6_stress(plus) - full_3x3_to_voigt_6_stress(minus)) / (2 * strain)
        for plus, minus in (stresses[n] for n in VOIGT)
    ]
    c = np.array(columns).T
    return 0.5 * (c + c.T)


def hill_moduli(c: np.ndarray) -> tuple[float, float]:
    """Bulk and shear modulus of a polycrystal, mean of Voigt's and Reuss's bounds (Hill 1952), in the unit of C."""
    s = np.linalg.inv(c)
    a, b, k = c[:3, :3].trace(), c[0, 1] + c[0, 2] + c[1, 2], c[3:, 3:].trace()
    sa, sb, sk = s[:3, :3].trace(), s[0, 1] + s[0, 2] + s[1, 2], s[3:, 3:].trace()
    bulk = 0.5 * ((a + 2 * b) / 9 + 1 / (sa + 2 * sb))
    return float(bulk), float(0.5 * ((a - b + 3 * k) / 15 + 15 / (4 * sa - 4 * sb + 3 * sk)))
