from itertools import combinations

import numpy as np
import pytest

from mlff.uncertainty import maxvol


@pytest.mark.parametrize("shape", [(300, 12), (40, 39), (5, 5), (100, 1)])
def test_no_coefficient_exceeds_one(rng, shape):
    matrix = rng.standard_t(2, size=shape)
    rows, coefficients = maxvol(matrix)
    assert np.abs(coefficients).max() <= 1 + 1e-3
    assert len(set(rows.tolist())) == shape[1]
    np.testing.assert_allclose(coefficients @ matrix[rows], matrix, atol=1e-9 * np.abs(matrix).max())


def test_no_exchange_of_one_row_enlarges_the_volume(rng):
    matrix = rng.normal(size=(60, 5))
    rows, _ = maxvol(matrix)
    volume = abs(np.linalg.det(matrix[rows]))
    exchanged = [np.abs(np.linalg.det(matrix[np.r_[np.delete(rows, j), i]])) for i in range(60) for j in range(5)]
    assert max(exchanged) <= volume * (1 + 1e-3)


def test_it_is_near_the_largest_volume_of_all(rng):
    """No bound says so for so few rows; over 20 matrices the search, which is greedy, misses it by little."""
    shares = []
    for _ in range(20):
        matrix = rng.normal(size=(12, 3))
        largest = max(abs(np.linalg.det(matrix[list(rows)])) for rows in combinations(range(12), 3))
        shares.append(abs(np.linalg.det(matrix[maxvol(matrix)[0]])) / largest)
    assert max(shares) <= 1 + 1e-12
    assert np.mean(shares) > 0.9


def test_exchanges_mend_a_start_that_is_greedy():
    """The longest row, which pivoting takes first, is in the way: with another it has a volume of 2.4, the other two have 3.6."""
    matrix = np.array([[2.0, 0.0], [1.5, 1.2], [1.5, -1.2]])
    assert sorted(maxvol(matrix)[0].tolist()) == [1, 2]


def test_a_wide_matrix_is_refused(rng):
    with pytest.raises(ValueError, match=r"shape \(3, 4\), expected at least as many rows"):
        maxvol(rng.normal(size=(3, 4)))
