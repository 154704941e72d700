"""Pure functions on cells and positions."""

from mlff.geometry.bonds import half_bonds
from mlff.geometry.breakage import bonds_to_watch, broken_anions
from mlff.geometry.curve import along_curve
from mlff.geometry.neighbors import close_pairs, inside_cell, neighbor_list
from mlff.geometry.structural_units import StructuralUnits, structural_units
from mlff.geometry.topology import Anion, Topology, classify, find_anions

__all__ = [
    "Anion",
    "StructuralUnits",
    "Topology",
    "along_curve",
    "bonds_to_watch",
    "broken_anions",
    "classify",
    "close_pairs",
    "find_anions",
    "half_bonds",
    "inside_cell",
    "neighbor_list",
    "structural_units",
]
