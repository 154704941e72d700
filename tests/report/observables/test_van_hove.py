import numpy as np

from mlff.analysis.diffusion.van_hove import VanHoveAccumulator
from mlff.report.observables import describe
from tests.analysis.trajectories import CELL, DT, brownian, frames_of
from tests.contracts.observables import system_of


def test_it_shows_both_parts_and_tells_who_left(rng):
    positions = rng.random((8, 3)) @ CELL + brownian(rng, 300, 8, 2e-4)
    accumulator = VanHoveAccumulator(np.arange(8), DT, [0, 10, 200], r_max=6.0)
    accumulator.update(frames_of(positions))
    description = describe(accumulator.result(), system_of(positions[0], CELL, ("Li",) * 8))
    assert [panel.title for panel in description.panels] == ["van Hove, self", "van Hove, distinct", "G_s", "G_d"]
    own, distinct = description.panels[:2]
    assert [curve.name for curve in own.curves] == ["1 ps", "20 ps"]
    assert [curve.name for curve in distinct.curves] == ["0 ps", "1 ps", "20 ps"]
    assert own.curves[0].error is not None
    assert own.curves[1].error is None  # the run has not two stretches of 20 ps
    numbers = {number.name: number.estimate for number in description.numbers}
    assert set(numbers) == {f"{what} within 1 Å, {lag}" for what in ("stayed", "replaced") for lag in ("1 ps", "20 ps")}
    assert not numbers["stayed within 1 Å, 20 ps"].known
    assert "100 origins for 20 ps." in description.remarks
    assert any("went farther than 6 Å in 20 ps" in remark for remark in description.remarks)
