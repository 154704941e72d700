"""MaxVol: the rows of a tall matrix whose square submatrix has, up to a factor, the largest volume."""

import numpy as np
from scipy.linalg import qr, solve


def maxvol(matrix: np.ndarray, tolerance: float = 1e-3) -> tuple[np.ndarray, np.ndarray]:
    """Row indices, (r,), and the coefficients C = matrix · A⁻¹, (n, r), A the chosen rows: no |C_ij| exceeds 1 + tolerance.

    QR with pivoting chooses the rows to start from, each the farthest from the span of those before it. Then the largest coefficient
    C_ij names the exchange, row i for the j-th chosen one, that enlarges |det A| most, by the factor |C_ij|, until none does.
    Goreinov et al., How to find a good submatrix (2010).

    Args:
        matrix: (n, r) of full column rank, n ≥ r.
    """
    matrix = np.asarray(matrix, np.float64)
    if matrix.ndim != 2 or len(matrix) < matrix.shape[1]:
        raise ValueError(f"the matrix has shape {matrix.shape}, expected at least as many rows as columns; reduce the columns first")
    rank = matrix.shape[1]
    _, chosen = qr(matrix.T, mode="r", pivoting=True)
    chosen = chosen[:rank].copy()
    coefficients = solve(matrix[chosen].T, matrix.T).T
    while True:  # it ends: each exchange enlarges a volume that is bounded
        row, column = np.unravel_index(np.abs(coefficients).argmax(), coefficients.shape)
        pivot = coefficients[row, column]
        if abs(pivot) <= 1 + tolerance:
            break
        entering = coefficients[row].copy()
        entering[column] -= 1.0
        coefficients -= np.outer(coefficients[:, column] / pivot, entering)
        chosen[column] = row
    return chosen, solve(matrix[chosen].T, matrix.T).T  # afresh: the updates gather rounding errors
