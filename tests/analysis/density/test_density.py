import numpy as np
import pytest

from mlff.analysis import NotApplicable, System
from mlff.analysis.density.density import DensityAccumulator
from mlff.trajectory import Frames
from mlff.units import K_B
from tests.analysis.trajectories import CELL, frames_of

KT = K_B * 600.0  # eV


def counted(fractions, cells=CELL, shape=(20, 18, 22), symbols=None, **settings):
    """Of all atoms, from fractions (n_frames, n, 3)."""
    symbols = ["Li"] * fractions.shape[1] if symbols is None else symbols
    ions = np.flatnonzero(np.array(symbols) == "Li")
    accumulator = DensityAccumulator(symbols, ions, shape, **settings)
    accumulator.update(frames_of(fractions @ cells, cells))
    return accumulator


def in_channel(rng, n_frames, n_ions, depth):
    """Exact draws from F(a) = depth · cos(2πa), kT, in a channel along a of 0.4 × 0.4 of the cell."""
    n = n_frames * n_ions
    grid = np.linspace(0, 1, 20001)
    middle = (grid[1:] + grid[:-1]) / 2
    total = np.exp(-depth * np.cos(2 * np.pi * middle)).cumsum()
    a = np.interp(rng.random(n), np.append(0, total / total[-1]), grid)
    other = 0.3 + 0.4 * rng.random((n, 2))
    return np.column_stack([a, other]).reshape(n_frames, n_ions, 3)


def test_it_integrates_to_the_ions_of_a_cell_that_fluctuates(rng):
    """Fixed fractions in cells that change: all ions stay in one bin, and the density is that of the mean cell."""
    cells = CELL * (1 + 0.05 * rng.normal(size=(200, 1, 1)))
    fractions = np.broadcast_to([[0.5, 0.5, 0.5], [0.5, 0.5, 0.5], [0.1, 0.0, 0.0]], (200, 3, 3))
    result = counted(fractions, cells).result()
    np.testing.assert_allclose(result.cell, cells.mean(0))
    volume = np.linalg.det(result.cell) / result.density.size
    assert result.density.sum() * volume == pytest.approx(3)
    assert result.density[10, 9, 11] * volume == pytest.approx(2)
    assert result.probability.sum() * volume == pytest.approx(1)
    assert result.error.max() == pytest.approx(0, abs=1e-12)
    assert result.n_ions == 3


def test_atoms_on_the_boundary_fall_into_the_first_bin():
    """Bins lie around the grid points, so that both sides of the boundary belong to point 0."""
    edge = np.array([0.0, -1e-17, 1 - 1e-16, 1.0, -1e-3, 1e-3, 7.0, -4.0 - 1e-16])
    fractions = np.full((1, len(edge), 3), 0.5)
    for axis in range(3):
        fractions[0, :, axis] = edge
    result = counted(fractions, np.eye(3) * 10.0, shape=(10, 7, 9)).result()
    assert np.flatnonzero(result.density).tolist() == [0]


def test_points_are_the_middle_of_their_bins(rng):
    shape = (4, 5, 6)
    points = np.stack(np.meshgrid(*[np.arange(n) / n for n in shape], indexing="ij"), axis=-1).reshape(-1, 3)
    near = points + (rng.random((300, *points.shape)) - 0.5) * 0.98 / np.array(shape)
    np.testing.assert_allclose(counted(near, shape=shape).result().density * np.linalg.det(CELL) / 120, 1.0)


def test_the_density_moves_with_the_atoms(rng):
    fractions = 0.3 + 0.2 * rng.random((50, 5, 3))
    moved = counted(fractions + np.array([3, -2, 5]) / [20, 18, 22]).result()
    np.testing.assert_allclose(moved.density, np.roll(counted(fractions).result().density, (3, -2, 5), axis=(0, 1, 2)))


