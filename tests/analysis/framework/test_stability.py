import numpy as np
import pytest

from mlff.analysis import NotApplicable, System
from mlff.analysis.framework.anion_integrity import WatchedBonds
from mlff.analysis.framework.lindemann import nearest_distance
from mlff.analysis.framework.stability import StabilityAccumulator
from mlff.geometry import bonds_to_watch, broken_anions
from tests.analysis.trajectories import CELL, frames_of
from tests.contracts.observables import CENTRES, TETRAHEDRON

EDGE = 3.0  # Å, of a simple cubic lattice of two species in layers
LATTICE = EDGE * np.stack(np.meshgrid(*[np.arange(4)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
BOX = 4 * EDGE * np.eye(3)
SYMBOLS = (*["I"] * 32, *["Br"] * 32, "Li")
MASSES = np.array([127.0] * 32 + [80.0] * 32 + [7.0])


def crystal(n_frames):
    """(n_frames, 65, 3): the lattice, and one ion that goes where nobody cares."""
    return np.concatenate([np.broadcast_to(LATTICE, (n_frames, 64, 3)), 9.0 * np.arange(n_frames)[:, None, None] * np.ones(3)], axis=1)


def measured(positions, cells=BOX, symbols=SYMBOLS, masses=MASSES, **settings):
    system = System(symbols, masses, positions[0], np.asarray(cells).reshape(-1, 3, 3)[0], "Li", 2.0, n_frames=len(positions))
    accumulator = StabilityAccumulator.of(system, **settings)
    accumulator.update(frames_of(positions, cells, every=5))
    return accumulator


def test_swings_about_the_mean_place(rng):
    """σ of each species in each direction: δ = √3 σ / d, less what the atoms share in the drift. Displacements from the first frame would
    give √2 times as much."""
    sigma = np.array([0.1] * 32 + [0.2] * 32 + [0.0])
    found = measured(crystal(2000) + sigma[:, None] * rng.normal(size=(2000, 65, 3))).result()
    weights = MASSES[:64] / MASSES[:64].sum()
    variance = sigma[:64] ** 2 * (1 - 2 * weights) + (weights**2 * sigma[:64] ** 2).sum()
    for name, part in {"I": slice(0, 32), "Br": slice(32, 64)}.items():
        assert EDGE - 0.4 < found.nearest[name] < EDGE
        index, width = found.lindemann[name], np.sqrt(3 * variance[part].mean())
        assert index.value * found.nearest[name] == pytest.approx(width, rel=0.005)
        assert abs(index.value * found.nearest[name] - width) < 3 * index.error * found.nearest[name]
        assert index.error < 0.01 * index.value
    assert (found.intact, found.breaking) == ({}, {})


def test_a_drift_and_a_breathing_cell_are_no_swings(rng):
    """Far from the origin; what the mobile ion weighs does not count."""
    cells = BOX * (1 + 0.02 * rng.normal(size=300))[:, None, None]
    positions = (crystal(300) / (4 * EDGE) + 40) @ cells + 0.1 * np.arange(300)[:, None, None]
    found = measured(positions, cells).result()
    assert max(index.value for index in found.lindemann.values()) < 1e-9


def test_a_melt_rises(rng):
    walk = 0.05 * rng.normal(size=(2000, 65, 3)).cumsum(0)
    found = measured(crystal(2000) + walk).result()
    assert found.lindemann["I"].value > 0.3
    blocks = found.runs[0].square_blocks[:, 0]
    middle = len(blocks) // 2
    assert blocks[[0, -1]].min() > 2 * blocks[middle]
    np.testing.assert_allclose(
        found.runs[0].square.mean(), ((walk - walk[:, :64].mean(1, keepdims=True))[:, :64].var(0)).sum(1).mean(), rtol=0.02
    )


def test_the_error_knows_that_atoms_swing_together(rng):
    """All atoms swing by a quarter more in every second half of the run: 64 atoms that agree do not tell."""
    amplitude = 0.1 * np.repeat([1.0, 3.0], 1024)[:, None, None]
    found = measured(crystal(2048) + amplitude * rng.normal(size=(2048, 65, 3))).result()
    squares = found.runs[0].square_blocks[:, 0]
    assert found.lindemann["I"].error >= found.lindemann["I"].value * 0.99 * squares.std(ddof=1) / np.sqrt(len(squares)) / (
        2 * squares.mean()
    )


@pytest.mark.parametrize("repeat", [1, 3])
def test_nearest_distance(repeat):
    """Of a cell whose only atom is its own nearest neighbour, further away than is looked at first, and of many."""
    cell = np.array([[9.0, 0, 0], [4.5, 7.8, 0], [0, 0, 12.0]])
    shifts = np.stack(np.meshgrid(*[np.arange(repeat)] * 3), axis=-1).reshape(-1, 3)
    found = nearest_distance(shifts @ cell + 700.0, repeat * cell, np.ones(3, bool))
    np.testing.assert_allclose(found, 9.0)
    assert np.isinf(nearest_distance(np.zeros((1, 3)), cell, np.zeros(3, bool))).all()


def thiophosphate(n_frames):
    """Two PS4, one of them across the boundary, and a lithium ion, at rest."""
    bodies = (np.array([CENTRES[0], [0.99, 0.75, 0.01]]) @ CELL)[:, None] + np.concatenate([np.zeros((1, 3)), TETRAHEDRON])
    wrapped = bodies.reshape(10, 3)
    fraction = wrapped @ np.linalg.inv(CELL)
    start = np.concatenate([(fraction - np.floor(fraction)) @ CELL, [[1.0, 1, 1]]])
    return np.repeat(start[None], n_frames, axis=0)


PS4 = {"cells": CELL, "symbols": ("P", "S", "S", "S", "S") * 2 + ("Li",), "masses": np.array([31.0, 32, 32, 32, 32] * 2 + [7.0])}


def pulled(positions, frames, by=0.6):
    """The second anion's last S goes off, from 2.05 Å."""
    positions = positions.copy()
    positions[frames, 9] += by * TETRAHEDRON[3] / np.linalg.norm(TETRAHEDRON[3])
    return positions


def test_a_broken_bond_is_seen_when_it_breaks():
    positions = pulled(thiophosphate(200), slice(150, None))
    found = measured(positions, **PS4).result()
    run = found.runs[0]
    assert run.first_broken.tolist() == [-1, 5 * 150]
    assert run.broken.tolist() == [0.0, 0.25]
    assert found.intact["PS4"].value == pytest.approx(0.875)
    assert found.intact["PS4"].error >= np.sqrt(0.875 * 0.125 / 2)
    assert found.breaking["PS4"].value == pytest.approx(1 / (350 * 10e-3))  # the time after the break is none in which it could
    assert run.intact_blocks[:, 0].tolist() == [1.0, 1.0, pytest.approx(1 - 0.5 * 42 / 64)]


def test_anions_that_hold_give_bounds():
    found = measured(thiophosphate(100), **PS4).result()
    assert str(found.intact["PS4"]) == "> 0.22"  # two anions: 0.05 = 0.22²
    assert found.breaking["PS4"].upper == pytest.approx(3.0 / (200 * 10e-3), rel=2e-3)
    assert found.runs[0].first_broken.tolist() == [-1, -1]


def test_the_bonds_are_those_of_the_check_at_run_time(rng):
    """In a cell that shears, frame by frame, with bonds that reach their limits."""
    cells = CELL @ (np.eye(3) + 0.01 * rng.normal(size=(60, 3, 3)))
    positions = thiophosphate(60) @ np.linalg.inv(CELL) @ cells + 0.15 * rng.normal(size=(60, 11, 3))
    numbers = np.array([15, 16, 16, 16, 16] * 2 + [3])
    system = System(PS4["symbols"], PS4["masses"], thiophosphate(1)[0], CELL, "Li", 1.0)
    found = WatchedBonds(system.anions, numbers).broken(positions, cells)
    watched, limits = bonds_to_watch(system.anions, numbers)
    for frame, cell, broken in zip(positions, cells, found, strict=True):
        bodies = np.stack([frame[anion.atoms] + anion.shifts @ cell for anion in system.anions])
        assert np.flatnonzero(broken).tolist() == broken_anions(bodies, watched, limits).tolist()
    assert 0.1 < found.mean() < 0.9
    positions[0, 7] = np.nan
    assert WatchedBonds(system.anions, numbers).broken(positions, cells)[0, 1]


def test_independent_runs_stand_side_by_side():
    one, two = (measured(pulled(thiophosphate(n), slice(50, None)), **PS4) for n in (100, 200))
    one.merge(two)
    found = one.result()
    assert [run.broken.tolist() for run in found.runs] == [[0, 0.5], [0, 0.75]]
    assert found.intact["PS4"].value == pytest.approx(1 - 1.25 / 4)
    assert found.breaking["PS4"].value == pytest.approx(2 / ((150 + 250) * 10e-3))


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(ValueError, match="found 1 frames, expected at least 2; a mean place needs a second frame"):
        measured(crystal(1)).result()
    with pytest.raises(NotApplicable, match="the structure holds Li alone, expected a framework of other atoms"):
        StabilityAccumulator.of(System(("Li",), np.ones(1), np.zeros((1, 3)), CELL, "Li", 1.0))
