"""deepmd-kit's npy layout: a system folder with type.raw, type_map.raw and set.*/{coord,box,energy,force,virial}.npy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mlff.data.frame import Frame


def is_system(path: Path) -> bool:
    """Whether `path` is one deepmd system."""
    return (path / "type.raw").is_file()


def systems(path: Path) -> list[Path]:
    """`path` itself if it is a system, else all systems below it, sorted."""
    return [path] if is_system(path) else sorted(p.parent for p in path.rglob("type.raw"))


def read_deepmd(path: Path, *, energy_kind: str | None = None) -> Iterator[Frame]:
    """Frames of every system at or below `path`; `index` counts through the sets of a system in order.

    deepmd's virial (eV) becomes stress = −virial / V. A missing force.npy, energy.npy or virial.npy leaves those labels None.
    `real_atom_types.npy` (deepmd's mixed-type layout) gives the types of each frame; −1 pads and is dropped.

    Raises:
        ValueError: no system found, no type map, or arrays whose lengths disagree; the message names the file.
    """
    found = systems(path)
    if not found:
        raise ValueError(f"{path}: no type.raw found in it or below; expected a deepmd system folder (type.raw, type_map.raw, set.000)")
    for system in found:
        yield from _read_system(system, energy_kind or "unknown")


def _read_system(system: Path, energy_kind: str) -> Iterator[Frame]:
    types = np.loadtxt(system / "type.raw", dtype=int, ndmin=1)
    map_file = system / "type_map.raw"
    if not map_file.is_file():
        raise ValueError(
            f"{map_file}: missing, expected one chemical symbol per atom type; write it, e.g. `echo Li Ge P S > {map_file.name}`"
        )
    from ase.data import atomic_numbers

    symbols = map_file.read_text().split()
    unknown = sorted(set(symbols) - set(atomic_numbers))
    if unknown:
        raise ValueError(f"{map_file}: {unknown} are no chemical symbols; name the elements")
    if types.max() >= len(symbols):
        raise ValueError(f"{map_file}: {len(symbols)} symbols, but type.raw uses type {types.max()}; add the missing symbols")
    number_of_type = np.array([atomic_numbers[s] for s in symbols])
    pbc = not (system / "nopbc").exists()

    index = 0
    for folder in sorted(system.glob("set.*")):
        coord = _load(folder / "coord.npy")
        n_frames = len(coord)
        arrays = {name: _load(folder / f"{name}.npy", n_frames) for name in ("box", "energy", "force", "virial", "real_atom_types")}
        for k in range(n_frames):
            kinds = types if arrays["real_atom_types"] is None else arrays["real_atom_types"][k]
            real = kinds >= 0
            if coord[k].size != 3 * len(kinds):
                raise ValueError(
                    f"{folder / 'coord.npy'}, frame {k}: {coord[k].size} numbers, expected 3 × {len(kinds)} atoms of type.raw; "
                    "the set belongs to another system"
                )
            cell = np.zeros((3, 3)) if arrays["box"] is None or not pbc else np.asarray(arrays["box"][k], dtype=float).reshape(3, 3)
            virial = None if arrays["virial"] is None else np.asarray(arrays["virial"][k], dtype=float).reshape(3, 3)
            volume = abs(np.linalg.det(cell))
            yield Frame(
                numbers=number_of_type[kinds[real]],
                positions=coord[k].reshape(-1, 3)[real],
                cell=cell,
                pbc=np.full(3, pbc),
                energy=None if arrays["energy"] is None else float(np.ravel(arrays["energy"][k])[0]),
                forces=None if arrays["force"] is None else arrays["force"][k].reshape(-1, 3)[real],
                stress=None if virial is None or volume == 0 else -0.5 * (virial + virial.T) / volume,
                energy_kind=energy_kind,
                source=str(system),
                index=index,
                info={"trajectory": system.name},
            )
            index += 1


def _load(file: Path, n_frames: int | None = None) -> np.ndarray | None:
    """A set's array, memory-mapped; None where there is none (coord.npy must be there)."""
    if not file.is_file():
        if n_frames is None:
            raise ValueError(f"{file}: missing, expected the coordinates of the set; copy the set again")
        return None
    try:
        array = np.load(file, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise ValueError(f"{file}: cannot be read as a .npy array ({error}); copy the set again") from error
    if n_frames is not None and len(array) != n_frames:
        raise ValueError(f"{file}: {len(array)} frames, but coord.npy of the same set has {n_frames}; copy the set again")
    return array
