"""Pure functions on cells and positions."""

from mlff.geometry.breakage import bonds_to_watch, broken_anions
from mlff.geometry.curve import along_curve
from mlff.geometry.neighbors import neighbor_list
from mlff.geometry.topology import Anion, Topology, classify, find_anions

__all__ = ["Anion", "Topology", "along_curve", "bonds_to_watch", "broken_anions", "classify", "find_anions", "neighbor_list"]
