"""VASP's four input files for one energy, force and stress evaluation.

POSCAR and POTCAR list the species in the alphabet's order, each once; `order` says where each atom went.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
from ase import Atoms

from mlff.oracle.base import Missing

# one evaluation from scratch, with stress; no symmetry is looked for, because frames of MD have none; no wave function is kept
OWN = {"ISTART": 0, "ICHARG": 2, "IBRION": -1, "NSW": 0, "ISIF": 2, "ISYM": 0, "LWAVE": False, "LCHARG": False}


def order(atoms: Atoms) -> np.ndarray:
    """The frame's atom at each place of the POSCAR, (n_atoms,); atoms of one species keep their order."""
    return np.argsort(np.array(atoms.symbols), kind="stable")


def incar(tags: Mapping[str, object]) -> str:
    return "".join(f"{tag} = {_value(value)}\n" for tag, value in tags.items())


def kpoints(divisions: Sequence[int]) -> str:
    """A mesh with Γ in it, which every cell's symmetry bears."""
    return f"{' x '.join(str(k) for k in divisions)}\n0\nGamma\n{' '.join(str(k) for k in divisions)}\n0 0 0\n"


def poscar(atoms: Atoms) -> str:
    """Cartesian, Å.

    Raises:
        ValueError: the cell is left-handed, which VASP refuses.
    """
    if np.linalg.det(atoms.cell.array) <= 0:
        raise ValueError("VASP wants a right-handed cell; found vectors whose triple product is not positive: exchange two of them")
    sorted_atoms = atoms[order(atoms)]
    runs = [(symbol, len(list(group))) for symbol, group in groupby(sorted_atoms.symbols)]
    lines = [
        atoms.get_chemical_formula(),
        "1.0",
        *(_numbers(vector) for vector in atoms.cell.array),
        " ".join(symbol for symbol, _ in runs),
        " ".join(str(count) for _, count in runs),
        "Cartesian",
        *(_numbers(r) for r in sorted_atoms.positions),
    ]
    return "\n".join(lines) + "\n"


def potcar(atoms: Atoms, folder: Path, setups: Mapping[str, str]) -> str:
    """The potentials of the frame's species, one after the other, from folder/<setup>/POTCAR.

    Raises:
        Missing: a species has none there.
    """
    texts = []
    for symbol in sorted(set(atoms.symbols)):
        file = folder / setups.get(symbol, symbol) / "POTCAR"
        if not file.is_file():
            raise Missing(
                f"no POTCAR of {symbol} at {file}; name its setup in `oracle.setups` (as Li: Li_sv), or the folder in `oracle.potentials`"
            )
        texts.append(file.read_text())
    return "".join(texts)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return ".TRUE." if value else ".FALSE."
    return " ".join(_value(v) for v in value) if isinstance(value, (list, tuple)) else str(value)


def _numbers(vector: Sequence[float]) -> str:
    return " ".join(f"{x:.10f}" for x in vector)
