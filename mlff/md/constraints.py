"""Constraints on the anions of all replicas: what velocities they allow, and how atoms move under no force."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from mlff.geometry.held_anions import HeldAnions
from mlff.md.bodies import Bodies
from mlff.md.curved import RigidBodies, Rotationless

KINDS = ("eckart", "angular_momentum")


class Part(Protocol):
    """Constrained anions of one size.

    bodies: which atoms they consist of.
    """

    bodies: Bodies

    def allowed(self, positions: Tensor, velocities: Tensor) -> Tensor:
        """P v of the atoms of each, (n_anions, n, 3) both ways."""


class Projection:
    """A constant P: what it holds stays held to rounding, because an allowed velocity leads to where the same ones are allowed.

    Args:
        projectors: (n_anions, 3n, 3n).
    """

    def __init__(self, bodies: Bodies, projectors: np.ndarray):
        self.bodies, self._projectors = bodies, torch.from_numpy(projectors).to(bodies.mass.device)

    def allowed(self, positions: Tensor, velocities: Tensor) -> Tensor:
        return torch.bmm(self._projectors, velocities.flatten(1).unsqueeze(2)).view_as(velocities)


class Constraint:
    """Holds degrees of freedom of the replicas fast; without parts, none.

    Args:
        masses: (n_atoms,), any unit.
        parts: no two with an atom in common.
    """

    def __init__(self, masses: Tensor, parts: Sequence[Part] = ()):
        self.parts, self._mass = list(parts), masses.unsqueeze(1)

    def velocities(self, positions: Tensor, velocities: Tensor) -> Tensor:
        """P v, (n_atoms, 3): what is allowed at these positions of velocities, or of accelerations."""
        for part in self.parts:
            own = part.allowed(part.bodies.of(positions), part.bodies.of(velocities))
            velocities = part.bodies.put(velocities, own)
        return velocities

    def forces(self, positions: Tensor, forces: Tensor) -> Tensor:
        """Pᵀ F = M P M⁻¹ F, (n_atoms, 3)."""
        return self._mass * self.velocities(positions, forces / self._mass) if self.parts else forces

    def moved(self, positions: Tensor, velocities: Tensor, time: float) -> tuple[Tensor, Tensor]:
        """Positions and velocities after motion under no force for `time`, fs; allowed ones are so afterwards, whatever holds them."""
        after = positions + time * velocities
        for part in self.parts:
            if isinstance(part, RigidBodies):
                own = part.moved(part.bodies.of(positions), part.bodies.of(velocities), time)
                after, velocities = (part.bodies.put(whole, values) for whole, values in zip((after, velocities), own, strict=True))
        return after, velocities


def constraint_of(held: Sequence[Iterable[HeldAnions]], first: Sequence[int], masses: Tensor, kind: str = "eckart") -> Constraint:
    """The constraint that holds these anions.

    Args:
        held: of each replica. first: of each replica, the index of its first atom.
        masses: of all atoms, (n_atoms,).
        kind: how rotation is held where vibration is free. "eckart": against the reference, so that an anion never turns;
            "angular_momentum": Σ m r × v = 0 about its centre at each moment, which lets a vibrating anion turn in small loops.
    Raises:
        ValueError: another kind.
    """
    if kind not in KINDS:
        raise ValueError(f"constraint kind is {kind!r}, expected one of {', '.join(KINDS)}")
    groups: dict[tuple[str, int], list[tuple[HeldAnions, np.ndarray]]] = defaultdict(list)
    for of_replica, start in zip(held, first, strict=True):
        for group in of_replica:
            groups[_form(group.motions, kind), group.atoms.shape[1]].append((group, group.atoms + start))
    return Constraint(masses, [_part(form, members, masses.device) for (form, _), members in groups.items()])


def _form(motions: str, kind: str) -> str:
    if motions in ("V", "TV"):
        return "rigid"
    return kind if motions in ("R", "RT") else "eckart"


def _part(form: str, members: Sequence[tuple[HeldAnions, np.ndarray]], device: torch.device) -> Part:
    def all_of(name: str) -> np.ndarray:
        return np.concatenate([getattr(group, name) for group, _ in members])

    fixed = np.repeat([group.pins_momentum for group, _ in members], [len(group.atoms) for group, _ in members])
    bodies = Bodies(np.concatenate([atoms for _, atoms in members]), all_of("masses"), fixed, device)
    if form == "rigid":
        return RigidBodies(bodies, all_of("reference"))
    return Rotationless(bodies) if form == "angular_momentum" else Projection(bodies, all_of("projectors"))
