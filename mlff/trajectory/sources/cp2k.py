"""CP2K's project-pos-1.xyz with the project-1.cell beside it and, if there is one, the project-vel-1.xyz."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mlff.trajectory.sources.source import Options, Source, SourceFrame, TruncatedFile
from mlff.trajectory.sources.table import NUMBER, WORD, unpacked
from mlff.trajectory.sources.text import Text, numbers_of
from mlff.units import ATOMIC_TIME, BOHR

NAME = re.compile(r"(.*)-pos-(\d+)\.xyz(\.gz)?")
PERIODIC = np.ones(3, bool)


def read(path: Path, options: Options) -> Iterator[SourceFrame]:
    """Positions in Å, velocities in Bohr per atomic unit of time: CP2K's defaults. CP2K does not wrap positions.

    Raises:
        ValueError: no cell, or cells or velocities of other steps.
    """
    cells_of, velocities_of = companions_of(path)
    if cells_of is None and options.structure is None:
        raise ValueError(
            f"{path}: found no .cell file beside it, expected that of the run; put it there, or give a structure=… with the constant cell"
        )
    if cells_of is not None and options.structure is not None:
        raise ValueError(f"{path}: found {cells_of.name} beside it and a structure, expected one home of the cell; leave structure out")
    cells = None if cells_of is None else _cells(cells_of)
    velocities = _xyz(velocities_of) if velocities_of is not None else iter(())
    moving, numbers, words, cell = next(velocities, None), None, None, None
    for index, frame in enumerate(_xyz(path)):
        where = f"{path}, frame {index}"
        if words is None or not np.array_equal(words, frame.words):
            words, numbers = frame.words, numbers_of([unpacked(word) for word in frame.words[:, 0]], where)
        if cells is None:
            cell = options.structure.cell.array
        else:
            cell = next((cell for step, cell in cells if step == frame.step), None)
            if cell is None:
                raise ValueError(
                    f"{where}: found no row of its step {frame.step} in {cells_of.name}, expected the cell of each frame in the same "
                    "order; print the cell as often as the positions"
                )
        v = None
        if moving is not None and moving.step == frame.step:
            v, moving = moving.values * BOHR / ATOMIC_TIME, next(velocities, None)
        elif moving is not None and moving.step < frame.step:
            raise ValueError(
                f"{where}: is step {frame.step}, but velocities of step {moving.step} come first; print both equally often, or move "
                f"{velocities_of.name} elsewhere"
            )
        yield SourceFrame(frame.values, cell, numbers, PERIODIC, unwrapped=True, step=frame.step, time=frame.time, velocities=v)


def companions_of(path: Path) -> tuple[Path | None, Path | None]:
    """(cells, velocities) beside the positions, plain or .gz."""
    name = NAME.fullmatch(path.name)
    if name is None:
        raise ValueError(f"{path}: found another name than project-pos-1.xyz, expected CP2K's, which tells where the cell is; rename it")
    project, number = name[1], name[2]

    def there(name: str) -> Path | None:
        return next((place for ending in ("", ".gz") if (place := path.with_name(name + ending)).is_file()), None)

    return there(f"{project}-{number}.cell"), there(f"{project}-vel-{number}.xyz")


@dataclass(frozen=True)
class _Block:
    """A frame of CP2K's xyz: step, time (fs), words (n_atoms, 1) and values (n_atoms, 3)."""

    step: int
    time: float
    words: np.ndarray
    values: np.ndarray


def _xyz(path: Path) -> Iterator[_Block]:
    with Text(path) as text:
        while text.skip_blank():
            header = text.line()
            if not header.strip().isdigit():
                raise text.malformed(header, "the number of atoms")
            comment = text.needed("the comment")
            step, time = re.search(r"\bi\s*=\s*(\d+)", comment), re.search(r"\btime\s*=\s*([-+.\dEe]+)", comment)
            if step is None or time is None:
                raise text.malformed(comment, "CP2K's comment with i = and time =, in fs")
            values, words = text.table(int(header), [WORD, NUMBER, NUMBER, NUMBER])
            yield _Block(int(step[1]), float(time[1]), words, values)
            text.frame += 1


def _cells(path: Path) -> Iterator[tuple[int, np.ndarray]]:
    """Step and cell (Å) of each row: step, time, nine components, volume."""
    with Text(path) as text:
        while (line := text.line()) is not None:
            if line.startswith("#"):
                if "[Angstrom]" not in line:
                    raise ValueError(f"{path}: found the columns {line.strip()!r}, expected [Angstrom]; print the cell in Å")
                continue
            if not line.strip():
                continue
            words = line.split()
            if len(words) < 11:
                raise TruncatedFile(path, text.frame, "a row of fewer than eleven columns")
            yield int(words[0]), np.array(words[2:11], float).reshape(3, 3)
            text.frame += 1


SOURCE = Source(
    read, uses=frozenset({"structure"}), companions=lambda path: [companion for companion in companions_of(path) if companion is not None]
)
