import dataclasses

import numpy as np

from mlff.analysis.diffusion.slabs import SlabAccumulator
from mlff.report.observables import describe
from mlff.trajectory import Frames
from tests.contracts import observables
from tests.contracts.observables import CELL


def test_slabs_are_described(rng):
    system, frames, _ = observables.walk(rng)
    accumulator = SlabAccumulator.of(system, edges=[0.0, 0.5], regions=["core", "bulk"], longest_lag=1.0)
    accumulator.update(frames)
    result = accumulator.result()
    told = describe(result, system)
    assert [panel.title for panel in told.panels] == [
        "D by slab",
        "MSD by slab, all directions",
        "MSD of those that stay, in the plane",
        "Share that stays",
        "Li by slab",
    ]
    assert [curve.name for curve in told.panels[0].curves] == ["all directions", "along the axis", "in the plane"]
    assert len(told.panels[0].curves[0].x) == 2
    assert [curve.name for curve in told.panels[4].curves] == ["core", "bulk"]
    assert [number.name for number in told.numbers] == [
        "D all directions, core",
        "D along the axis, core",
        "D in the plane, core",
        "D all directions, bulk",
        "D along the axis, bulk",
        "D in the plane, bulk",
        "D in the plane of those that stay, core",
        "D in the plane of those that stay, bulk",
    ]
    assert told.numbers[0].estimate is result.diffusivity["core", "all"]
    assert f"{result.origins} time origins" in told.remarks[0]
    assert len(told.remarks) == 2  # walkers that fast leave within a picosecond


def test_a_slab_without_a_value_shows_its_bound(rng):
    system, frames, _ = observables.walk(rng)
    frames.positions[:, 10:] = np.array([0.2, 0.4, 0.2]) @ CELL + 0.1 * rng.normal(size=(3000, 6, 3))
    fixed = Frames(frames.steps, frames.positions, np.broadcast_to(CELL, frames.cells.shape))
    accumulator = SlabAccumulator.of(dataclasses.replace(system, rests=False), n_slabs=2, longest_lag=1.0)
    accumulator.update(fixed)
    profile = describe(accumulator.result(), system).panels[0]
    bound = profile.curves[1]
    assert (bound.name, bound.style, len(bound.x)) == ("upper bound", "bounds", 1)
    assert bound.x[0] == 0.25 * accumulator.result().height
    assert len(profile.curves[0].x) == 0
