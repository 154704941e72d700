import numpy as np
import pytest

from mlff.analysis.density.percolation import barriers, bottlenecks, inefficiency, path

SKEWED = np.array([[8.0, 0, 0], [2.0, 6.0, 0], [-1.0, 1.5, 10.0]])


def empty(shape=(8, 6, 10)) -> np.ndarray:
    return np.zeros(shape)


def test_a_channel_along_one_axis():
    """Its least density is the bottleneck, along that axis alone."""
    density = empty()
    density[:, 2, 3] = [5, 4, 3, 2, 3, 4, 5, 9]
    assert bottlenecks(density).tolist() == [2, 0, 0]


def test_the_best_of_two_channels_counts():
    density = empty()
    density[:, 2, 3] = [5, 4, 3, 2, 3, 4, 5, 9]
    density[:, 5, 7] = 1.5
    density[:, 0, 9] = 2.5
    assert bottlenecks(density)[0] == 2.5


def test_touching_both_faces_is_not_connecting():
    """It enters at b = 1 and leaves at b = 4, from wall to wall; joined with its image at the same b, it does."""
    density = empty()
    density[:4, 1, 3] = density[3, 1:5, 3] = density[3:, 4, 3] = 1.0
    assert (density.any(axis=(1, 2))).all()
    assert bottlenecks(density).tolist() == [0, 0, 0]
    density[7, 1:5, 3] = 0.5
    assert bottlenecks(density).tolist() == [0.5, 0, 0]


def test_a_diagonal_channel_counts_along_both_axes():
    """It closes only after one cell along a and one along b: no image along a alone is reached, but ions get on along a."""
    density = empty((6, 6, 4))
    for k in range(6):
        density[k, k, 1] = density[(k + 1) % 6, k, 1] = 1.0
    assert bottlenecks(density).tolist() == [1, 1, 0]


def test_two_turns_make_one_loop():
    """In at b = 1 and out at b = 4, then in at b = 4 and out at b = 1, far from the first turn: the image is two cells on."""
    density = empty()
    density[:4, 1, 3] = density[3, 1:5, 3] = density[3:, 4, 3] = 1.0
    density[0, 4, 3:6] = density[:6, 4, 5] = density[5, 1:5, 5] = density[5:, 1, 5] = density[7, 1, 3:6] = 1.0
    found = path(density, SKEWED, 0)
    np.testing.assert_allclose(found.points[-1] - found.points[0], 2 * SKEWED[0], atol=1e-12)
    assert len(found.points) == np.count_nonzero(density) + 1
    density[0, 4, 4] = 0.0
    assert bottlenecks(density).tolist() == [0, 0, 0]


def test_the_path_passes_the_bottleneck_and_ends_at_its_image():
    """A detour around a wall in a skewed cell: each step is one bin, all of it in the channel, from the densest point to its image."""
    density = empty()
    density[:4, 1, 9] = density[3, 1:5, 9] = density[3:6, 4, 9] = density[5, 1:5, 9] = density[5:, 1, 9] = 3.0
    density[3, 3, 9], density[1, 1, 9] = 1.0, 7.0
    found = path(density, SKEWED, 0)
    np.testing.assert_allclose(found.points[-1] - found.points[0], SKEWED[0], atol=1e-12)
    assert found.density[0] == found.density[-1] == 7
    assert found.density.min() == bottlenecks(density)[0] == 1
    fractions = found.points @ np.linalg.inv(SKEWED) * density.shape
    np.testing.assert_allclose(np.abs(np.diff(fractions, axis=0)).sum(1), 1)
    places = np.round(fractions).astype(int) % density.shape
    np.testing.assert_allclose(density[tuple(places.T)], found.density)
    assert path(density, SKEWED, 1) is None


def test_the_path_takes_the_way_of_least_resistance():
    """Two ways around, both above the bottleneck: the short thin one resists more than the long dense one."""
    density = empty((12, 8, 4))
    density[:4, 1, 1] = density[7:, 1, 1] = 10.0
    density[9, 1, 1] = 1.0
    density[4:7, 1, 1] = 1.0
    density[3, 1:4, 1] = density[3:8, 3, 1] = density[7, 1:4, 1] = 10.0
    found = path(density, np.diag([12.0, 8.0, 4.0]), 0)
    assert found.density.min() == 1
    assert (np.sum(found.density == 1)) == 1
    assert found.points[:, 1].max() == 3


def test_a_barrier_has_the_error_of_its_blocks():
    """Blocks that differ in the bottleneck alone: the jackknife of ln(1000 / mean), and the noise of the counts."""
    counts = np.array([90.0, 110, 95, 105, 80, 120, 100, 100])
    blocks = np.zeros((8, 4, 2, 2))
    blocks[:, :, 0, 0] = 1000.0
    blocks[:, 2, 0, 0] = counts
    whole = blocks.sum(0)
    along_a, along_b, _ = barriers(whole, (whole - block for block in blocks))
    assert along_a.value == pytest.approx(np.log(10))
    resampled = counts.std(ddof=1) / counts.mean() / np.sqrt(8) * 1.08  # Student's t of 7
    assert along_a.error == pytest.approx(np.sqrt(resampled**2 + 1 / 800 + 2 * np.log(4) / 8000), rel=0.02)
    assert not along_b.known
    assert along_b.upper is None
    assert along_b.lower == pytest.approx(np.log(8000 / 3.0), abs=0.03)  # the rule of three


def test_a_way_that_one_block_alone_has_seen_is_bounded():
    blocks = np.zeros((8, 4, 2, 2))
    blocks[:, :, 0, 0] = 1000.0
    blocks[:, 2, 0, 0] = 0.0
    blocks[3, 2, 0, 0] = 2.0
    whole = blocks.sum(0)
    found = barriers(whole, (whole - block for block in blocks))[0]
    assert not found.known
    assert found.lower < np.log(8000 / 2) < found.upper
    assert "few visits" in found.reason
    slow = barriers(whole, (whole - block for block in blocks), inefficiency=2.0)[0]
    assert slow.lower < found.lower  # two counts of one visit tell less than two visits
    assert slow.upper > found.upper
    assert barriers(np.zeros((3, 3, 3)), [])[0].reason == "nothing was counted"


def test_inefficiency_is_the_length_of_a_visit(rng):
    visits = rng.poisson(20.0, size=(12, 400)).astype(float)
    visits[:, 0] = 1e4
    assert inefficiency(visits) == pytest.approx(1.0, abs=0.1)
    assert inefficiency(5 * visits) == pytest.approx(5.0, abs=0.5)
    assert inefficiency(visits[:1]) == 1.0