def test_a_drift_of_the_crystal_smears_nothing(rng):
    """The framework wanders through several cells; seen from it, ions stay where they are, wrapped or not."""
    symbols = ["S"] * 8 + ["Li"] * 2
    places = np.concatenate([np.stack(np.meshgrid(*[[0.1, 0.6]] * 3), axis=-1).reshape(-1, 3), [[0.31, 0.42, 0.53], [0.8, 0.8, 0.8]]])
    drift = 0.02 * rng.normal(size=(400, 1, 3)).cumsum(0) + np.linspace(0, 3, 400)[:, None, None]
    fractions = places + drift - drift[0] + 0.005 * rng.normal(size=(400, 10, 3))
    fractions[:, 8:] = (places + drift - drift[0])[:, 8:]
    weights = np.where(np.array(symbols) == "S", 32.06, 0.0)
    wrapped = fractions + rng.integers(-2, 3, size=fractions.shape)
    for given in (fractions, wrapped):
        result = counted(given, shape=(10, 10, 10), symbols=symbols, drift=weights).result()
        assert np.count_nonzero(result.density) == 2
        assert result.density[3, 4, 5] > 0
    assert np.count_nonzero(counted(fractions, shape=(10, 10, 10), symbols=symbols).result().density) > 50


def test_folding_puts_all_copies_into_one(rng):
    """2 × 1 × 3 copies of one pattern: the density of the small cell is that of the large one, and its framework appears once."""
    small = rng.random((40, 4, 3))
    copies = np.array([[i, 0, k] for i in range(2) for k in range(3)])
    fractions = ((small[:, None] + copies[:, None]) / [2, 1, 3]).reshape(40, 24, 3)
    symbols = ["S", "Li", "Li", "Li"] * 6
    folded = counted(fractions, symbols=symbols, shape=(10, 18, 7), fold=(2, 1, 3)).result()
    alone = counted(small, CELL / [[2], [1], [3]], symbols=symbols[:4], shape=(10, 18, 7)).result()
    np.testing.assert_allclose(folded.density, alone.density, rtol=1e-12)
    np.testing.assert_allclose(folded.cell, alone.cell)
    assert folded.n_ions == 3
    assert folded.symbols == ("S",)
    np.testing.assert_allclose(folded.positions, alone.positions, atol=1e-9)


def test_the_free_energy_and_the_barrier_of_a_known_potential(rng):
    """F = 1.5 kT cos(2πa): the profile within its errors, the barrier 3 kT along a; along b and c a lower bound alone."""
    fractions = in_channel(rng, 400, 500, 1.5)
    result = counted(fractions, shape=(16, 10, 10), temperature=600.0).result()
    a = np.arange(16) / 16
    # the mean of exp(−F) over a bin
    fine = np.exp(-1.5 * np.cos(2 * np.pi * (a[:, None] + (np.arange(100) + 0.5) / 1600 - 1 / 32))).mean(1)
    expected = -KT * np.log(fine / fine.max())
    off = (result.free_energy_along["a"] - expected) / result.free_energy_along_error["a"]
    assert np.mean(np.abs(off) < 2) > 0.7
    assert np.abs(result.free_energy_along["a"] - expected).max() < 0.1 * KT
    barrier = result.barriers["a"]
    assert abs(barrier.value - expected.max()) < 2 * barrier.error
    assert barrier.error < 0.3 * KT
    assert barrier.unit == result.unit == "eV"
    for axis in "bc":
        found = result.barriers[axis]
        assert not found.known
        assert found.lower > KT * 4
        assert found.upper is None
        assert axis not in result.paths
    np.testing.assert_allclose(result.paths["a"][-1] - result.paths["a"][0], result.cell[0], atol=1e-9)
    assert result.path_energies["a"].max() == pytest.approx(barrier.value)
    assert np.isinf(result.free_energy[0, 0, 0])


def test_smoothing_keeps_the_ions_and_widens_by_what_it_says():
    """One point becomes a Gaussian of the stated width along every direction of a skewed cell."""
    cell, shape, width = CELL, (80, 72, 88), 0.6
    accumulator = counted(np.full((4, 1, 3), 0.5), cell, shape=shape, smoothing=width)
    result = accumulator.result()
    volume = np.linalg.det(cell) / result.density.size
    assert result.density.sum() * volume == pytest.approx(1)
    assert result.density.min() == 0
    points = np.stack(np.meshgrid(*[np.arange(n) / n - 0.5 for n in shape], indexing="ij"), axis=-1) @ cell
    covariance = np.einsum("abc,abcx,abcy->xy", result.density, points, points) * volume
    np.testing.assert_allclose(covariance, width**2 * np.eye(3), atol=0.02 * width**2)  # the Gaussian is cut at four widths
    assert result.density.max() == pytest.approx((2 * np.pi * width**2) ** -1.5, rel=0.02)


