"""Data: files of labelled structures → Frames, splits that do not leak, statistics. No Lightning."""

from mlff.data.cache import cached_array
from mlff.data.frame import Frame
from mlff.data.hashes import data_hash, geometry_hash
from mlff.data.neighbours import NeighborTable, cached_neighbors
from mlff.data.read import iter_frames, read_frames
from mlff.data.splits import Splits, split_frames
from mlff.data.statistics import ReferenceEnergies, fit_reference_energies, force_rms, neighbours_per_species
from mlff.data.store import FrameStore, write_store
from mlff.data.units_check import suspect_units
from mlff.data.unlabelled import refuse_unlabelled

__all__ = [
    "Frame",
    "FrameStore",
    "NeighborTable",
    "ReferenceEnergies",
    "Splits",
    "cached_array",
    "cached_neighbors",
    "data_hash",
    "fit_reference_energies",
    "force_rms",
    "geometry_hash",
    "iter_frames",
    "neighbours_per_species",
    "read_frames",
    "refuse_unlabelled",
    "split_frames",
    "suspect_units",
    "write_store",
]
