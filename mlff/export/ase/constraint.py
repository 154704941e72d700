"""Constraints on polyatomic anions for ASE's dynamics and relaxations."""

import copy
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Self

import numpy as np
from ase import Atoms
from ase.constraints import FixCom, FixConstraint
from ase.constraints.constraint import slice2enlist
from ase.md.bussi import Bussi
from ase.md.langevin import Langevin
from ase.md.md import MolecularDynamics
from ase.md.verlet import VelocityVerlet

from mlff.export.held_anions import hold_anions, taken
from mlff.geometry.held_anions import HeldAnions

HONOURED = (VelocityVerlet, Bussi, Langevin)
REMEDY = "use VelocityVerlet, Langevin or Bussi"
VIRIAL = (
    "the constraints' forces have a virial of their own, which is not derived here; keep the cell, or ask for "
    "get_stress(apply_constraint=False), the potential's alone"
)


class AnionConstraint(FixConstraint):
    """Rotation, translation or vibration of anions taken away by constant projectors (`mlff.geometry.anion_motion`).

        atoms.set_constraint(AnionConstraint.of(atoms, "RC"))
        Langevin(atoms, 1 * units.fs, temperature_K=600, friction=0.01 / units.fs, fixcm=False).run(1000)

    VelocityVerlet, Langevin and Bussi honour it, and so do ASE's relaxations at a fixed cell. At their first step other dynamics are
    refused, because they go wrong without a word: NoseHooverChainNVT keeps momenta of its own, which the constraint does not reach
    (9 K in a cell of Li3PS4 for a target of 600 K). A change of the cell and the stress are refused too. Only classes of ASE's
    MolecularDynamics are told apart, because others do not say what they do.

    ASE counts 3N degrees of freedom less those of the constraint. Where the constraint pins momentum (T), that is right, and Langevin's
    `fixcm` and FixCom are refused. Otherwise the total momentum is a constraint of its own: under Langevin with `fixcm=False` it is
    thermal and the count is right; under Bussi and VelocityVerlet it is conserved, thus add FixCom to have its 3 counted too.

    Momenta given before the constraint are projected by `of`; scale them to a temperature afterwards, for example by
    `force_temperature`. Positions wrapped one by one stay constrained, but `held` then no longer knows an anion that was cut.
    A file of ASE (.traj, .json) keeps no such constraint; make it anew.

    Args:
        held: from `mlff.geometry.held_anions.hold`.
    Raises:
        ValueError: an entry has no projector.
    """

    def __init__(self, held: Sequence[HeldAnions]):
        if any(group.projectors is None for group in held):
            raise ValueError("an anion is left to turn as a rigid body, which has no constant projector; take RVC or RTVC")
        self.held = list(held)
        self._in_plane = [np.stack([_in_plane(m, rows) for m, rows in zip(g.masses, taken(g), strict=True)]) for g in self.held]

    @classmethod
    def of(cls, atoms: Atoms, mode: str, kinds: Collection[str] | None = None, shapes: Mapping[int, np.ndarray] | None = None) -> Self:
        """Find the anions and lay references over them; the atoms' positions and momenta are put where the constraint allows them.

        Arguments and errors as those of `mlff.export.held_anions.hold_anions`; set it by `atoms.set_constraint`.
        """
        held, positions = hold_anions(atoms, mode, kinds, shapes)
        constraint = cls(held)
        atoms.set_positions(positions, apply_constraint=False)
        if atoms.has("momenta"):
            momenta = atoms.get_momenta()
            constraint.adjust_momenta(atoms, momenta)
            atoms.set_momenta(momenta, apply_constraint=False)
        return constraint

    @property
    def pins_momentum(self) -> bool:
        """Whether the total momentum is not conserved."""
        return any(group.pins_momentum for group in self.held)

    def get_removed_dof(self, atoms: Atoms) -> int:
        return int(sum(group.n_removed.sum() for group in self.held))

    def get_indices(self) -> np.ndarray:
        """All atoms of the anions."""
        return np.concatenate([group.atoms.ravel() for group in self.held])

    def adjust_positions(self, atoms: Atoms, new: np.ndarray) -> None:
        """Project the step from where the atoms are, (n_atoms, 3), in place.

        Raises:
            ValueError: dynamics take it that do not honour constraints, or that take the centre of mass from anions that stand.
        """
        self._check(atoms)
        for group in self.held:
            old = atoms.positions[group.atoms]
            new[group.atoms] = old + _applied(group.projectors, new[group.atoms] - old)

    def adjust_momenta(self, atoms: Atoms, momenta: np.ndarray) -> None:
        """Project velocities; momenta (n_atoms, 3), in place. Errors as those of `adjust_positions`."""
        self._check(atoms)
        for group in self.held:
            masses = group.masses[..., None]
            momenta[group.atoms] = masses * _applied(group.projectors, momenta[group.atoms] / masses)

    def adjust_forces(self, atoms: Atoms, forces: np.ndarray) -> None:
        """For relaxations, which step along forces: the nearest to them along which the constraint allows a step, masses apart.

        Dynamics do not ask for it, but project momenta; the two differ by forces of the constraint, which those do away with.
        """
        for group, in_plane in zip(self.held, self._in_plane, strict=True):
            forces[group.atoms] = _applied(in_plane, forces[group.atoms])

    def adjust_cell(self, atoms: Atoms, cell: np.ndarray) -> None:
        raise ValueError(f"the cell is about to change under constrained anions, but {VIRIAL}")

    def adjust_stress(self, atoms: Atoms, stress: np.ndarray) -> None:
        raise ValueError(f"the stress of constrained anions was asked for, but {VIRIAL}")

    def index_shuffle(self, atoms: Atoms, ind) -> None:
        """For a part of the atoms or another order of them: anions that are whole there stay constrained.

        Raises:
            IndexError: none is; ASE then leaves the constraint out.
        """
        place = np.full(len(atoms), -1)
        for new, old in slice2enlist(ind, len(atoms)):
            place[old] = new
        held = []
        for group in self.held:
            atoms_there = place[group.atoms]
            whole = (atoms_there >= 0).all(1)
            if whole.any():
                arrays = {name: getattr(group, name)[whole] for name in ("shifts", "masses", "reference", "projectors", "n_removed")}
                held.append(replace(group, atoms=atoms_there[whole], **arrays))
        if not held:
            raise IndexError("no constrained anion is whole among these atoms")
        self.__init__(held)

    def copy(self) -> Self:
        return copy.deepcopy(self)

    @property
    def todict(self):
        # ASE's files read back only constraints of its own, and skip one that has no todict
        raise AttributeError(f"{type(self).__name__} is not written to files; make it anew by `AnionConstraint.of`")

    def __repr__(self) -> str:
        return f"AnionConstraint({', '.join(f'{g.motions} of {len(g.atoms)} anions of {g.atoms.shape[1]} atoms' for g in self.held)})"

    def _check(self, atoms: Atoms) -> None:
        if self.pins_momentum and any(type(other) is FixCom for other in atoms.constraints):
            raise ValueError("FixCom moves anions whose translation is constrained; remove it: the total momentum is not conserved here")
        dynamics = _driving(atoms)
        if dynamics is None:
            return
        name = type(dynamics).__name__
        if type(dynamics).step not in [honoured.step for honoured in HONOURED]:
            raise ValueError(f"{name} does not honour constraints on anions, or was not seen to: its temperature would be wrong; {REMEDY}")
        if self.pins_momentum and getattr(dynamics, "fix_com", False):
            raise ValueError(
                f"{name} with fixcm=True takes the total momentum from its noise, but anions whose translation is constrained take it up; "
                "set fixcm=False"
            )


def _driving(atoms: Atoms) -> MolecularDynamics | None:
    """The dynamics whose step moves these atoms now; ASE does not tell a constraint, thus it is looked for among the callers."""
    frame = sys._getframe(1)
    while frame is not None:
        caller = frame.f_locals.get("self")
        if isinstance(caller, MolecularDynamics) and caller.atoms is atoms:
            return caller
        frame = frame.f_back
    return None


def _applied(matrices: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """(n_anions, 3n, 3n) on (n_anions, n, 3)."""
    return (matrices @ vectors.reshape(len(vectors), -1, 1)).reshape(vectors.shape)


def _in_plane(masses: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """1 − Aᵀ(AAᵀ)⁻¹A, (3n, 3n), of directions in coordinates √m·r."""
    basis, _ = np.linalg.qr((rows * np.sqrt(np.repeat(masses, 3))).T)
    return np.eye(len(basis)) - basis @ basis.T
