"""VASP's XDATCAR: direct coordinates; the header comes once, or before each frame where the cell changes."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mlff.trajectory.sources.source import Options, Source, SourceFrame
from mlff.trajectory.sources.table import NUMBER
from mlff.trajectory.sources.text import Text, numbers_of

PERIODIC = np.ones(3, bool)


def read(path: Path, options: Options) -> Iterator[SourceFrame]:
    """Steps are the numbers of the configurations; the file has no time."""
    numbers = cell = step = None
    with Text(path) as text:
        while (line := text.line()) is not None:
            if numbers is None or not line.lower().lstrip().startswith("direct configuration"):
                if not line.strip() and not text.skip_blank():
                    return  # blank lines at the end; a title may be blank too
                cell, found = _header(text)
                numbers = found if numbers is None or not np.array_equal(found, numbers) else numbers
                line = text.needed("'Direct configuration='")
            step = _step(line, step)
            direct = text.table(len(numbers), [NUMBER] * 3)[0]
            yield SourceFrame(direct @ cell, cell, numbers, PERIODIC, step=step)
            text.frame += 1


def _header(text: Text) -> tuple[np.ndarray, np.ndarray]:
    """(cell, numbers) from the lines after the title; a negative scale is the volume."""
    (scale,) = text.floats(1, "the scale of the cell")
    cell = np.stack([text.floats(3, "a cell vector") for _ in range(3)])
    cell *= scale if scale > 0 else (-scale / abs(np.linalg.det(cell))) ** (1 / 3)
    symbols = text.needed("the species").split()
    if not symbols or symbols[0].isdigit():
        raise text.malformed(" ".join(symbols), "symbols of elements, as VASP 5 and later write them")
    line = text.needed("the number of atoms of each species")
    counts = [int(word) for word in line.split() if word.isdigit()]
    if len(counts) != len(symbols):
        raise text.malformed(line, f"{len(symbols)} numbers of atoms")
    return cell, np.repeat(numbers_of(symbols, f"{text.path}, frame {text.frame}"), counts)


def _step(line: str, last: int | None) -> int:
    """The number after the equals sign; where it has outgrown its six digits, one more than the last."""
    number = line.partition("=")[2].strip()
    if number.isdigit():
        return int(number)
    return 1 if last is None else last + 1


SOURCE = Source(read)
