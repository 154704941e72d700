"""NEP: random weights in a nep.txt, through calorine's CPUNEP (GPUMD's C++ for CPUs)."""

from importlib.metadata import version
from pathlib import Path

import numpy as np
from ase import Atoms
from calorine.calculators import CPUNEP

from .drive import Driven, drive


def build(request: dict, atoms: Atoms) -> Driven:
    file = Path(request["cache"]) / "nep.txt"
    write_nep(file, sorted(set(atoms.symbols)), request["r_max"], **request["options"])
    versions = {"calorine": version("calorine")}
    return Driven(CPUNEP(file, atoms), "its own, at every step", "float64", versions)


def write_nep(
    file: Path, names: list[str], r_max: float, angular: float, n_max: list[int], basis: list[int], l_max: list[int], neurons: int
) -> None:
    """A NEP4 potential: one network for each species, and radial coefficients for each ordered pair of species."""
    n_invariants = sum(order > 0 for order in l_max[1:]) + l_max[0]
    n_descriptors = (n_max[0] + 1) + (n_max[1] + 1) * n_invariants
    n_network = len(names) * neurons * (n_descriptors + 2) + 1
    n_radial = len(names) ** 2 * sum((n + 1) * (b + 1) for n, b in zip(n_max, basis, strict=True))
    weights = np.random.default_rng(0).normal(scale=0.1, size=n_network + n_radial)
    header = [
        f"nep4 {len(names)} {' '.join(names)}",
        f"cutoff {r_max} {min(angular, r_max)} 200 200",
        f"n_max {n_max[0]} {n_max[1]}",
        f"basis_size {basis[0]} {basis[1]}",
        f"l_max {' '.join(map(str, l_max))}",
        f"ANN {neurons} 0",
    ]
    scales = np.ones(n_descriptors)
    file.write_text("\n".join([*header, *(f"{value:.7e}" for value in [*weights, *scales])]) + "\n")


if __name__ == "__main__":
    drive(build)
