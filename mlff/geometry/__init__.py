"""Pure functions on cells and positions."""

from mlff.geometry.curve import along_curve
from mlff.geometry.neighbors import neighbor_list

__all__ = ["along_curve", "neighbor_list"]
