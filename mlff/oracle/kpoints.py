"""How densely a cell's Brillouin zone is sampled: by divisions, or by a spacing that each cell turns into its own divisions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class KPoints:
    """Divisions along each cell vector, or the spacing (1/Å, with 2π) that decides them."""

    mesh: tuple[int, int, int]
    spacing: float | None

    @classmethod
    def of(cls, mesh: Sequence[int], spacing: float | None) -> "KPoints":
        """As a configuration gives them; a spacing takes the place of the divisions.

        Raises:
            ValueError: not three positive divisions, or a spacing that is not positive.
        """
        if len(mesh) != 3 or any(int(k) != k or k < 1 for k in mesh):
            raise ValueError(f"`oracle.kpoints` is {list(mesh)}, expected three positive integers, one along each cell vector")
        if spacing is not None and not spacing > 0:
            raise ValueError(f"`oracle.kpoint_spacing` is {spacing}, expected a positive number of 1/Å, or null")
        return cls(tuple(int(k) for k in mesh), None if spacing is None else float(spacing))

    def divisions(self, cell: np.ndarray) -> list[int]:
        """Of one cell, (3, 3), Å."""
        return list(self.mesh) if self.spacing is None else monkhorst_pack(cell, self.spacing)

    @property
    def setting(self) -> list[int] | str:
        """What a label's settings say."""
        return list(self.mesh) if self.spacing is None else f"spacing {self.spacing} 1/Å"


def monkhorst_pack(cell: np.ndarray, spacing: float) -> list[int]:
    """The fewest divisions along each reciprocal vector whose points are at most `spacing` (1/Å, with 2π) apart; cell (3, 3), Å."""
    lengths = 2 * np.pi * np.linalg.norm(np.linalg.inv(cell), axis=0)
    return [max(1, int(np.ceil(length / spacing))) for length in lengths]
