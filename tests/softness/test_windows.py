"""Motion in windows and the structure before them: known motions, and trajectories that would give wrong ones."""

from dataclasses import replace

import numpy as np
import pytest

from mlff.analysis import System
from mlff.trajectory import Frames
from softness.radial import RadialFunctions
from softness.windows import Windows, motions, structures, window_samples

CELL = np.array([[12.0, 0.0, 0.0], [2.0, 11.0, 0.0], [-1.0, 3.0, 13.0]])
SYMBOLS = ("Li",) * 20 + ("S",) * 40
FUNCTIONS = RadialFunctions(("Li", "S"), last=5.0)


def crystal(rng, n_frames=60, rests=True) -> tuple[System, Frames]:
    """Atoms anywhere that vibrate by 0.05 Å, 100 fs apart."""
    start = rng.random((60, 3)) @ CELL
    positions = start + 0.05 * rng.normal(size=(n_frames, 60, 3))
    system = System(SYMBOLS, np.ones(60), positions[0], CELL, "Li", 100.0, n_frames=n_frames, rests=rests)
    return system, Frames(np.arange(n_frames), positions, np.broadcast_to(CELL, (n_frames, 3, 3)).copy())


def test_windows_and_their_structures_do_not_overlap(rng):
    """0.5 ps before 1 ps: frames 0–4, motion from 5 to 15; then 15–19, …"""
    system, frames = crystal(rng)
    windows = Windows(1.0, 0.5, "d2_min", increment=0.2)
    assert list(windows.begins(60, 100.0)) == [5, 20, 35]
    found = list(structures(frames, system, windows))
    np.testing.assert_allclose(found[1][0], frames.positions[15:20].mean(0), atol=1e-12)
    samples = window_samples(frames, system, windows, FUNCTIONS, 3)
    assert (samples.at[20], samples.begins[20], samples.ends[20]) == (19, 20, 30)
    np.testing.assert_allclose(samples.features[20:40], FUNCTIONS.of_frame(found[1][0], CELL, SYMBOLS, np.arange(20)), atol=1e-12)
    assert set(samples.trajectories) == {3}


def test_a_jump_is_seen_in_its_window_alone(rng):
    system, frames = crystal(rng)
    frames.positions[25:, 4] += [3.0, 0, 0]
    for measure, most in (("displacement", 9.0), ("d2_min", np.inf), ("d_cum", np.inf)):
        found = motions(frames, system, Windows(1.0, 0.5, measure, increment=0.2))
        assert np.unravel_index(np.nanargmax(found), found.shape) == (1, 4)
        others = np.delete(found[:, 4], 1)
        assert others.max() < 0.5 * found[1, 4]
        assert found[1, 4] < most + 1.5


@pytest.mark.parametrize("measure", ["d_cum", "d2_min", "displacement"])
def test_what_all_atoms_do_together_is_no_motion(rng, measure):
    """A drift by several cells, and a strain of the whole cell, beside which the vibrations are small."""
    system, frames = crystal(rng)
    drift = np.linspace(0, 30, 60)[:, None, None] * [0.3, -1.0, 0.5]
    strain = np.eye(3) + np.linspace(0, 0.02, 60)[:, None, None] * rng.normal(size=(3, 3))
    moved = replace(frames, positions=frames.positions @ strain + drift, cells=frames.cells @ strain)
    windows = Windows(1.0, 0.5, measure, increment=0.2)
    still, found = motions(frames, system, windows), motions(moved, system, windows)
    np.testing.assert_allclose(found, still, rtol=0.25, atol=0.02)  # of vibrations, which are strained too


def test_the_structure_of_a_fluctuating_cell_is_that_of_its_fractions(rng):
    system, frames = crystal(rng)
    cells = CELL * (1 + 0.02 * rng.normal(size=(60, 1, 1)))
    breathing = replace(frames, positions=frames.positions @ np.linalg.inv(CELL) @ cells, cells=cells)
    positions, cell = next(structures(breathing, system, Windows(1.0, 0.5, increment=0.2)))
    np.testing.assert_allclose(positions @ np.linalg.inv(cell), frames.positions[:5].mean(0) @ np.linalg.inv(CELL), atol=1e-12)


def test_wrapped_positions_are_refused(rng):
    system, frames = crystal(rng)
    drift = np.linspace(0, 12, 60)[:, None, None] * [1.0, 0, 0]
    fractions = (frames.positions + drift) @ np.linalg.inv(CELL)
    wrapped = replace(frames, positions=(fractions - np.floor(fractions)) @ CELL)
    with pytest.raises(ValueError, match=r"found that atom \d+ moves by [01]\.\d\d cell vectors from frame \d+ to frame \d+, expected"):
        motions(wrapped, system, Windows(1.0, 0.5, increment=0.2))
    motions(replace(frames, positions=frames.positions + drift), system, Windows(1.0, 0.5, increment=0.2))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"measure": "speed"}, "found measure 'speed'"),
        ({"length": 10.0}, "found 60 frames 100 fs apart, expected at least 106 for one window"),
        ({"increment": 0.05}, "found frames 100 fs apart for increments of 0.05 ps"),
    ],
)
def test_windows_that_cannot_be_are_refused(rng, settings, message):
    system, frames = crystal(rng)
    with pytest.raises(ValueError, match=message):
        motions(frames, system, Windows(**({"length": 1.0, "average": 0.5, "increment": 0.2} | settings)))
