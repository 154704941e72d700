"""Architectures: a neighbourhood in, one energy per atom out; and the potential that wraps any of them."""

from mlff.model.lean import Lean
from mlff.model.lean2 import Lean2
from mlff.model.linear import Linear
from mlff.model.pair import LennardJones
from mlff.model.potential import Potential

__all__ = ["Lean", "Lean2", "LennardJones", "Linear", "Potential"]
