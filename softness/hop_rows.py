"""Rows from hops and quiet stretches that p_hop finds, one for each."""

import numpy as np

from mlff.analysis import System
from mlff.analysis.rearrangement.hop_indicator import HopIndicatorAccumulator
from mlff.trajectory import Frames
from softness.radial import RadialFunctions
from softness.rows import Rows
from softness.unwrapped import expect_unwrapped


def hop_rows(frames: Frames, system: System, functions: RadialFunctions, trajectory: int | str = 0, lead: int = 1, **hops) -> Rows:
    """Of each hop the structure before its windows, and of each quiet stretch the structure at its beginning (Schoenholz et al., Nat. Phys.
    12, 469, 2016; Candelier et al., Phys. Rev. Lett. 105, 135702, 2010).

    A hop whose windows overlap those of the one before is not a row of its own, and one without a frame before it is none. The motion
    of a quiet row is its largest hop, which is below `low`: 0 stands for it, as hops have p_hop at their peak.

    Args:
        frames: all of a trajectory, unwrapped. system: its mobile species is the one of the rows; another needs a plane of its own.
        trajectory: its number or name. lead: frames between the structure and the hop's windows.
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
    begins, ends, kept = frame_of(run.start), frame_of(run.end), []
    last = {}
    for k, ion in enumerate(run.ion.tolist()):
        if begins[k] - lead >= 0 and begins[k] > last.get(ion, -1):
            kept.append(k)
            last[ion] = ends[k]
    calm = frame_of(run.quiet)
    who = np.concatenate([run.ion[kept], np.repeat(np.arange(len(run.quiet_counts)), run.quiet_counts)])
    at = np.concatenate([begins[kept] - lead, calm[:, 0]])
    features = np.zeros((len(at), len(functions)))
    for frame in np.unique(at):
        rows = np.flatnonzero(at == frame)
        features[rows] = functions.of_frame(frames.positions[frame], frames.cells[frame], system.symbols, system.ions[who[rows]])
    return Rows(
        features=features,
        motion=np.concatenate([run.p_hop[kept], np.zeros(len(calm))]),
        particles=system.ions[who],
        trajectories=np.full(len(at), trajectory),
        at=at,
        begins=np.concatenate([begins[kept], calm[:, 0] + 1]),
        ends=np.concatenate([ends[kept], calm[:, 1]]),
        mobile=np.arange(len(at)) < len(kept),
    )
