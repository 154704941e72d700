"""The engine room: committees in one forward, and exact derivatives stage by stage, without double backward.

Everything here is plain tensor code that a compiler can fuse; on a CPU the edges and the products go through the kernels of
`mlff.nn.native` instead. `Potential.forward`, which leaves all derivatives to autograd, is the reference that it is tested against.
"""

from mlff.engine.committee import Committee, CommitteePrediction, evaluator, one_or_committee, stacked_of
from mlff.engine.engine import Engine
from mlff.engine.prediction import LossOf
from mlff.engine.reference import Reference
from mlff.engine.stack import member_state, n_members, of_member, stack

__all__ = [
    "Committee",
    "CommitteePrediction",
    "Engine",
    "LossOf",
    "Reference",
    "evaluator",
    "member_state",
    "n_members",
    "of_member",
    "one_or_committee",
    "stack",
    "stacked_of",
]
