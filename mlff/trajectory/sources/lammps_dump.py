"""LAMMPS's text dump: any box, atoms in any order, positions in any of its four forms; velocities in the run's units."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from mlff.trajectory.sources.source import Options, Source, SourceFrame
from mlff.trajectory.sources.table import NUMBER, SKIP, WORD, unpacked
from mlff.trajectory.sources.text import Text, numbers_of
from mlff.units import PS

TIME = {"metal": PS, "real": 1.0}  # fs; both have lengths in Å
POSITIONS = (  # best first: name of the columns, whether in units of the cell vectors, whether unwrapped
    (("xu", "yu", "zu"), False, True),
    (("xsu", "ysu", "zsu"), True, True),
    (("x", "y", "z"), False, False),
    (("xs", "ys", "zs"), True, False),
)
IMAGES, VELOCITIES = ("ix", "iy", "iz"), ("vx", "vy", "vz")


def read(path: Path, options: Options) -> Iterator[SourceFrame]:
    """Atoms in the order of their ids. Units are metal where the file does not say (`dump_modify units yes`).

    Raises:
        ValueError: columns or species are missing, or units have no Å.
    """
    unit, time, layout = "metal", None, None
    with Text(path) as text:
        while text.skip_blank():
            step = n_atoms = box = None
            while not (line := text.needed("ITEM: ATOMS")).startswith("ITEM: ATOMS"):
                if line.startswith("ITEM: UNITS"):
                    unit = text.needed("the units").strip()
                elif line.startswith("ITEM: TIMESTEP"):
                    step = _whole(text, "the step")
                elif line.startswith("ITEM: TIME"):
                    time = text.floats(1, "the time")[0]
                elif line.startswith("ITEM: NUMBER OF ATOMS"):
                    n_atoms = _whole(text, "the number of atoms")
                elif line.startswith("ITEM: BOX BOUNDS"):
                    box = _box(text, line.split()[3:])
                else:
                    raise text.malformed(line, "an ITEM of a LAMMPS text dump")
            if step is None or n_atoms is None or box is None:
                raise text.malformed(line, "ITEMs of TIMESTEP, NUMBER OF ATOMS and BOX BOUNDS before it")
            if unit not in TIME:
                raise ValueError(
                    f"{path}: found units {unit}, expected {' or '.join(TIME)}; run LAMMPS in one of these, or convert the dump"
                )
            if layout is None or layout.line != line:
                layout = _Layout(text, line, options.species)
            yield layout.frame(text, n_atoms, box, TIME[unit], step, time)
            text.frame += 1


class _Layout:
    """What the columns of a dump are, and the order of the atoms, which is the same in most frames."""

    def __init__(self, text: Text, line: str, species: Sequence[str] | None):
        self.line, self.species = line, species
        self.names = line.split()[2:]
        found = [form for form in POSITIONS if set(form[0]) <= set(self.names)]
        if "id" not in self.names or not found:
            raise ValueError(
                f"{text.path}, frame {text.frame}: found the columns {self.names}, expected id and one of xu yu zu, xsu ysu zsu, x y z and "
                "xs ys zs; atoms come in any order: dump them with their id"
            )
        if ("element" if species is None else "type") not in self.names:
            expected = "element, or species=[…] with the symbol of each type" if species is None else "type, which species are given for"
            raise ValueError(f"{text.path}, frame {text.frame}: found the columns {self.names}, expected {expected}; dump it too")
        flagged = set(IMAGES) <= set(self.names)
        with_images = [form for form in found if form[2]] or (found if flagged else [])
        columns, self.scaled, self.unwrapped = (with_images or found)[0]
        self.images = flagged and not self.unwrapped
        self.unwrapped |= self.images
        self.velocities = set(VELOCITIES) <= set(self.names)
        self.element = "element" if species is None else "type"
        wanted = {"id", *columns, *(IMAGES if self.images else ()), *(VELOCITIES if self.velocities else ())}
        self.kinds = [NUMBER if name in wanted else WORD if name == self.element else SKIP for name in self.names]
        numbers = [name for name, kind in zip(self.names, self.kinds, strict=True) if kind == NUMBER]
        self.at = {what: [numbers.index(name) for name in names] for what, names in self._groups(columns).items()}
        self.id = numbers.index("id")
        self.ids = self.words = self.order = self.numbers = None

    def frame(
        self, text: Text, n_atoms: int, box: tuple[np.ndarray, np.ndarray, np.ndarray], unit: float, step: int, time: float | None
    ) -> SourceFrame:
        values, words = text.table(n_atoms, self.kinds)
        if self.ids is None or not np.array_equal(self.ids, values[:, self.id]) or not np.array_equal(self.words, words):
            self._take_order(text, values[:, self.id], words)
        origin, cell, pbc = box
        values = values[self.order]
        positions = values[:, self.at["positions"]]
        positions = positions @ cell if self.scaled else positions - origin
        if self.images:
            positions += values[:, self.at["images"]] @ cell
        return SourceFrame(
            positions,
            cell,
            self.numbers,
            pbc,
            unwrapped=self.unwrapped,
            step=step,
            time=None if time is None else time * unit,
            velocities=values[:, self.at["velocities"]] / unit if self.velocities else None,
        )

    def _groups(self, columns: Sequence[str]) -> dict[str, Sequence[str]]:
        return {
            "positions": columns,
            "images": IMAGES if self.images else (),
            "velocities": VELOCITIES if self.velocities else (),
        }

    def _take_order(self, text: Text, ids: np.ndarray, words: np.ndarray) -> None:
        order = np.argsort(ids, kind="stable")
        where = f"{text.path}, frame {text.frame}"
        if self.order is not None and not np.array_equal(ids[order], self.ids[self.order]) and len(ids) == len(self.ids):
            raise ValueError(
                f"{where}: found atoms of other ids than in the frame before, expected the same; dump one fixed group of atoms"
            )
        symbols = [unpacked(word) for word in words[order, 0]]
        if self.species is not None:
            unknown = {symbol for symbol in symbols if not symbol.isdigit() or not 0 < int(symbol) <= len(self.species)}
            if unknown:
                raise ValueError(
                    f"{where}: found the types {sorted(unknown)}, but species are {list(self.species)}; give one for each type"
                )
            symbols = [self.species[int(symbol) - 1] for symbol in symbols]
        numbers = numbers_of(symbols, where)
        if self.numbers is None or not np.array_equal(self.numbers, numbers):
            self.numbers = numbers
        self.ids, self.words, self.order = ids.copy(), words, order


def _whole(text: Text, what: str) -> int:
    line = text.needed(what)
    try:
        return int(line)
    except ValueError:
        raise text.malformed(line, f"{what}, a whole number") from None


def _box(text: Text, words: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(origin, cell, pbc). Bounds of a tilted box are those of its corners (LAMMPS manual, Howto_triclinic)."""
    pbc = np.array([word == "pp" for word in words[-3:]])
    if words[:2] == ["abc", "origin"]:
        rows = np.stack([text.floats(4, "a cell vector and the origin") for _ in range(3)])
        return rows[:, 3], rows[:, :3], pbc
    tilted = words[:3] == ["xy", "xz", "yz"]
    rows = np.stack([text.floats(3 if tilted else 2, "the bounds of the box") for _ in range(3)])
    (low, high), (xy, xz, yz) = rows[:, :2].T, rows[:, 2] if tilted else np.zeros(3)
    origin = low - [min(0, xy, xz, xy + xz), min(0, yz), 0]
    lengths = high - [max(0, xy, xz, xy + xz), max(0, yz), 0] - origin
    return origin, np.array([[lengths[0], 0, 0], [xy, lengths[1], 0], [xz, yz, lengths[2]]]), pbc


SOURCE = Source(read, uses=frozenset({"species"}))
