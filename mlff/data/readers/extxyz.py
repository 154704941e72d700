"""Extended XYZ (also .xz and .gz), one frame at a time: ASE parses a frame, this file finds where it begins and ends."""

from __future__ import annotations

import gzip
import io
import logging
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from mlff.data.frame import Frame
from mlff.data.labels import labels_from_atoms

log = logging.getLogger(__name__)


def read_extxyz(path: Path, *, energy_kind: str | None = None) -> Iterator[Frame]:
    """Frames of an (ext)xyz file. The keys the labels came from are logged once per file.

    Raises:
        ValueError: a frame that is cut off or badly formed (file, frame and line are named); one quantity under two keys in one
            file, because that mixes labels of two origins.
    """
    from ase.io.extxyz import read_xyz

    used: dict[str, tuple[str, int]] = {}
    with open_text(path) as file:
        for index, line, chunk in _chunks(file, path):
            where = f"{path}, frame {index}"
            try:
                atoms = next(iter(read_xyz(io.StringIO(chunk), index=slice(None))))
            except Exception as error:  # ASE raises many kinds for a malformed frame; the cause is kept
                raise ValueError(f"{where} (line {line}): cannot be read as extended XYZ ({error}); repair or remove this frame") from error
            _check_one_origin(used, labels_from_atoms(atoms, where, energy_kind).keys, index, path)
            yield Frame.from_atoms(
                atoms,
                source=str(path),
                index=index,
                energy_kind=energy_kind,
                info={"trajectory": str(atoms.info.get("trajectory", path.name))},
            )
    if used:
        log.info("%s: labels taken from %s", path, ", ".join(f"{key} ({what})" for what, (key, _) in sorted(used.items())))
    else:
        log.warning("%s: no frame holds an energy, forces or a stress", path)


def open_text(path: Path) -> TextIO:
    """The file as text, decompressed by its suffix (.xz, .gz)."""
    opener = {".xz": lzma.open, ".gz": gzip.open}.get(path.suffix, open)
    return opener(path, "rt", encoding="utf-8", errors="replace")


def _chunks(file: TextIO, path: Path) -> Iterator[tuple[int, int, str]]:
    """(frame, line number, text) of each frame; refuses one that the end of the file cuts off."""
    index, line_number = 0, 0
    while header := file.readline():
        line_number += 1
        if not header.strip():
            continue  # editors leave blank lines at the end
        try:
            n_atoms = int(header)
        except ValueError:
            raise ValueError(
                f"{path}, frame {index} (line {line_number}): found {header.strip()[:40]!r}, expected the number of atoms; "
                "an earlier frame has more lines than its count says, or this is no XYZ file"
            ) from None
        lines = [file.readline() for _ in range(n_atoms + 1)]
        if not all(lines):
            found = sum(bool(text) for text in lines[1:])
            raise ValueError(
                f"{path}, frame {index}: the file ends after {found} of {n_atoms} atoms; "
                "the writer was cut off: remove this frame or write the file again"
            )
        yield index, line_number, header + "".join(lines)
        index, line_number = index + 1, line_number + n_atoms + 1


def _check_one_origin(used: dict[str, tuple[str, int]], keys: dict[str, str], index: int, path: Path) -> None:
    for quantity, key in keys.items():
        first_key, first_index = used.setdefault(quantity, (key, index))
        if key != first_key:
            raise ValueError(
                f"{path}, frame {index}: {quantity} stands under {key!r}, but under {first_key!r} in frame {first_index}; "
                "labels of two origins must not be mixed: give them one key or split the file"
            )