def test_smoothing_finds_the_barrier_that_few_counts_hide(rng):
    """A uniform density has no barrier; single bins with two counts on average show one, and say by their counts not to trust it."""
    fractions = rng.random((200, 60, 3))
    rough = counted(fractions, np.eye(3) * 9.0, shape=(18, 18, 18))
    smooth = counted(fractions, np.eye(3) * 9.0, shape=(18, 18, 18), smoothing=0.8)
    found = [one.result() for one in (rough, smooth)]
    for result in found:
        barrier = result.barriers["a"]
        assert barrier.unit == "kT"
        assert abs(barrier.value) < 2 * barrier.error
    assert found[0].barriers["a"].value > 1
    assert found[1].barriers["a"].value < 0.5
    assert found[0].visits["a"] < 10 < found[1].visits["a"]


def test_blocks_of_time_tell_the_error(rng):
    """Ions that stay where they are for 100 frames: the error of a bin is ten times that of independent frames."""
    held = np.repeat(rng.random((40, 60, 3)), 100, axis=0)
    slow = counted(held, shape=(2, 2, 2)).result()
    fast = counted(rng.random((4000, 60, 3)), shape=(2, 2, 2)).result()
    expected = np.sqrt(60 * 0.125 * 0.875 / 4000) * 8 / np.linalg.det(CELL)
    assert fast.error.mean() == pytest.approx(expected, rel=0.3)
    assert slow.error.mean() == pytest.approx(10 * expected, rel=0.3)


def test_runs_join(rng):
    fractions = rng.random((300, 6, 3))
    whole, part, rest = counted(fractions), counted(fractions[:200]), counted(fractions[200:])
    part.merge(rest)
    assert part.result().n_frames == 300
    np.testing.assert_array_equal(part.result().density, whole.result().density)


def test_large_cells_have_a_wider_grid():
    system = System(("Li", "S"), np.ones(2), np.zeros((2, 3)), np.diag([30.0, 60.0, 120.0]), "Li", 1.0)
    assert DensityAccumulator.of(system, spacing=0.5).shape == (60, 120, 240)
    wide = DensityAccumulator.of(system, spacing=0.5, most_points=1728000 / 8)
    assert wide.shape == (30, 60, 120)


def test_what_has_no_density_is_refused():
    with pytest.raises(ValueError, match="found no ions to count"):
        DensityAccumulator(["S"], [], (2, 2, 2))
    with pytest.raises(ValueError, match="expected three integers ≥ 1 each"):
        DensityAccumulator(["Li"], [0], (2, 2, 0))
    with pytest.raises(ValueError, match=r"found smoothing -1 Å"):
        DensityAccumulator(["Li"], [0], (2, 2, 2), smoothing=-1)
    with pytest.raises(ValueError, match="found no frame"):
        DensityAccumulator(["Li"], [0], (2, 2, 2)).result()
    with pytest.raises(ValueError, match=r"found frames of 2 atoms, expected 1"):
        DensityAccumulator(["Li"], [0], (2, 2, 2)).update(frames_of(np.zeros((1, 2, 3))))
    with pytest.raises(ValueError, match="found a cell without volume"):
        DensityAccumulator(["Li"], [0], (2, 2, 2)).update(Frames(np.zeros(1, int), np.zeros((1, 1, 3)), np.zeros((1, 3, 3))))
    with pytest.raises(ValueError, match="the weights of the drift sum to nothing"):
        DensityAccumulator(["Li"], [0], (2, 2, 2), drift=np.zeros(1))
    cluster = System(("Li",), np.ones(1), np.zeros((1, 3)), CELL, "Li", 1.0, pbc=np.zeros(3, bool))
    with pytest.raises(NotApplicable, match="not periodic along all axes"):
        DensityAccumulator.of(cluster)
    with pytest.raises(NotApplicable, match="found no Na"):
        DensityAccumulator.of(System(("Li",), np.ones(1), np.zeros((1, 3)), CELL, "Na", 1.0))
    with pytest.raises(ValueError, match=r"found spacing 0 Å"):
        DensityAccumulator.of(System(("Li",), np.ones(1), np.zeros((1, 3)), CELL, "Li", 1.0), spacing=0)
