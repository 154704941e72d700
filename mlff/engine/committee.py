"""Several members as one potential: their mean, and what each of them says."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from mlff.engine.engine import Engine
from mlff.engine.prediction import changed
from mlff.engine.reference import Reference
from mlff.engine.stack import member_state, n_members, stack
from mlff.graph import AtomGraph, Prediction
from mlff.model.invariant_model import InvariantModel
from mlff.model.potential import Potential


@dataclass(frozen=True)
class CommitteePrediction(Prediction):
    """The mean over members.

    members: what each says, every field with a leading dimension (n_members, …).
    """

    members: Prediction | None = None

    @classmethod
    def of(cls, members: Prediction) -> Self:
        """From what each member says."""
        mean = changed(members, lambda value: value.mean(0))
        return cls(mean.energy, mean.energies, mean.forces, mean.stress, members=members)

    @property
    def forces_std(self) -> Tensor:
        """`force_deviation` of the members, eV/Å, (n_atoms,)."""
        return force_deviation(self.members.forces)

    @property
    def energies_std(self) -> Tensor:
        """Standard deviation of each atom's energy over members, eV, (n_atoms,)."""
        return self.members.energies.std(0, correction=0)


def force_deviation(forces: Tensor) -> Tensor:
    """ε_F,i = √⟨‖F_i − ⟨F_i⟩‖²⟩ over members (ddof 0, as DP-GEN): a norm, not a component's spread.

    Args:
        forces: (n_members, n_atoms, 3), eV/Å.
    Returns:
        (n_atoms,), eV/Å.
    """
    return forces.var(0, correction=0).sum(-1).sqrt()


class Committee(nn.Module):
    """Members of one architecture in one forward; it answers their mean, and serves wherever a potential does.

    Args:
        members: potentials that differ in their weights alone; one will do.
    """

    def __init__(self, members: Sequence[Potential]):
        super().__init__()
        self.stacked = stack(members)
        self._template = (copy.deepcopy(members[0]),)  # in a tuple: no part of the weights
        self._evaluators: dict[bool, Engine | Reference] = {}

    @property
    def species(self) -> tuple[str, ...]:
        return self.stacked.species

    @property
    def r_max(self) -> float:
        """Å, the cutoff a neighbour list must reach."""
        return self.stacked.r_max

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of the members' weights."""
        return self.stacked.dtype

    def __len__(self) -> int:
        return n_members(self.stacked)

    def evaluator(self, autograd: bool = False) -> Engine | Reference:
        """As `evaluator` of its stack, always the same, which keeps its memory from call to call."""
        if autograd not in self._evaluators:
            self._evaluators[autograd] = evaluator(self.stacked, autograd)
        return self._evaluators[autograd]

    def member(self, k: int) -> Potential:
        """A copy of member k, a potential of its own."""
        potential = copy.deepcopy(self._template[0]).to(device=self.stacked.E0.device, dtype=self.dtype)
        potential.load_state_dict(member_state(self.stacked, k))
        return potential.train(self.training)

    def members(self) -> list[Potential]:
        """A copy of each."""
        return [self.member(k) for k in range(len(self))]

    def forward(self, graph: AtomGraph, compute_forces: bool = True, compute_stress: bool = True) -> CommitteePrediction:
        """Predict every graph of a batch; forces come with the energies in any case."""
        return CommitteePrediction.of(self.evaluator().predict(graph, compute_stress))


def stacked_of(potential: Potential | Committee) -> Potential:
    """A committee's stack, or that of one potential, a copy."""
    return potential.stacked if isinstance(potential, Committee) else stack([potential])


def evaluator(stacked: Potential, autograd: bool = False, constant: bool = False) -> Engine | Reference:
    """What evaluates a stack: the engine where its architecture has one and autograd is not asked for; `constant` as for `Engine`."""
    return Reference(stacked) if autograd or not isinstance(stacked.architecture, InvariantModel) else Engine(stacked, constant)


def one_or_committee(members: Sequence[Potential]) -> Potential | Committee:
    """The only member itself, or the committee of several."""
    return members[0] if len(members) == 1 else Committee(members)
