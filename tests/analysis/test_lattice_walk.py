"""Correlation factors of vacancies, from our own Monte Carlo, by our own displacements."""

import numpy as np
import pytest

from mlff.analysis import MeanSquareDisplacement
from tests.analysis.lattice_walk import CORRELATION, LENGTH, lattice, vacancy_walk
from tests.analysis.trajectories import frames_of

CELLS = {"sc": 12, "bcc": 12, "fcc": 12, "diamond": 10}  # the vacancy that comes back through the border is 1/1700 of the visits
N_FRAMES, PER_FRAME, LAG = 257, 0.125, 32  # jumps of an ion: four within the lag


@pytest.mark.slow
@pytest.mark.parametrize("kind", CORRELATION)
def test_the_correlation_factor_of_a_vacancy(kind, rng):
    """f = ⟨R²⟩ / (n a²) at a lag, over which encounters with the vacancy begin and end; stated to 0.5 %, one standard deviation."""
    found, grid = [], lattice(kind, CELLS[kind])
    z, n = grid.neighbours.shape[1], len(grid.sites) - 1
    for _ in range(30):
        walk = vacancy_walk(grid, rng, 1, 1.0, PER_FRAME * n / z, N_FRAMES)
        accumulator = MeanSquareDisplacement(np.arange(n), 1.0)
        accumulator.update(frames_of(walk.positions, grid.cell))
        shown = accumulator.result()
        k = int(np.flatnonzero(shown.times == LAG)[0])
        jumps = walk.jumps / n * LAG / (N_FRAMES - 1)
        found.append(shown.msd()[k] / (jumps * LENGTH**2))
    error = np.std(found, ddof=1) / np.sqrt(len(found))
    assert error < 0.005 * CORRELATION[kind]
    assert abs(np.mean(found) - CORRELATION[kind]) < 3 * error
