"""Values on a grid of the cell as Gaussian cube and as VASP CHGCAR, which VESTA, OVITO, VMD and ASE read."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ase.data import atomic_numbers

from mlff.units import BOHR
from mlff.whole_file import written_whole


def write_cube(
    path: Path, density: np.ndarray, cell: np.ndarray, symbols: Sequence[str] = (), positions: np.ndarray | None = None, title: str = ""
) -> None:
    """A Gaussian cube file, in atomic units throughout: lengths in bohr, the density in 1/bohr³, so that it still integrates to the ions.

    An isosurface of 0.001 / Å³ is thus drawn at 0.001 × 0.529³ = 1.48e-4.

    Args:
        density: (n_a, n_b, n_c), 1/Å³, at fractions (i / n_a, j / n_b, k / n_c): the grid points, not the corners of bins.
        cell: (3, 3) rows, Å; any shape.
        symbols, positions: (n,) and (n, 3), Å, of the atoms to show beside it.
        title: one line.
    """
    positions = _checked(density, cell, symbols, positions, title)
    lines = [title or "density", "lengths in bohr, density in 1/bohr^3; the innermost loop runs along c"]
    lines.append(f"{len(symbols):5d}{0:12.6f}{0:12.6f}{0:12.6f}")
    for n, vector in zip(density.shape, np.asarray(cell, float) / BOHR, strict=True):
        lines.append(f"{n:5d}" + "".join(f"{x:19.12f}" for x in vector / n))  # no fewer digits: they are multiplied by n
    for symbol, place in zip(symbols, positions / BOHR, strict=True):
        number = atomic_numbers[symbol]
        lines.append(f"{number:5d}{number:12.6f}" + "".join(f"{x:19.12f}" for x in place))
    with written_whole(Path(path)) as file, file.open("w") as out:
        out.write("\n".join(lines) + "\n")
        for row in (np.asarray(density, float) * BOHR**3).reshape(-1, density.shape[2]):
            out.write(_in_lines(row, 6, "14.6E"))


def write_chgcar(
    path: Path, density: np.ndarray, cell: np.ndarray, symbols: Sequence[str] = (), positions: np.ndarray | None = None, title: str = ""
) -> None:
    """A VASP CHGCAR: cell and atoms as in a POSCAR, then density × volume of the cell, without unit, along a first.

    Programs divide by the volume again and show 1/Å³. Arguments as for `write_cube`; the format asks for at least one atom.
    """
    positions = _checked(density, cell, symbols, positions, title)
    if not len(symbols):
        raise ValueError("found no atom, but a CHGCAR cannot be without; give those of the framework, or write a cube file")
    cell = np.asarray(cell, float)
    kinds = list(dict.fromkeys(symbols))
    order = [i for kind in kinds for i, symbol in enumerate(symbols) if symbol == kind]
    lines = [title or "density", "1.0", *("".join(f"{x:22.16f}" for x in vector) for vector in cell)]
    lines.append(" ".join(f"{kind:>4s}" for kind in kinds))
    lines.append(" ".join(f"{list(symbols).count(kind):4d}" for kind in kinds))
    lines.append("Direct")
    lines += ["".join(f"{x:20.16f}" for x in place) for place in (positions @ np.linalg.inv(cell))[order]]
    lines += ["", "".join(f"{n:5d}" for n in density.shape)]
    values = (np.asarray(density, float) * abs(np.linalg.det(cell))).ravel(order="F")
    with written_whole(Path(path)) as file, file.open("w") as out:
        out.write("\n".join(lines) + "\n")
        out.write(_in_lines(values, 5, "18.11E"))


def _checked(density: np.ndarray, cell: np.ndarray, symbols: Sequence[str], positions: np.ndarray | None, title: str) -> np.ndarray:
    positions = np.zeros((0, 3)) if positions is None else np.asarray(positions, float)
    if np.ndim(density) != 3 or np.shape(cell) != (3, 3) or positions.shape != (len(symbols), 3):
        raise ValueError(
            f"found a density of shape {np.shape(density)}, a cell of {np.shape(cell)}, {len(symbols)} symbols and positions of "
            f"{positions.shape}; expected (n_a, n_b, n_c), (3, 3), n and (n, 3)"
        )
    if not np.isfinite(density).all():
        raise ValueError(
            "found values that are not finite, expected numbers; a free energy is infinite where no ion was, write the density"
        )
    if "\n" in title:
        raise ValueError(f"the title {title!r} has more than one line, expected one; shorten it")
    return positions


def _in_lines(values: np.ndarray, per_line: int, form: str) -> str:
    words = [format(x, form) for x in values.tolist()]
    return "\n".join("".join(words[k : k + per_line]) for k in range(0, len(words), per_line)) + "\n"
