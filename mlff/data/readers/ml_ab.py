"""VASP's ML_AB / ML_ABN: the structures and labels an on-the-fly run has collected.

The file names no functional. Two are found by what is left: the system names (INCAR's SYSTEM), or energies of one composition that
fall apart into two groups further apart than any thermal spread.
"""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mlff.data.frame import Frame
from mlff.data.labels import full_stress
from mlff.data.readers.extxyz import open_text
from mlff.data.settings import describe_settings
from mlff.units import KBAR

log = logging.getLogger(__name__)

FUNCTIONALS = (
    "PBE0",
    "PBEsol",
    "PBE",
    "LDA",
    "r2SCAN",
    "rSCAN",
    "SCAN",
    "HSE06",
    "HSE",
    "revPBE",
    "RPBE",
    "optB86b",
    "optB88",
    "PW91",
    "AM05",
)
GAP = 0.1  # eV/atom; functionals differ by more, frames of one run lie closer together than this
SPREAD_RATIO = 5.0  # a gap this many times the spread on either side is not thermal
MIN_GROUP = 3  # an unrelaxed first frame or two is no second functional


def read_ml_ab(path: Path, *, energy_kind: str | None = None, allow_mixed_settings: bool = False) -> Iterator[Frame]:
    """All configurations of an ML_AB file. Units in it: Å, eV, eV/Å, kbar; its stress is compression-positive, as "in kB" of the OUTCAR.

    The file does not say which energy it holds: energy_kind names it, else it is "unknown".

    Raises:
        ValueError: a configuration that is cut off, or a file holding two functionals (unless allow_mixed_settings).
    """
    with open_text(path) as file:
        text = file.read()
    head, *blocks = re.split(r"^\s*Configuration num\.\s*", text, flags=re.M)
    if "Version" not in head[:200] or not blocks:
        raise ValueError(f"{path}: found no 'Configuration num.' after a version line, expected VASP's ML_AB; choose another format")
    declared = re.search(r"The number of configurations\s*-+\s*(\d+)", head)
    if declared and int(declared.group(1)) != len(blocks):
        raise ValueError(
            f"{path}: {len(blocks)} configurations found, {declared.group(1)} expected from the header; "
            "the file is cut off, or several were joined: write it again, or correct the number in the header"
        )
    frames = [_configuration(block, path, index, energy_kind or "unknown") for index, block in enumerate(blocks)]
    if not allow_mixed_settings:
        refuse_two_functionals(frames, str(path))
    yield from frames


def _configuration(block: str, path: Path, index: int, energy_kind: str) -> Frame:
    where = f"{path}, frame {index} (configuration {block.split(maxsplit=1)[0]})"
    sections: dict[str, list[str]] = {}
    title = None
    # "====" closes a section, "----" stands between its title and its body, "****" ends the configuration
    for part in re.split(r"^\s*[=*]{10,}\s*$", block, flags=re.M)[1:]:
        lines = [line.strip() for line in part.splitlines() if line.strip() and not re.fullmatch(r"\s*-{10,}\s*", line)]
        if lines:
            title = lines[0]
            sections[title] = lines[1:]

    def section(name: str) -> list[str]:
        if name not in sections:
            raise ValueError(f"{where}: section {name!r} is missing (the last is {title!r}); the file is cut off: remove the configuration")
        return sections[name]

    def table(name: str, n_rows: int, lines: list[str] | None = None) -> np.ndarray:
        rows = [line.split() for line in (section(name) if lines is None else lines)[:n_rows]]
        try:
            array = np.array(rows, dtype=float)
        except ValueError as error:
            raise ValueError(f"{where}: {name!r} is no table of numbers ({error}); the file is cut off: remove the configuration") from None
        if array.shape != (n_rows, 3):
            raise ValueError(
                f"{where}: {name!r} has {len(rows)} rows, expected {n_rows} of 3 numbers; the file is cut off: remove the configuration"
            )
        return array

    from ase.data import atomic_numbers

    numbers: list[int] = []
    for line in section("Atom types and atom numbers"):
        symbol, count = line.split()
        if symbol not in atomic_numbers:
            raise ValueError(f"{where}: {symbol!r} is no chemical symbol; correct 'Atom types and atom numbers'")
        numbers += [atomic_numbers[symbol]] * int(count)
    n_atoms = int(section("The number of atoms")[0])
    if len(numbers) != n_atoms:
        raise ValueError(
            f"{where}: the atom types add up to {len(numbers)} atoms, expected {n_atoms}; correct 'Atom types and atom numbers'"
        )
    stress_lines = section("Stress (kbar)")
    diagonal = table("Stress (kbar)", 1, stress_lines[1:2])[0]
    off_diagonal = table("Stress (kbar)", 1, stress_lines[3:4])[0]  # XY YZ ZX
    voigt = [*diagonal, off_diagonal[1], off_diagonal[2], off_diagonal[0]]
    name = " ".join(section("System name"))
    functional = named_functional(name)
    return Frame(
        numbers=np.array(numbers),
        positions=table("Atomic positions (ang.)", n_atoms),
        cell=table("Primitive lattice vectors (ang.)", 3),
        pbc=np.ones(3, bool),
        energy=float(section("Total energy (eV)")[0]),
        forces=table("Forces (eV ang.^-1)", n_atoms),
        stress=-KBAR * full_stress(voigt, where),
        energy_kind=energy_kind,
        source=str(path),
        index=index,
        info={
            "trajectory": f"{path.name}:{name}",
            "structure": name,
            **({"settings": describe_settings({"functional": functional})} if functional else {}),
        },
    )


def named_functional(name: str) -> str | None:
    """The density functional that a system name mentions as a word of its own, else None."""
    words = {word.lower() for word in re.split(r"[^A-Za-z0-9]+", name)}
    return next((f for f in FUNCTIONALS if f.lower() in words), None)


def refuse_two_functionals(frames: list[Frame], source: str) -> None:
    """Raise where the system names, or the energies of one composition, show two functionals."""
    named: dict[str, Frame] = {}
    for frame in frames:
        functional = named_functional(str(frame.info.get("structure", "")))
        if functional:
            named.setdefault(functional, frame)
    if len(named) > 1:
        (first, one), (second, other) = list(named.items())[:2]
        raise ValueError(
            f"{source}: frame {one.index} was computed with {first} and frame {other.index} with {second} (their system names say so); "
            "energies of two functionals do not belong in one set: split the file, or say allow_mixed_settings=True"
        )
    by_composition: dict[bytes, list[Frame]] = defaultdict(list)
    for frame in frames:
        by_composition[np.sort(frame.numbers).tobytes()].append(frame)
    for group in by_composition.values():
        group.sort(key=lambda frame: frame.energy)
        energies = np.array([frame.energy / len(frame) for frame in group])
        if len(group) < 2 * MIN_GROUP:
            continue
        gaps = np.diff(energies)
        k = int(np.argmax(gaps)) + 1
        low, high = energies[:k], energies[k:]
        if min(k, len(group) - k) >= MIN_GROUP and gaps[k - 1] > max(GAP, SPREAD_RATIO * max(np.std(low), np.std(high))):
            lower, upper = min(f.index for f in group[:k]), min(f.index for f in group[k:])
            raise ValueError(
                f"{source}: {len(low)} frames (first: {lower}) lie {high.mean() - low.mean():.3f} eV/atom below {len(high)} frames "
                f"of the same composition (first: {upper}), expected a spread without a gap of {gaps[k - 1]:.3f} eV/atom; "
                "two functionals or two settings were mixed: split the file, or say allow_mixed_settings=True if it is physics"
            )
