"""The ledger of a campaign: one row per label, whatever came of it.

Each label is a JSON file, written whole by the process that made it; the table of all of them is SQLite, written by the
driver alone. The files are the truth: a killed driver loses none that was finished, and the table can be made from them.
"""

import json
import logging
import os
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.stress import full_3x3_to_voigt_6_stress

from mlff.oracle import Oracle, frame_key

log = logging.getLogger(__name__)

MISSING = "missing"  # the status of a key without a row
LABELLED = "labelled"

# old files lack what they leave to chance: the attempts, their cost, and the times
COLUMNS = {
    "key": "TEXT PRIMARY KEY",
    "status": "TEXT NOT NULL",  # labelled, or in quarantine: unconverged, failed, hung, crashed
    "energy": "REAL",  # eV
    "wall_time": "REAL",  # s, of the last attempt
    "retries": "INTEGER",  # rungs of the oracle's ladder that it climbed
    "attempts": "INTEGER",
    "core_seconds": "REAL",  # of all attempts
    "reason": "TEXT",
    "code": "TEXT",
    "version": "TEXT",
    "settings_hash": "TEXT",
    "formula": "TEXT",
    "n_atoms": "INTEGER",
    "cores": "INTEGER",
    "submitted": "REAL",  # s since 1970, UTC
    "finished": "REAL",
}


class Ledger:
    """The labels in one folder: `ledger.sqlite`, and `<key>.json` of each label with its structure, forces and stress.

    Opening it takes in the files that are not rows yet, and drops the rows whose file is gone. One driver at a time.

    Args:
        folder: made where it does not exist.
    Raises:
        ValueError: a file is no label.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        # the default journal: write-ahead logging needs shared memory, which network file systems do not give
        self._table = sqlite3.connect(self.folder / "ledger.sqlite", timeout=60.0)
        self._table.row_factory = sqlite3.Row
        columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        with self._table:
            self._table.execute(f"CREATE TABLE IF NOT EXISTS labels ({columns})")
        self._agree_with_files()

    def key(self, frame: Atoms, oracle: Oracle) -> str:
        """The name of a label: the same structure, settings and code version always give the same."""
        return frame_key(frame, oracle.settings, oracle.version)

    def path(self, key: str) -> Path:
        """Of the label's file, which may not exist."""
        return self.folder / f"{key}.json"

    def statuses(self, keys: Iterable[str]) -> dict[str, str]:
        """The status of each key; "missing" where there is no row."""
        known = {row["key"]: row["status"] for row in self._table.execute("SELECT key, status FROM labels")}
        return {key: known.get(key, MISSING) for key in keys}

    def row(self, key: str) -> dict | None:
        """The row of a label, by the names of COLUMNS."""
        found = self._table.execute("SELECT * FROM labels WHERE key = ?", (key,)).fetchone()
        return None if found is None else dict(found)

    def rows(self) -> list[dict]:
        """All rows, in the order in which they were finished."""
        return [dict(row) for row in self._table.execute("SELECT * FROM labels ORDER BY finished, key")]

    def core_hours(self, keys: Iterable[str] | None = None) -> float:
        """What labels took, those in quarantine and repeated attempts too: wall time × cores, h; keys: of which, None for all."""
        rows = self.rows() if keys is None else map(self.row, set(keys))
        return sum(row["core_seconds"] or 0.0 for row in rows) / 3600.0

    def labelled(self, key: str, frame: Atoms | None = None) -> Atoms:
        """A frame with its label, as data sets hold it.

        REF_energy (eV), REF_forces (n_atoms, 3) (eV/Å), REF_stress (6,) (Voigt xx yy zz yz xz xy, eV/Å³, tension
        positive), energy_kind, settings (their hash) and code.

        Args:
            frame: the one that was asked for, whose info is kept; None: the structure in the label's file.
        Raises:
            ValueError: there is no label of this name, or its file holds no structure.
        """
        status = self.statuses([key])[key]
        if status != LABELLED:
            raise ValueError(f"{key} is {status} in {self.folder}, expected labelled; label it first")
        label = read_label(self.path(key))
        copy = _structure(self.path(key), label) if frame is None else _bare(frame)
        copy.info = {} if frame is None else dict(frame.info)
        copy.info |= {
            "REF_energy": label["energy"],
            "energy_kind": "free",
            "settings": label["settings"],
            "code": f"{label['code']} {label['version']}",
        }
        copy.arrays["REF_forces"] = np.array(label["forces"])
        if label["stress"] is not None:
            copy.info["REF_stress"] = full_3x3_to_voigt_6_stress(np.array(label["stress"]))
        return copy

    def take_in(self, labels: Mapping[str, Mapping]) -> None:
        """Make rows of labels whose files are written, by key; one transaction."""
        names = ", ".join(COLUMNS)
        places = ", ".join(f":{name}" for name in COLUMNS)
        with self._table:
            self._table.executemany(
                f"INSERT OR REPLACE INTO labels ({names}) VALUES ({places})", [_row(key, label) for key, label in labels.items()]
            )

    def close(self) -> None:
        self._table.close()

    def _agree_with_files(self) -> None:
        known = {row["key"]: row for row in self.rows()}
        files = {path.stem: path for path in self.folder.glob("*.json")}
        # a label in quarantine may have been tried again by a driver that was killed before it saw the answer
        unsure = [key for key in files if key not in known or known[key]["status"] != LABELLED]
        self.take_in({key: read_label(files[key]) for key in unsure})
        gone = known.keys() - files.keys()
        if gone:
            log.warning("%d labels of the table have no file in %s any more: they are dropped", len(gone), self.folder)
            with self._table:
                self._table.executemany("DELETE FROM labels WHERE key = ?", [(key,) for key in gone])


def read_label(path: Path) -> dict:
    """A label's file.

    Raises:
        ValueError: it holds no label.
    """
    try:
        label = json.loads(path.read_text())
        label["status"], label["wall_time"]
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path} is no label ({type(error).__name__}: {error}); delete it, so that the frame is labelled again") from error
    return label


def write_label(path: Path, label: Mapping) -> None:
    """Write a label's file. It appears whole or not at all, whenever the process or the machine stops."""
    unfinished = path.with_suffix(f".{os.uname().nodename}.{os.getpid()}.tmp")
    with unfinished.open("w") as file:
        file.write(json.dumps(label))
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def _row(key: str, label: Mapping) -> dict:
    cost = label["wall_time"] * label.get("cores", 1)
    old = {"attempts": 1, "cores": 1, "core_seconds": cost, "settings_hash": label.get("settings")}
    return dict.fromkeys(COLUMNS) | old | {name: label[name] for name in COLUMNS if name in label} | {"key": key}


def _bare(frame: Atoms) -> Atoms:
    return Atoms(numbers=frame.numbers, positions=frame.positions, cell=frame.cell, pbc=frame.pbc)


def _structure(path: Path, label: Mapping) -> Atoms:
    if "positions" not in label:
        raise ValueError(f"{path} holds no structure, as no file of an older version does; give the frame that was labelled")
    return Atoms(**{name: label[name] for name in ("numbers", "positions", "cell", "pbc")})
