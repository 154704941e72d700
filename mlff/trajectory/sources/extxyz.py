"""XYZ, extended or plain: cell, step and time (fs) from the comment, as `convert` and ASE write them; momenta in ASE's units."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from ase.data import atomic_masses

from mlff.trajectory.sources.source import Options, Source, SourceFrame
from mlff.trajectory.sources.table import NUMBER, SKIP, WORD, unpacked
from mlff.trajectory.sources.text import Text, numbers_of
from mlff.units import AMU

READ = {"species": (WORD, 1), "pos": (NUMBER, 3), "momenta": (NUMBER, 3), "masses": (NUMBER, 1)}
PLAIN = "species:S:1:pos:R:3"
ENTRY = re.compile(r"""(\w+)\s*=\s*(?:"([^"]*)"|'([^']*)'|(\S+))""")


def read(path: Path, options: Options) -> Iterator[SourceFrame]:
    """A file without a cell takes that of `structure`, and is not periodic without one.

    The time is taken where no timestep is given, because the format has no unit of it and another program may have written ps.
    """
    words = numbers = None
    with Text(path) as text:
        while text.skip_blank():
            header = text.line()
            if not header.strip().isdigit():
                raise text.malformed(header, "the number of atoms")
            comment = {key: a or b or c for key, a, b, c in ENTRY.findall(text.needed("the comment"))}
            columns, kinds = _columns(text, comment.get("Properties", PLAIN))
            values, found = text.table(int(header), kinds)
            if words is None or not np.array_equal(words, found):
                words = found
                numbers = numbers_of([unpacked(word) for word in words[:, 0]], f"{path}, frame {text.frame}")
            cell, pbc = _cell(text, comment, options)
            masses = values[:, columns["masses"]][:, 0] if "masses" in columns else None
            velocities = None
            if "momenta" in columns:  # ASE's unit of time is √(amu Å²/eV), which is √AMU fs
                m = atomic_masses[numbers] if masses is None else masses
                velocities = values[:, columns["momenta"]] / m[:, None] / np.sqrt(AMU)
            step = comment.get("step", comment.get("Timestep"))  # of ASE's and of LAMMPS's writers
            time = comment.get("time") if options.timestep is None else None
            yield SourceFrame(
                values[:, columns["pos"]],
                cell,
                numbers,
                pbc,
                step=None if step is None else int(step),
                time=None if time is None else float(time),
                velocities=velocities,
                masses=masses,
            )
            text.frame += 1


def _columns(text: Text, properties: str) -> tuple[dict[str, slice], list[int]]:
    """Where the numbers of a name stand among those that are read, and what each column is read as."""
    parts = properties.split(":")
    columns, kinds, at = {}, [], 0
    for name, count in zip(parts[::3], parts[2::3], strict=True):
        kind, width = READ.get(name, (SKIP, 0))
        if kind != SKIP and int(count) != width:
            raise text.malformed(properties, f"{width} columns of {name}")
        if kind == NUMBER:
            columns[name] = slice(at, at + width)
            at += width
        kinds += [kind] * int(count)
    if "pos" not in columns or WORD not in kinds:
        raise text.malformed(properties, "Properties with species and pos")
    return columns, kinds


def _cell(text: Text, comment: dict[str, str], options: Options) -> tuple[np.ndarray, np.ndarray]:
    """(cell, pbc)"""
    if "Lattice" not in comment:
        given = options.structure
        return (np.zeros((3, 3)), np.zeros(3, bool)) if given is None else (given.cell.array, given.pbc)
    if options.structure is not None:
        raise ValueError(
            f"{text.path}, frame {text.frame}: found a Lattice and a structure, expected one home of the cell; leave structure out"
        )
    try:
        cell = np.array(comment["Lattice"].split(), float).reshape(3, 3)
    except ValueError:
        raise text.malformed(comment["Lattice"], "the nine numbers of a Lattice") from None
    pbc = comment.get("pbc")
    return cell, np.ones(3, bool) if pbc is None else np.array([word in ("T", "True", "1") for word in pbc.split()])


SOURCE = Source(read, uses=frozenset({"structure"}))
