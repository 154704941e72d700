"""What every reference code answers, and how it refuses."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from ase import Atoms


@dataclass(frozen=True)
class Label:
    """A reference calculation's answer for one frame.

    energy: the free energy that the forces derive from, eV.
    forces: (n_atoms, 3), eV/Å.
    stress: (3, 3), eV/Å³, tension positive; None where the code gave none.
    converged: True: what does not converge is no label, but raises Unconverged; a ledger's row wants the field.
    code, version: the program and its version, as it prints them.
    settings_hash: of every setting that changes the numbers (not of where, how fast or by which way to the density it ran).
    wall_time: s, of all attempts together.
    retries: rungs of the ladder climbed before it converged (mlff.oracle.ladder); 0: at once.
    """

    energy: float
    forces: np.ndarray
    stress: np.ndarray | None
    converged: bool
    code: str
    version: str
    settings_hash: str
    wall_time: float
    retries: int = 0


class Oracle(Protocol):
    """Anything that labels frames; it pickles small, because every worker is sent one.

    settings: every knob that changes the numbers; plain JSON. version: of the program, as in its labels.
    """

    settings: Mapping[str, object]
    version: str

    def label(self, atoms: Atoms) -> Label: ...


class OracleError(RuntimeError):
    """The reference code gave no label for this frame: it crashed, or its output cannot be read."""


class Unconverged(OracleError):
    """The reference code ran to its end, but its self-consistency did not converge.

    retries: rungs of the ladder climbed in vain.
    """

    retries: int = 0


class TimedOut(OracleError):
    """The reference code was ended because it ran beyond its own time-out."""


class Missing(FileNotFoundError):
    """A program or a file that every frame needs is not there.

    No OracleError: what puts a frame into quarantine must let this one through, or a slip of set-up would empty a whole campaign.
    """


def settings_hash(settings: Mapping[str, object]) -> str:
    """A short, stable hash of the settings that make a label."""
    text = json.dumps(settings, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def frame_key(atoms: Atoms, settings: Mapping[str, object], version: str) -> str:
    """Names one label: the same structure, settings and code version always give the same key."""
    digest = hashlib.sha256()
    digest.update(np.ascontiguousarray(atoms.numbers, dtype="<i4").tobytes())
    # 1e-8 Å: below what any code writes, above the rounding of a text file
    for array in (atoms.positions, atoms.cell.array):
        digest.update((np.round(array / 1e-8).astype("<i8")).tobytes())
    digest.update(np.asarray(atoms.pbc, dtype="u1").tobytes())
    digest.update(settings_hash(settings).encode())
    digest.update(version.encode())
    return digest.hexdigest()[:24]
