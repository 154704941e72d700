"""What ends a replica before it writes nonsense: atoms that coincide, heat that runs away, anions that break, members that disagree."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from ase.data import atomic_numbers, covalent_radii

from mlff.geometry import Anion, bonds_to_watch, broken_anions
from mlff.geometry.held_anions import HeldAnions
from mlff.md.batch import Batch
from mlff.md.dynamics import Dynamics, Target
from mlff.md.state import State
from mlff.nn.slots import Neighborhood
from mlff.units import K_B

UNDETERMINED = 0.2  # of `superposition`: a tetrahedron at rest has 1, one turned inside out 0


@dataclass(frozen=True)
class Bounds:
    """What a replica may not pass.

    force: eV/Å, of any atom; looked at after each step, all others at the interval of checks.
    contact: of the sum of two covalent radii, the shortest distance.
    temperature: times the target.
    bond: times the longest length at which an anion is recognised; None: anions may break.
    deviation: eV/Å, of the committee's members; None: any. deviation_stops: else it is left to a report to tell.
    """

    force: float = 200.0
    contact: float = 0.5
    temperature: float = 4.0
    bond: float | None = 1.25
    deviation: float | None = None
    deviation_stops: bool = True


@dataclass(frozen=True)
class Stop:
    """Why a replica ends; atom: an index within it, or None."""

    replica: int
    reason: str
    atom: int | None = None


class Guards:
    """Checks of the replicas of a batch.

    Args:
        held: of each replica, what is constrained.
    """

    def __init__(self, bounds: Bounds, batch: Batch, held: Sequence[Sequence[HeldAnions]]):
        self.bounds, self._batch, self._held = bounds, batch, held
        self._anions = [_by_kind(replica.anions, replica.atoms.numbers) for replica in batch.replicas]
        radii = torch.tensor([covalent_radii[atomic_numbers[s]] for s in batch.potential.species], dtype=torch.float64)
        self._shortest = bounds.contact * (radii.unsqueeze(0) + radii.unsqueeze(1)).to(batch.masses.device)

    def forces_pass(self, state: State) -> bool:
        """Whether every force is a number and within bounds; looked at after each step."""
        return bool(state.forces.abs().amax() <= self.bounds.force)

    def stops(self, dynamics: Dynamics, state: State, target: Target) -> list[Stop]:
        """The first reason of each replica that has one."""
        found: dict[int, Stop] = {}
        for stop in [
            *self._violent(dynamics, state),
            *self._close(dynamics.force_field.neighbors.hood(state.positions, state.cell), state),
            *self._hot(dynamics, state, target),
            *self._broken(state),
            *self._deviating(dynamics, state),
        ]:
            found.setdefault(stop.replica, stop)
        return list(found.values())

    def _violent(self, dynamics: Dynamics, state: State) -> list[Stop]:
        stops = []
        force = torch.nan_to_num(state.forces.norm(dim=1), nan=torch.inf, posinf=torch.inf)
        for k, own in enumerate(force.split(dynamics.replicas.sizes)):
            if own.max() > self.bounds.force:
                atom = int(own.argmax())
                size = "not a number" if torch.isinf(own[atom]) else f"{float(own[atom]):.3g} eV/Å"
                stops.append(Stop(k, f"the force on atom {atom} is {size}, expected {self.bounds.force} eV/Å at most", atom))
            elif not torch.isfinite(state.energy[k]):
                stops.append(Stop(k, "the energy is not a number"))
        return stops

    def _close(self, hood: Neighborhood, state: State) -> list[Stop]:
        slot_species = torch.repeat_interleave(torch.tensor(hood.slots_per_species, device=hood.species.device))
        limit = self._shortest[slot_species][:, hood.species]
        close = (hood.vectors.square().sum(0) < limit.square()).nonzero()
        stops = []
        if len(close):
            atoms = torch.arange(len(hood.site_of_atom), device=close.device)
            atom_of_site = torch.full_like(hood.species, -1).index_copy(0, hood.site_of_atom, atoms)
            for slot, site in close.tolist():
                i, j = int(atom_of_site[site]), int(atom_of_site[hood.neighbor[slot, site]])
                k, first = self._place(i)
                distance = float(hood.vectors[:, slot, site].norm())
                stops.append(Stop(k, f"atoms {i - first} and {j - first} are {distance:.2f} Å apart", i - first))
        return stops

    def _hot(self, dynamics: Dynamics, state: State, target: Target) -> list[Stop]:
        kT = dynamics.replicas.kT(state.velocities)
        # a few atoms may be that hot by chance: ten standard deviations of the canonical spread are none
        spread = 1 + 10 * (2 / dynamics.replicas.n_dof.clamp(min=1)).sqrt()
        limit = target.kT * spread.clamp(min=self.bounds.temperature)
        return [
            Stop(k, f"the temperature is {float(kT[k]) / K_B:.0f} K, the target {float(target.kT[k]) / K_B:.0f} K")
            for k in (kT > limit).nonzero().flatten().tolist()
        ]

    def _broken(self, state: State) -> list[Stop]:
        stops = []
        for k, (positions, cell) in enumerate(zip(state.positions.cpu().split(self._batch.sizes), state.cell.cpu(), strict=True)):
            at, box = positions.numpy(), cell.numpy()
            for kind, (atoms, watched, limits) in self._anions[k].items() if self.bounds.bond is not None else ():
                for broken in broken_anions(at[atoms], watched, self.bounds.bond * limits)[:1]:
                    stops.append(Stop(k, f"{kind} number {broken} broke", int(atoms[broken, 0])))
            for group in self._held[k]:
                if group.motions in ("R", "RT"):
                    _, determined = group.rotations(at, box)
                    for flat in np.flatnonzero(determined < UNDETERMINED)[:1]:
                        reason = f"constrained anion number {flat} was bent out of its shape, so that its rotation has no meaning"
                        stops.append(Stop(k, reason, int(group.atoms[flat, 0])))
        return stops

    def _deviating(self, dynamics: Dynamics, state: State) -> list[Stop]:
        bound = self.bounds.deviation
        if bound is None or not self.bounds.deviation_stops or len(state.deviation) == 0:
            return []
        stops = []
        for k, own in enumerate(state.deviation.split(dynamics.replicas.sizes)):
            if own.max() > bound:
                atom = int(own.argmax())
                stops.append(Stop(k, f"the members disagree on atom {atom} by {float(own[atom]):.3f} eV/Å, more than {bound}", atom))
        return stops

    def _place(self, atom: int) -> tuple[int, int]:
        """The replica of an atom of the batch, and its first atom."""
        k = int(np.searchsorted(self._batch.first, atom, side="right")) - 1
        return k, self._batch.first[k]


def _by_kind(anions: Sequence[Anion], numbers: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Atoms (n_anions, n), and what `broken_anions` takes, of each kind."""
    kinds = sorted({anion.kind for anion in anions})
    members = {kind: [anion for anion in anions if anion.kind == kind] for kind in kinds}
    return {kind: (np.stack([anion.atoms for anion in own]), *bonds_to_watch(own, numbers)) for kind, own in members.items()}
