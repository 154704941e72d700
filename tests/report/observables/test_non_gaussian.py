import numpy as np

from mlff.analysis.diffusion.non_gaussian import NonGaussianAccumulator
from mlff.report.observables import describe
from tests.analysis.trajectories import CELL, DT, frames_of, rare_jumps
from tests.contracts.observables import system_of


def test_it_shows_the_peak_of_rare_jumps(rng):
    positions = rare_jumps(rng, 2000, 60, 2e-5)
    accumulator = NonGaussianAccumulator(np.arange(60), DT)
    accumulator.update(frames_of(positions))
    description = describe(accumulator.result(), system_of(positions[0], CELL, ("Li",) * 60))
    (panel,) = description.panels
    assert panel.title == "Non-Gaussian parameter"
    assert panel.log_x
    assert panel.curves[0].x[0] == DT / 1000  # ps
    largest, place = description.numbers
    assert largest.name == "largest α₂ of Li"
    assert largest.estimate.value > 1
    assert place.name == "lag of the largest α₂ of Li"
    assert place.estimate.unit == "ps"
    assert "origins" in description.remarks[0]
