"""ASE's structures as LAMMPS wants them: a box with its first vector along x and its second in the x-y plane."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms, units
from ase.data import atomic_masses, atomic_numbers

MARGIN = 1.0  # Å between the outermost atoms and the walls of an axis that is not periodic
FLAT = 1e-8  # of the product of the lengths of the periodic vectors: their area or volume where they are no lattice


@dataclass(frozen=True)
class Prism:
    """A structure's box in LAMMPS, which calls it a restricted triclinic one.

    Attributes:
        cell: (3, 3), rows a, b, c, Å; lower triangular with a positive diagonal, thus xx, yy, zz and the tilts xy, xz, yz.
        rotation: (3, 3), orthogonal; with a reflection where the cell is left-handed. Rows r of ASE are r @ rotation here.
        origin: (3,), Å, here: the box's lower corner. Zero along periodic axes.
    """

    cell: np.ndarray
    rotation: np.ndarray
    origin: np.ndarray

    def to_lammps(self, vectors: np.ndarray) -> np.ndarray:
        """Positions, velocities or forces, (n, 3), neither shifted nor wrapped."""
        return vectors @ self.rotation

    def to_ase(self, vectors: np.ndarray) -> np.ndarray:
        """What `to_lammps` turned, back."""
        return vectors @ self.rotation.T

    def tensor_to_ase(self, tensor: np.ndarray) -> np.ndarray:
        """A virial or a stress, (3, 3), back."""
        return self.rotation @ tensor @ self.rotation.T

    @property
    def volume(self) -> float:
        """Å³."""
        return float(np.prod(np.diag(self.cell)))


def prism_of(atoms: Atoms) -> Prism:
    """The box of any cell, right- or left-handed, however skewed; it is not reduced, so the cell stays the same lattice basis.

    Along an axis that is not periodic the cell's vector says nothing that matters: a vector normal to the others takes its place,
    long enough for all atoms. Volumes differ then from the cell's, so compare virials.

    Args:
        atoms: wrapped or not.
    Raises:
        ValueError: periodic vectors that span no volume.
    """
    pbc = atoms.pbc
    vectors = _completed(atoms.cell.array, pbc)
    # vectors.T = Q R gives vectors = Rᵀ Qᵀ, and Rᵀ is lower triangular; its diagonal is made positive
    q, r = np.linalg.qr(vectors.T)
    sign = np.sign(np.diag(r))
    cell, rotation = np.tril(r.T * sign), q * sign
    # normal to the others: its tilts are zero but for rounding, and LAMMPS allows a tilt only between periodic axes
    cell[~(pbc[:, None] & pbc[None, :]) & ~np.eye(3, dtype=bool)] = 0.0
    origin = np.zeros(3)
    if len(atoms) and not pbc.all():
        scaled = np.linalg.solve(cell.T, (atoms.positions @ rotation).T).T
        low, high = scaled.min(0), scaled.max(0)
        origin[~pbc] = low[~pbc] - MARGIN  # the vector is of 1 Å, thus scaled ones are Å
        length = np.where(pbc, 1.0, high - low + 2 * MARGIN)
        cell = cell * length[:, None]
    return Prism(cell, rotation, origin)


def _completed(cell: np.ndarray, pbc: np.ndarray) -> np.ndarray:
    """The cell with unit vectors normal to the periodic ones in place of the others, so that it is right-handed."""
    if not pbc.any():
        return np.eye(3)
    periodic = cell[pbc]
    lengths = np.linalg.norm(periodic, axis=1)
    singular = np.linalg.svd(periodic, compute_uv=False)
    if np.prod(singular) <= FLAT * np.prod(lengths):
        raise ValueError(
            f"the periodic cell vectors {periodic.tolist()} span no volume, expected {len(periodic)} independent ones; "
            "set the cell, or pbc=False along the axes without a vector"
        )
    if pbc.all():
        return cell
    completed = np.where(pbc[:, None], cell, 0.0)
    # columns of the full U beyond the rank are an orthonormal basis of what is normal to the periodic vectors
    normal = np.linalg.svd(periodic.T)[0][:, len(periodic) :].T
    completed[~pbc] = normal
    if np.linalg.det(completed) < 0:
        completed[np.flatnonzero(~pbc)[0]] *= -1
    return completed


def types_of(symbols: Sequence[str], species: Sequence[str]) -> np.ndarray:
    """LAMMPS's atom types, (n,): 1 for the first of the species.

    Raises:
        ValueError: a symbol that is not among the species, or a species named twice.
    """
    if len(set(species)) != len(species):
        raise ValueError(f"species are {', '.join(species)}, expected each once; name one atom type per species")
    if unknown := sorted(set(symbols) - set(species)):
        raise ValueError(f"the structure holds {', '.join(unknown)}, but the atom types are {', '.join(species)}; add them to `species`")
    number = {symbol: k + 1 for k, symbol in enumerate(species)}
    return np.array([number[symbol] for symbol in symbols], dtype=int)


def data_file(atoms: Atoms, species: Sequence[str]) -> str:
    """A structure as the text of a LAMMPS data file: `units metal`, `atom_style atomic`, ids 1, 2, … in the order of the atoms.

    Every number is written so that it is read back as it was. Positions are unwrapped: `read_data` wraps them and sets image flags.
    Velocities (Å/ps) follow where the atoms have momenta.

    Args:
        species: symbols in the order of the atom types; some may be absent from the structure.
    Raises:
        ValueError: an atom of another species, atoms of one species with different masses, or a cell without volume.
    """
    types, prism = types_of(atoms.get_chemical_symbols(), species), prism_of(atoms)
    high = prism.origin + np.diag(prism.cell)
    lines = [f"{atoms.get_chemical_formula()}", "", f"{len(atoms)} atoms", f"{len(species)} atom types", ""]
    lines += [f"{_text((low, top))} {axis}lo {axis}hi" for axis, low, top in zip("xyz", prism.origin, high, strict=True)]
    lines += [f"{_text(prism.cell[[1, 2, 2], [0, 0, 1]])} xy xz yz", "", "Masses", ""]
    lines += [f"{k + 1} {_text([mass])} # {symbol}" for k, (symbol, mass) in enumerate(zip(species, _masses(atoms, species), strict=True))]
    lines += ["", "Atoms # atomic", ""]
    positions = prism.to_lammps(atoms.positions)
    lines += [f"{k + 1} {kind} {_text(r)}" for k, (kind, r) in enumerate(zip(types, positions, strict=True))]
    if atoms.has("momenta"):
        velocities = prism.to_lammps(atoms.get_velocities()) * (1000 * units.fs)
        lines += ["", "Velocities", "", *(f"{k + 1} {_text(v)}" for k, v in enumerate(velocities))]
    return "\n".join([*lines, ""])


def boundary(pbc: Sequence[bool]) -> str:
    """The arguments of LAMMPS's command `boundary`: p, or m, walls that make room for atoms that leave and never come closer."""
    return " ".join("p" if periodic else "m" for periodic in pbc)


def _masses(atoms: Atoms, species: Sequence[str]) -> list[float]:
    """Of each species, amu: the atoms' own where there are any."""
    masses = []
    for symbol in species:
        own = np.unique(atoms.get_masses()[atoms.numbers == atomic_numbers[symbol]])
        if len(own) > 1:
            raise ValueError(f"atoms of {symbol} have masses {own.tolist()} amu, but LAMMPS has one per atom type; set them alike")
        masses.append(own[0] if len(own) else atomic_masses[atomic_numbers[symbol]])
    return masses


def _text(numbers: Sequence[float]) -> str:
    """The shortest digits that are read back as the same numbers."""
    return " ".join(repr(float(number)) for number in numbers)
