"""What of a polyatomic anion's motion is constrained, as projectors on the velocities of its atoms.

With a fixed reference geometry c_i about the centre of mass (Σ m_i c_i = 0), translation has the rows (A_t)_{a,ib} = m_i δ_ab and
rotation, after Eckart, the rows A_r v = Σ m_i c_i × v_i. They are linear and constant, so that

    P = 1 − M⁻¹Aᵀ (A M⁻¹Aᵀ)⁻¹ A,   v ← P v,   F ← Pᵀ F

holds positions and velocities to them without iteration, and the metric is constant. Vibration is all that is neither. Which motions
of an anion are constrained is called a mode, after Li et al., arXiv:2501.02440: RC, RTC and RTVC, UC where none is.
"""

import numpy as np

from mlff.geometry.superposition import centred

# letters of what is constrained: rotation, translation, vibration
MODES = {"UC": "", "RC": "R", "TC": "T", "VC": "V", "RTC": "RT", "RVC": "RV", "TVC": "TV", "RTVC": "RTV"}
NULL = 1e-7  # of the largest singular value: a linear anion does not turn about its axis


def constrained_motions(mode: str) -> str:
    """Letters R, T, V of a mode's name.

    Raises:
        ValueError: no such mode.
    """
    if mode not in MODES:
        raise ValueError(f"constraint mode is {mode!r}, expected one of {', '.join(MODES)}")
    return MODES[mode]


def projector(masses: np.ndarray, geometry: np.ndarray, motions: str) -> tuple[np.ndarray, int]:
    """P of one anion, and how many degrees of freedom it takes away.

    Args:
        masses: (n,), any unit.
        geometry: (n, 3), Å, the reference c_i as it lies in the crystal; its centre of mass is taken off.
        motions: letters of R, T and V. V without R leaves a rigid body that turns, which no constant P describes.
    Returns:
        (3n, 3n), to be applied to velocities (n, 3) in one row, and the rank of the constraint.
    """
    if "V" in motions and "R" not in motions:
        raise ValueError(f"motions are {motions!r}: no constant projector holds an anion that turns without vibrating")
    root = np.sqrt(np.repeat(masses, 3))
    kept = _basis([_rows(masses, geometry, motion) for motion in "TR" if (motion in motions) != ("V" in motions)], root)
    # with vibrations constrained, what `kept` spans is left free; without, it is what is taken away
    inside = (kept.T @ kept) * (root[None, :] / root[:, None])
    if "V" in motions:
        return inside, 3 * len(masses) - len(kept)
    return np.eye(3 * len(masses)) - inside, len(kept)


def _rows(masses: np.ndarray, geometry: np.ndarray, motion: str) -> np.ndarray:
    """A_t or A_r, (3, 3n)."""
    if motion == "T":
        return (masses[:, None, None] * np.eye(3)).transpose(1, 0, 2).reshape(3, -1)
    c = centred(geometry, masses)
    # (c × v)_a = Σ_b ε_{a·b} with columns b of v: the rows of [c]×
    zero = np.zeros(len(c))
    cross = np.array([[zero, -c[:, 2], c[:, 1]], [c[:, 2], zero, -c[:, 0]], [-c[:, 1], c[:, 0], zero]])
    return (cross * masses).transpose(0, 2, 1).reshape(3, -1)


def _basis(rows: list[np.ndarray], root: np.ndarray) -> np.ndarray:
    """Orthonormal rows in mass-weighted coordinates, (rank, 3n); of each motion by itself, because Å and amu weigh them differently."""
    found = [np.zeros((0, len(root)))]
    for of_motion in rows:  # T and R rows are orthogonal to each other, since Σ m c = 0
        _, values, basis = np.linalg.svd(of_motion / root, full_matrices=False)
        found.append(basis[values > NULL * values.max(initial=0.0)])
    return np.concatenate(found)
