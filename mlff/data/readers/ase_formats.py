"""ASE's database (.db) and trajectory (.traj), read by ASE."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mlff.data.frame import Frame
from mlff.data.labels import plain_info


def read_ase_db(path: Path, *, energy_kind: str | None = None) -> Iterator[Frame]:
    """Rows of an ASE database in order of their id; key-value pairs go to `info`."""
    from ase.db import connect

    with connect(path) as database:
        for index, row in enumerate(database.select(sort="id")):
            atoms = row.toatoms()
            info = {"trajectory": path.name, **plain_info(row.key_value_pairs)}
            atoms.info.update({key: value for key, value in row.data.items() if key not in atoms.info})
            yield Frame.from_atoms(atoms, source=str(path), index=index, energy_kind=energy_kind, info=info)


def read_ase_traj(path: Path, *, energy_kind: str | None = None) -> Iterator[Frame]:
    """Images of an ASE trajectory.

    Raises:
        ValueError: the file is damaged; the message says how many images could be read.
    """
    from ase.io.trajectory import Trajectory

    index = 0
    try:
        with Trajectory(path) as trajectory:
            for index, atoms in enumerate(trajectory):
                yield Frame.from_atoms(atoms, source=str(path), index=index, energy_kind=energy_kind, info={"trajectory": path.name})
    except (EOFError, OSError, KeyError, IndexError) as error:
        raise ValueError(f"{path}, frame {index}: cannot be read as an ASE trajectory ({error}); write it again") from error
