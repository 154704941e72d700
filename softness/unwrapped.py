"""Whether positions follow the atoms, or jump from one side of the cell to the other."""

import numpy as np

FARTHEST = 0.5  # of a cell vector, from frame to frame: a wrapped atom that crosses a boundary moves by nearly a whole one


def expect_unwrapped(positions: np.ndarray, cells: np.ndarray) -> None:
    """Raises: ValueError: an atom moves by more than half a cell vector from frame to frame.

    Args:
        positions: (n_frames, n_atoms, 3), Å. cells: (n_frames, 3, 3), Å.
    """
    before = None
    for k, (frame, cell) in enumerate(zip(positions, cells, strict=True)):
        fractions = np.linalg.solve(np.asarray(cell, float).T, np.asarray(frame, float).T).T
        if before is not None and (moved := abs(fractions - before)).max() > FARTHEST:
            atom = int(moved.max(axis=1).argmax())
            raise ValueError(
                f"found that atom {atom} moves by {moved[atom].max():.2f} cell vectors from frame {k - 1} to frame {k}, expected "
                "positions that are not wrapped: motion would be measured across the cell; read the trajectory with "
                "`mlff.trajectory.open_trajectory`, which unwraps it, or store frames more often"
            )
        before = fractions
