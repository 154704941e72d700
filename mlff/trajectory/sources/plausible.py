"""What no condensed matter is: a sign that a file is in other units than its format says."""

import numpy as np

from mlff.units import AMU, K_B

LEAST_VOLUME = 0.5  # Å³ per atom; diamond, the densest, has 5.7, and hydrogen at some hundred GPa 1.5
TEMPERATURES = (1e-2, 1e6)  # K; Å/fs taken for Å/ps, or the other way round, is wrong by 10⁶


def check_volume(cell: np.ndarray, n_atoms: int, where: str) -> None:
    """Raises:
    ValueError: the atoms would lie in each other.
    """
    volume = abs(np.linalg.det(cell)) / n_atoms
    if 0 < volume < LEAST_VOLUME:
        raise ValueError(
            f"{where}: found {volume:.3g} Å³ of cell per atom, expected more than {LEAST_VOLUME}; the file is in another unit of length, "
            "such as nm: write it again in its format's unit"
        )


def check_velocities(velocities: np.ndarray, masses: np.ndarray, where: str) -> None:
    """Raises:
    ValueError: the atoms move, at a temperature that no simulation has.
    """
    kinetic = 0.5 * AMU * (masses[:, None] * np.square(velocities)).sum() / len(velocities)  # eV per frame
    temperature = 2 * kinetic / (3 * len(masses) * K_B)
    if temperature > 0 and not TEMPERATURES[0] < temperature < TEMPERATURES[1]:
        raise ValueError(
            f"{where}: found velocities of {temperature:.3g} K, expected a temperature between {TEMPERATURES[0]:g} and {TEMPERATURES[1]:g} "
            "K; they are in other units than the format's (a LAMMPS dump is taken for one of metal units unless it says another)"
        )
