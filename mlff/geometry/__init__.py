"""Pure functions on cells and positions."""

from mlff.geometry.neighbors import neighbor_list

__all__ = ["neighbor_list"]
