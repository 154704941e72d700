"""What may be appended to a trajectory: shapes, finite values, ascending steps; each refusal says found, expected and remedy."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import numpy as np

from mlff.trajectory.frames import Frames, Series
from mlff.trajectory.layout import STEPS, Column, Rows, Stream

OWN = ("frames", "atoms")  # names in the store that no series may take


def checked_about(about: Mapping) -> dict:
    """A copy of `about` that JSON gave back.

    Raises:
        ValueError: no positive timestep, or something that JSON has no word for.
    """
    timestep = about.get("timestep")
    if isinstance(timestep, bool) or not isinstance(timestep, (int, float)) or not 0 < timestep < np.inf:
        raise ValueError(f"about['timestep'] is {timestep!r}, expected a positive number of fs; the times of the frames need it")
    try:
        return json.loads(json.dumps(dict(about), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"found what JSON cannot hold in about ({error}), expected numbers, strings, lists and mappings; convert it"
        ) from None


def checked_steps(name: str, steps: np.ndarray, last: int | None) -> np.ndarray:
    """(n,) int64, ascending, all after `last`."""
    steps = np.asarray(steps)
    if steps.ndim != 1 or not np.issubdtype(steps.dtype, np.integer):
        raise ValueError(f"the steps of {name} are {steps.dtype} of shape {steps.shape}, expected integers of shape (n,); count MD steps")
    steps = steps.astype(np.int64)
    ahead = steps if last is None else np.concatenate([[last], steps])
    if (bad := np.flatnonzero(np.diff(ahead) <= 0)).size:
        one, next_ = ahead[bad[0]], ahead[bad[0] + 1]
        raise ValueError(
            f"step {next_} of {name} comes after step {one}, expected ascending steps beyond those stored; "
            "to go on from an earlier step, reopen with TrajectoryWriter.open(path, keep_until_step)"
        )
    return steps


def checked_finite(name: str, values: np.ndarray, steps: np.ndarray) -> None:
    if not np.isfinite(values).all():
        where = np.argwhere(~np.isfinite(values))[0]
        place = f" at index {tuple(where[1:].tolist())}" if len(where) > 1 else ""
        raise ValueError(
            f"{name} of step {steps[where[0]]} holds {values[tuple(where)]}{place}, expected finite numbers; "
            "nothing was stored: look at the timestep and the model of the run"
        )


def checked_frames(frames: Frames, n_atoms: int, last: int | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(steps, positions, cells) in int64 and float64."""
    steps = checked_steps("the frames", frames.steps, last)
    values = []
    for name, array, shape in (
        ("positions", frames.positions, (len(steps), n_atoms, 3)),
        ("cells", frames.cells, (len(steps), 3, 3)),
    ):
        array = np.asarray(array, dtype=np.float64)
        if array.shape != shape:
            raise ValueError(f"{name} of {len(steps)} frames have shape {array.shape}, expected {shape}; the store is of {n_atoms} atoms")
        checked_finite(name, array, steps)
        values.append(array)
    return steps, *values


def checked_series(name: str, series: Series, known: Stream | None, n_atoms: int, last: int | None) -> tuple[Stream, Rows]:
    """A series as it is stored: velocities and what is given in float32 as float32, all else as float64."""
    if name in OWN or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ValueError(f"found a series named {name!r}, expected a lower-case word other than {' and '.join(OWN)}; rename it")
    steps = checked_steps(name, series.steps, last)
    rows: dict[str, np.ndarray] = {"steps": steps}
    stream: dict[str, Column] = {"steps": STEPS}
    for value, array in series.values.items():
        array = np.asarray(array)
        if value == "steps" or not re.fullmatch(r"\w+", value) or not np.issubdtype(array.dtype, np.number) or array.dtype.kind == "c":
            raise ValueError(f"found {value!r} of {array.dtype} in {name}, expected real numbers under a word other than steps; convert it")
        expected = (len(steps), n_atoms, 3) if name == "velocities" else (len(steps), *array.shape[1:])
        if array.shape != expected:
            raise ValueError(f"{value} of {name} has shape {array.shape}, expected {expected}: one row for each of its steps")
        dtype = "<f4" if name == "velocities" or array.dtype == np.float32 else "<f8"
        stream[value] = Column(dtype if known is None or value not in known else known[value].dtype, array.shape[1:])
        checked_finite(value, array, steps)
        with np.errstate(over="ignore"):  # told in the next line
            rows[value] = array.astype(stream[value].dtype)
        checked_finite(value, rows[value], steps)
    if name == "velocities" and list(stream) != ["steps", "velocities"]:
        raise ValueError(f"the series velocities holds {list(series.values)}, expected ['velocities']; store others under another name")
    if len(stream) == 1:
        raise ValueError(f"the series {name} holds no values, expected at least one; leave it out")
    if known is not None and stream != known:
        raise ValueError(f"{name} holds {_shapes(stream)}, expected {_shapes(known)} as before; store others under another name")
    return stream, rows


def _shapes(stream: Stream) -> dict[str, tuple[int, ...]]:
    return {name: column.shape for name, column in stream.items() if name != "steps"}
