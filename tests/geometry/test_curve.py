import numpy as np
import pytest

from mlff.geometry import along_curve


def test_bins_are_visited_block_by_block(rng):
    """A curve of Morton's fills each cube of 2 × 2 × 2 bins before the next, and each of 4 × 4 × 4."""
    bins = rng.permutation(np.stack(np.meshgrid(*3 * [np.arange(8)], indexing="ij"), axis=-1).reshape(-1, 3))
    order = along_curve((bins + 0.5) * 2.0, np.diag([16.0, 16.0, 16.0]), np.ones(3, bool), width=2.0)
    for side, n in ((2, 8), (4, 64)):
        blocks = (bins[order] // side).reshape(-1, n, 3)
        assert (blocks == blocks[:, :1]).all()
        assert len(np.unique(blocks[:, 0], axis=0)) == 512 // n


@pytest.mark.parametrize("pbc", [(True, True, True), (True, False, True)])
def test_images_of_atoms_change_nothing(pbc, rng):
    cell = np.array([[20.0, 1.0, -2.0], [3.0, 25.0, 0.0], [0.0, -4.0, 18.0]])
    fraction = rng.uniform(0.01, 0.99, size=(200, 3))
    order = along_curve(fraction @ cell, cell, np.array(pbc), 4.0)
    assert sorted(order.tolist()) == list(range(200))
    assert order.tolist() != list(range(200))
    images = rng.integers(-2, 3, size=(200, 3)) * np.array(pbc)
    assert along_curve((fraction + images) @ cell, cell, np.array(pbc), 4.0).tolist() == order.tolist()


def test_no_cell_and_no_atoms():
    line = np.array([[30.0, 0, 0], [-10.0, 0, 0], [10.0, 0, 0]])
    assert along_curve(line, np.zeros((3, 3)), np.zeros(3, bool), 4.0).tolist() == [1, 2, 0]
    assert along_curve(np.zeros((0, 3)), np.zeros((3, 3)), np.zeros(3, bool), 4.0).tolist() == []
