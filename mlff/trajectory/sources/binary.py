"""What the binary formats XTC and DCD leave to a structure: the species; and whether both are in the same unit of length."""

from pathlib import Path

import numpy as np

from mlff.trajectory.sources.source import Options


def checked_numbers(path: Path, options: Options, n_atoms: int, cell: np.ndarray) -> np.ndarray:
    """The species of `structure`, (n_atoms,).

    Args:
        cell: of the first frame, Å; its orientation may be another than that of the structure.
    Raises:
        ValueError: no structure, one of another number of atoms, or one whose cell is ten times as large or small.
    """
    structure = options.structure
    if structure is None:
        raise ValueError(f"{path}: found no species in this format, expected those of a structure; give structure=… of the same atoms")
    if len(structure) != n_atoms:
        raise ValueError(f"{path}: found {n_atoms} atoms, but the structure has {len(structure)}; give that of the same atoms")
    volumes = abs(np.linalg.det(cell)), structure.cell.volume
    if min(volumes) > 0:
        scale = (volumes[0] / volumes[1]) ** (1 / 3)
        if not 0.4 < scale < 2.5:  # no pressure of a solid, but nm or Bohr in place of Å
            raise ValueError(
                f"{path}: found a cell {scale:.3g} times as long as that of the structure, expected about the same; one of them is in "
                "another unit (XTC is in nm, DCD in Å): write it again in its format's unit"
            )
    return structure.numbers
