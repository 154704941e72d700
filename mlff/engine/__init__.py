"""The engine room: committees in one forward, and exact derivatives stage by stage, without double backward.

Everything here is plain tensor code that a compiler can fuse. `Potential.forward`, which leaves all derivatives to autograd,
is the reference that it is tested against.
"""

from mlff.engine.engine import Engine
from mlff.engine.stack import member_state, n_members, stack

__all__ = ["Engine", "member_state", "n_members", "stack"]
