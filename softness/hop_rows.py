"""Rows from hops and quiet stretches that p_hop finds, one for each."""

import numpy as np

from mlff.analysis import System
from mlff.analysis.rearrangement.hop_indicator import HopIndicatorAccumulator
from mlff.trajectory import Frames
from softness.radial import RadialFunctions
from softness.rows import Rows
from softness.unwrapped import expect_unwrapped


def hop_rows(
    frames: Frames,
    system: System,
    functions: RadialFunctions,
    trajectory: int | str = 0,
    lead: int = 1,
    structure: int | str | None = None,
    **hops,
) -> Rows:
    """Of each hop the structure before its windows, and of each quiet stretch the structure at its beginning (Schoenholz et al., Nat. Phys.
    12, 469, 2016; Candelier et al., Phys. Rev. Lett. 105, 135702, 2010).

    A hop is no row whose structure would lie within the windows of the one before, or where no frame lies before it. The motion of a
    quiet row begins as far after its structure as that of a hop does, and ends with the last window in which p_hop is low; it is 0, as
    hops have p_hop at their peak.

    Args:
        frames: all of a trajectory, unwrapped. system: its mobile species is the one of the rows; another needs a plane of its own.
        trajectory, structure: as of `window_samples`. lead: frames from the structure to the first frame of the motion.
        hops: window, cut, low, quiet of `HopIndicatorAccumulator.of`.
    Raises:
        ValueError: positions that are wrapped.
    """
    expect_unwrapped(frames.positions, frames.cells)
    accumulator = HopIndicatorAccumulator.of(system, **hops)
    accumulator.update(frames)
    (run,) = accumulator.result().runs
    first, interval = int(frames.steps[0]), int(frames.steps[1] - frames.steps[0])
    frame_of = lambda steps: (np.asarray(steps, np.int64) - first) // interval  # noqa: E731
    moved = _apart(run.ion, frame_of(run.start) - lead, frame_of(run.start), frame_of(run.end))
    calm = frame_of(run.quiet)
    rested = _apart(
        np.repeat(np.arange(len(run.quiet_counts)), run.quiet_counts), calm[:, 0], calm[:, 0] + lead, calm[:, 1] + accumulator.n - 1
    )
    who, at, begins, ends, _ = (np.concatenate(pair) for pair in zip(moved, rested, strict=True))
    features = np.zeros((len(at), len(functions)))
    for frame in np.unique(at):
        rows = np.flatnonzero(at == frame)
        features[rows] = functions.of_frame(frames.positions[frame], frames.cells[frame], system.symbols, system.ions[who[rows]])
    mobile = np.arange(len(at)) < len(moved[0])
    return Rows(
        features=features,
        motion=np.concatenate([run.p_hop[moved[4]], np.zeros(len(rested[0]))]),
        particles=system.ions[who],
        trajectories=np.full(len(at), trajectory),
        structures=np.full(len(at), trajectory if structure is None else structure),
        at=at,
        begins=begins,
        ends=ends,
        mobile=mobile,
    )


def _apart(ion: np.ndarray, at: np.ndarray, begins: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, ...]:
    """Those whose structure exists and lies after all earlier motion of the ion, rows or not, and which of all they are."""
    kept, last = [], {}
    for k, i in enumerate(ion.tolist()):
        if at[k] > last.get(i, -1) and begins[k] <= ends[k]:
            kept.append(k)
        last[i] = max(last.get(i, -1), int(ends[k]))
    which = np.array(kept, np.int64)
    return ion[which], at[which], begins[which], ends[which], which
