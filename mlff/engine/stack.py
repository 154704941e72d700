"""Members of a committee stacked into one potential, whose weights have a leading member dimension."""

import copy
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from mlff.model.potential import Potential

SHARED = "bins"  # a constant of the architecture, not of a member


def stack(members: Sequence[Potential]) -> Potential:
    """One potential with weights (n_members, …); its architecture answers (n_members, n_sites).

    Args:
        members: of the same architecture and options; left as they are.
    Raises:
        ValueError: they differ in more than their weights.
    """
    states = [member.state_dict() for member in members]
    layouts = [(type(m.architecture), m.species, m.r_max, {k: v.shape for k, v in s.items()}) for m, s in zip(members, states, strict=True)]
    for k, layout in enumerate(layouts):
        if layout != layouts[0]:
            raise ValueError(
                f"member {k} has another architecture or other options than member 0; a committee's members differ in weights only"
            )
    stacked = copy.deepcopy(members[0])
    for name in states[0]:
        _replace(stacked, name, torch.stack([state[name] for state in states]))
    return stacked


def member_state(stacked: Potential, k: int) -> dict[str, Tensor]:
    """The state_dict of member k."""
    return of_member(stacked.state_dict(), k)


def of_member(state: Mapping[str, Tensor], k: int) -> dict[str, Tensor]:
    """The part of a stack's state_dict that is member k's."""
    return {name: tensor if name.endswith(f".{SHARED}") else tensor[k] for name, tensor in state.items()}


def n_members(stacked: Potential) -> int:
    """How many members a stack has."""
    return len(stacked.E0)


def _replace(root: nn.Module, name: str, value: Tensor) -> None:
    path, _, leaf = name.rpartition(".")
    if leaf == SHARED:
        return
    module = root.get_submodule(path)
    old = getattr(module, leaf)
    if isinstance(old, nn.Parameter):
        setattr(module, leaf, nn.Parameter(value, requires_grad=old.requires_grad))
    else:
        setattr(module, leaf, value)
