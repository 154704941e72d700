"""Rows from hops: one for each, with the structure from before its windows."""

import numpy as np
import pytest

from mlff.analysis import System
from mlff.trajectory import Frames
from softness.hop_rows import hop_rows
from softness.radial import RadialFunctions

CELL = np.eye(3) * 14.0
SYMBOLS = ("Li",) * 12 + ("S",) * 20
FUNCTIONS = RadialFunctions(("Li", "S"), last=6.0)
HOPS = {"window": 1.0, "cut": 2.0, "low": 0.5, "quiet": 3.0}


@pytest.fixture
def run(rng):
    """200 frames 0.1 ps apart; ion 2 hops at frame 60 by 3 Å, ion 5 there and back within a window."""
    positions = rng.random((32, 3)) @ CELL + 0.05 * rng.normal(size=(200, 32, 3))
    positions[60:, 2] += [3.0, 0, 0]
    positions[100:104, 5] += [0, 3.0, 0]
    system = System(SYMBOLS, np.ones(32), positions[0], CELL, "Li", 100.0, n_frames=200)
    return system, Frames(np.arange(200), positions, np.broadcast_to(CELL, (200, 3, 3)))


def test_a_hop_is_one_row_with_the_structure_from_before(run):
    system, frames = run
    rows = hop_rows(frames, system, FUNCTIONS, "a", **HOPS)
    (hop,) = np.flatnonzero(rows.mobile & (rows.particles == 2))
    assert rows.begins[hop] == 60 - 10
    assert rows.at[hop] == 49
    assert rows.motion[hop] == pytest.approx(9.0, abs=0.3)
    np.testing.assert_allclose(rows.features[hop], FUNCTIONS.of_frame(frames.positions[49], CELL, SYMBOLS, [2])[0])
    assert rows.mobile.sum() <= 3  # ion 5 comes back: one event or two, never one for each frame


def test_quiet_ions_are_the_other_class(run):
    system, frames = run
    rows = hop_rows(frames, system, FUNCTIONS, "a", **HOPS)
    quiet = ~rows.mobile
    assert set(rows.particles[quiet]) == set(range(12))
    (alone,) = np.flatnonzero(quiet & (rows.particles == 8))  # never hops: p_hop is low from the first moment, frame 10, to the last
    assert (rows.at[alone], rows.begins[alone], rows.ends[alone]) == (10, 11, 199)
    assert set(rows.trajectories) == set(rows.structures) == {"a"}


def test_both_classes_have_the_same_lead(run):
    system, frames = run
    rows = hop_rows(frames, system, FUNCTIONS, "a", lead=4, **HOPS)
    np.testing.assert_array_equal(rows.begins - rows.at, 4)


def test_structure_from_within_another_hop_is_no_row(run):
    """Hops at 60, 78 and 97: their windows overlap, and what lies before the later ones is motion of the earlier."""
    system, frames = run
    frames.positions[78:, 2] += [0, 3.0, 0]
    frames.positions[97:, 2] += [0, 0, 3.0]
    rows = hop_rows(frames, system, FUNCTIONS, "a", **HOPS)
    hops = rows.mobile & (rows.particles == 2)
    assert rows.begins[hops].tolist() == [50]


def test_wrapped_positions_are_refused(run):
    system, frames = run
    wrapped = Frames(frames.steps, frames.positions % 14.0, frames.cells)
    with pytest.raises(ValueError, match="expected positions that are not wrapped"):
        hop_rows(wrapped, system, FUNCTIONS, "a", **HOPS)
