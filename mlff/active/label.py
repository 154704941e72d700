"""Label frames with a reference code, as many at a time as there are workers.

A label that hangs, crashes or does not converge is put in quarantine with its reason; it never stops the others.
"""

import functools
import pickle
import queue
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from tqdm import tqdm

from mlff.active.executors import TaskCrashed, TaskTimedOut, Workers
from mlff.active.ledger import LABELLED, MISSING, Ledger, read_label, write_label
from mlff.oracle import Oracle, OracleError, Unconverged
from mlff.oracle.base import settings_hash


@dataclass(frozen=True)
class Labelled:
    """What came of a call of `label`.

    frames: as given, with REF_energy, REF_forces and REF_stress as `Ledger.labelled` writes them; None: in quarantine.
    reasons: of those in quarantine, by the number of the frame.
    keys: the name of each frame's label in the ledger.
    new: labels made by this call; one that two frames share counts once.
    """

    frames: list[Atoms | None]
    reasons: dict[int, str]
    keys: list[str]
    new: int


def label(
    frames: Sequence[Atoms],
    oracle: Oracle,
    ledger: Ledger,
    workers: Workers,
    timeout: float | None = None,
    cores: int = 1,
    retry_failed: bool = False,
    progress: bool = False,
    watch: Callable[[Mapping], None] | None = None,
) -> Labelled:
    """Label what the ledger does not hold, and return all of it.

    Args:
        frames: one that is given twice runs once.
        oracle: goes to the worker processes, so it must be picklable.
        timeout: s for one frame; None waits for ever.
        cores: that one label occupies; for its cost alone.
        retry_failed: whether frames in quarantine are tried again.
        progress: show a progress bar.
        watch: called with the ledger's row of each label, as it is finished.
    Raises:
        Exception: of an oracle, other than OracleError: its program is missing, a setting that it refuses, a bug. Each frame would meet
            it, so that all stops; what was finished before is kept.
    """
    keys = [ledger.key(frame, oracle) for frame in frames]
    statuses = ledger.statuses(keys)
    wanted = {key: frame for key, frame in zip(keys, frames, strict=True) if statuses[key] == MISSING}
    if retry_failed:
        wanted |= {key: frame for key, frame in zip(keys, frames, strict=True) if statuses[key] not in (MISSING, LABELLED)}
    pickled = pickle.dumps(oracle) if wanted else b""
    begun = {key: _begun(frame, oracle, ledger.row(key), cores) for key, frame in wanted.items()}
    ended: queue.SimpleQueue[Future] = queue.SimpleQueue()
    runs: dict[Future, str] = {}
    try:
        for key, frame in wanted.items():
            run = workers.submit(label_into, pickled, frame, str(ledger.path(key)), begun[key], timeout=timeout)
            runs[run] = key
            run.add_done_callback(ended.put)
        with tqdm(total=len(runs), desc="label", unit="frame", disable=not progress) as bar:
            n_waiting = len(runs)
            while n_waiting > 0:
                done = _next(ended)
                n_waiting -= len(done)
                finished = {runs[run]: _outcome(run, ledger.path(runs[run]), begun[runs[run]]) for run in done}
                ledger.take_in(finished)
                bar.update(len(done))
                for key in finished if watch is not None else ():
                    watch(ledger.row(key))
    except BaseException:
        for run in runs:
            run.cancel()
        raise
    return _labelled(frames, keys, ledger, set(wanted))


def _next(ended: queue.SimpleQueue) -> list[Future]:
    """All that have ended, at least one: they share a transaction."""
    done = [ended.get()]
    while not ended.empty():
        done.append(ended.get())
    return done


def _labelled(frames: Sequence[Atoms], keys: list[str], ledger: Ledger, wanted: set[str]) -> Labelled:
    rows = {key: ledger.row(key) for key in keys}
    good = {key for key, row in rows.items() if row["status"] == LABELLED}
    return Labelled(
        frames=[ledger.labelled(key, frame) if key in good else None for key, frame in zip(keys, frames, strict=True)],
        reasons={number: rows[key]["reason"] for number, key in enumerate(keys) if key not in good},
        keys=keys,
        new=len(good & wanted),
    )


def _begun(frame: Atoms, oracle: Oracle, before: Mapping | None, cores: int) -> dict:
    """What is known of a label when it is submitted; before: the row of its earlier attempts."""
    return {
        "attempts": 1 + (before["attempts"] if before else 0),
        "core_seconds": before["core_seconds"] if before else 0.0,
        "code": oracle.settings.get("code"),
        "version": oracle.version,
        "settings": settings_hash(oracle.settings),
        "cores": cores,
        "submitted": time.time(),
        "formula": frame.get_chemical_formula(),
        "n_atoms": len(frame),
        "numbers": frame.numbers.tolist(),
        "positions": frame.positions.tolist(),
        "cell": frame.cell.array.tolist(),
        "pbc": np.asarray(frame.pbc).tolist(),
    }


def _outcome(run: Future, path: Path, begun: Mapping) -> dict:
    """The finished label; of a worker that could not write its file, the driver does."""
    try:
        return run.result()
    except (TaskTimedOut, TaskCrashed) as error:
        status = "hung" if isinstance(error, TaskTimedOut) else "crashed"
        lost = _ended(begun, {"status": status, "reason": f"{status}: {error}"}, error.seconds)
    write_label(path, lost)
    return lost


def _ended(begun: Mapping, outcome: Mapping, wall_time: float) -> dict:
    return {
        **begun,
        **outcome,
        "wall_time": wall_time,
        "core_seconds": begun["core_seconds"] + wall_time * begun["cores"],
        "finished": time.time(),
    }


def label_into(pickled: bytes, frame: Atoms, path: str, begun: Mapping) -> dict:
    """What a worker runs: label one frame and write its file; the label is returned too, because a network file system may show
    the file to the driver late.

    Args:
        pickled: the oracle.
        begun: what is known of the label already, of `_begun`.
    Raises:
        what the oracle raises, if it is no OracleError.
    """
    file = Path(path)
    if file.exists() and (there := read_label(file)).get("attempts", 1) >= begun["attempts"]:
        return there  # a worker of a driver that was killed went on to the end
    oracle = _oracle(pickled)
    started = time.monotonic()
    try:
        made = oracle.label(frame)
    except OracleError as error:
        outcome = {"status": "unconverged" if isinstance(error, Unconverged) else "failed", "reason": str(error)}
    except MemoryError as error:
        outcome = {"status": "failed", "reason": f"out of memory: {error}"}
    else:
        outcome = {
            "status": LABELLED,
            "energy": made.energy,
            "forces": np.asarray(made.forces).tolist(),
            "stress": None if made.stress is None else np.asarray(made.stress).tolist(),
            "code": made.code,
            "version": made.version,
            "settings": made.settings_hash,
            "retries": getattr(made, "retries", 0),
        }
    label = _ended(begun, outcome, time.monotonic() - started)
    write_label(file, label)
    return label


@functools.lru_cache(maxsize=1)
def _oracle(pickled: bytes) -> Oracle:
    """Read once in each worker: an oracle may hold a model."""
    return pickle.loads(pickled)
