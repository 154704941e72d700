"""What a committee adds to the results of an ASE calculator, with the unit of each entry."""

import numpy as np
from ase.stress import full_3x3_to_voigt_6_stress

from mlff.uncertainty.deviation import frame_deviation

SYMMETRIC = 1e-5  # of the largest component: float32 members; forces taken for stresses are off by their whole size


def committee_results(energies: np.ndarray, forces: np.ndarray, stresses: np.ndarray | None = None) -> dict[str, np.ndarray | float]:
    """Members, deviations and variances; the names with `_comm` and `_var` are those of MACE's calculator.

    | entry | shape | unit |
    |---|---|---|
    | energy_comm, forces_comm, stress_comm | (n_members,), (n_members, n, 3), (n_members, 6) | eV, eV/Å, eV/Å³ |
    | energy_std, forces_std | a number, (n,) | eV, eV/Å |
    | energy_var, forces_var, stress_var | a number, (n, 3), (6,) | eV², (eV/Å)², (eV/Å³)² |

    All with ddof 0. `forces_std` is ε_F of `frame_deviation`, a length: the root of the sum of `forces_var` over the components.
    Variances are made here, from members in Å and eV, and never converted: their unit factor would be squared.

    Args:
        energies: (n_members,), eV of the whole cell. forces: (n_members, n, 3), eV/Å.
        stresses: (n_members, 3, 3), eV/Å³, tension positive; None leaves out the entries with stress (Voigt order xx yy zz yz xz xy).
    """
    energies, forces = np.asarray(energies, np.float64), np.asarray(forces, np.float64)
    if energies.ndim != 1 or len(energies) < 2 or forces.ndim != 3 or forces.shape[::2] != (len(energies), 3):
        raise ValueError(
            f"energies have shape {energies.shape} and forces {forces.shape}, expected (n_members,) and (n_members, n, 3) with at least "
            "2 members; stack one array per member"
        )
    members = {"energy": energies, "forces": forces}
    if stresses is not None:
        members["stress"] = _voigt(np.asarray(stresses, np.float64), len(energies))
    results: dict[str, np.ndarray | float] = {}
    for name, values in members.items():
        results |= {f"{name}_comm": values, f"{name}_var": values.var(0)}
    results["energy_var"] = float(results["energy_var"])
    return results | {"energy_std": float(energies.std()), "forces_std": frame_deviation(forces).force}


def _voigt(stresses: np.ndarray, n_members: int) -> np.ndarray:
    if stresses.shape != (n_members, 3, 3):
        raise ValueError(f"stresses have shape {stresses.shape}, expected ({n_members}, 3, 3), one tensor per member")
    skew = np.abs(stresses - stresses.swapaxes(1, 2)).max()
    if skew > SYMMETRIC * np.abs(stresses).max():
        raise ValueError(
            f"the stresses differ from their transposes by up to {skew:.3g} eV/Å³, expected symmetric tensors; forces of three atoms have "
            "the same shape: check which array was given"
        )
    return np.array([full_3x3_to_voigt_6_stress(stress) for stress in stresses])
