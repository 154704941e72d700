"""Which files of a folder and its sub-folders are read, each calculation once, and which are not."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from mlff.data.sniff import is_companion, is_cp2k_trajectory, sniff

log = logging.getLogger(__name__)

N_NAMED = 6  # files that are not read, by name; VASP leaves a dozen kinds in each folder


def find_sources(folder: Path) -> list[tuple[Path, str]]:
    """(file, deepmd system or store; its format) of all in `folder` and below, in sorted order of their paths.

    Hidden files and folders are skipped. A calculation that left several known files is read from one: vasprun.xml before the OUTCAR
    beside it, a CP2K trajectory before the output beside it. What is not read is logged in one line.
    """
    found: list[tuple[Path, str]] = []
    unknown: list[Path] = []
    repeated: list[Path] = []
    _walk(folder, found, unknown, repeated, {folder.resolve()})
    if repeated:
        log.info("%s: not read, because another file of the same run is: %s", folder, _named(repeated))
    if unknown:
        log.info("%s: not read: %s", folder, _named(unknown))
    return found


def _walk(folder: Path, found: list, unknown: list, repeated: list, seen: set[Path]) -> None:
    children = [child for child in sorted(folder.iterdir()) if not child.name.startswith(".")]
    formats = {child: sniff(child, strict=False) for child in children if child.is_dir() or child.is_file()}  # no pipes
    once = _one_per_calculation(formats)
    for child, format in formats.items():
        if format == "folder":
            if (place := child.resolve()) not in seen:  # a link may lead back up
                seen.add(place)
                _walk(child, found, unknown, repeated, seen)
        elif format is None:
            if not is_companion(child):
                unknown.append(child)
        elif child in once:
            found.append((child, format))
        else:
            repeated.append(child)


def _one_per_calculation(formats: dict[Path, str | None]) -> set[Path]:
    """The files to read of one folder."""
    kept: dict[tuple[str, str], Path] = {}
    trajectory = any(format == "cp2k" and is_cp2k_trajectory(path) for path, format in formats.items())
    # reversed by name of format: vasprun before outcar
    for path, format in sorted(formats.items(), key=lambda item: str(item[1]), reverse=True):
        if format in ("vasprun", "outcar"):
            kept.setdefault(("vasp", _run_name(path)), path)
        elif format != "cp2k" or is_cp2k_trajectory(path) or not trajectory:
            kept[str(format), path.name] = path
    return set(kept.values())


def _run_name(path: Path) -> str:
    """What is left of the name beside "OUTCAR" or "vasprun.xml": "OUTCAR.1", "vasprun.1.xml" and "vasprun.1.xml.gz" are one run."""
    name = path.name.lower().removesuffix(".xz").removesuffix(".gz").removesuffix(".xml")
    return re.sub("outcar|vasprun", "", name, count=1)


def _named(paths: Iterable[Path]) -> str:
    """ "notes.txt, POSCAR (12 files) and 3 more"; by name, because every run of a set leaves the same ones."""
    counts = Counter(path.name for path in paths)
    names = [name if n == 1 else f"{name} ({n} files)" for name, n in counts.items()]
    left = sum(list(counts.values())[N_NAMED:])
    return ", ".join(names[:N_NAMED]) + (f" and {left} more" if left else "")
