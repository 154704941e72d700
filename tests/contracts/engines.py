"""Laws that every engine obeys, as assertions on what an engine was given, beside ASE in float64 (tests/contracts/test_engines.py).

Each check takes `ours`, so that it can also be shown an engine built to break it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from ase import Atoms
from ase.build import make_supercell

from mlff.export.engine import Answer, Engine
from mlff.export.verify import TOLERANCES, Tolerance, at_temperature
from tests.contracts.potentials import REFERENCE, crystal

TIMESTEP = 0.25  # fs: random models are stiff
VOLUME_STEP = {"float64": 1e-4, "float32": 2e-3}  # relative change of a length, for differences of energies
DRIFT = 1e-5  # eV/atom between the halves of a run: 1e-6 in ASE, whose Verlet energy sways by 4e-6
PRESSURE = {"float64": 1e-5, "float32": 2e-3}  # eV/Å³: the third derivative times step², and rounding of the energy over the step


class Subject(Protocol):
    """An engine and what it was given."""

    tolerance: Tolerance
    dtype: str

    def answers(self, frames: Sequence[Atoms]) -> list[Answer]:
        """As `Engine.answers`."""

    def nve(self, atoms: Atoms, timestep: float, n_steps: int) -> np.ndarray:
        """As `Engine.nve`."""


@dataclass(frozen=True)
class Exported:
    """An engine and the folder that it wrote."""

    engine: Engine
    folder: Path

    @property
    def dtype(self) -> str:
        return self.engine.dtype

    @property
    def tolerance(self) -> Tolerance:
        return TOLERANCES[self.dtype]

    def answers(self, frames: Sequence[Atoms]) -> list[Answer]:
        return self.engine.answers(self.folder, frames)

    def nve(self, atoms: Atoms, timestep: float, n_steps: int) -> np.ndarray:
        return self.engine.nve(self.folder, atoms, timestep, n_steps)


def check_answers(ours: Subject, reference: Subject, frames: Sequence[Atoms]) -> list[Answer]:
    """Energy, forces and all six stress components are ASE's, for frames asked for one after another; returns them."""
    answers = ours.answers(frames)
    for atoms, found, expected in zip(frames, answers, reference.answers(frames), strict=True):
        assert_same(found, expected, ours.tolerance, len(atoms))
    return answers


def check_strained_cell(ours: Subject, reference: Subject, rng: np.random.Generator) -> None:
    """A triclinic strained cell of 48 atoms, some outside of it, and moved on: no answer is left over from the frame before."""
    atoms = make_supercell(crystal(rng), np.diag([1, 2, 2]))
    atoms.set_cell(atoms.cell.array @ (np.eye(3) + 0.03 * rng.normal(size=(3, 3))), scale_atoms=True)
    atoms.positions += rng.integers(-1, 2, size=(len(atoms), 3)) @ atoms.cell.array
    moved = atoms.copy()
    moved.positions += rng.normal(scale=0.05, size=moved.positions.shape)
    check_answers(ours, reference, [atoms, moved, atoms])


def check_small_cell(ours: Subject, reference: Subject, rng: np.random.Generator) -> None:
    """Cells smaller than the cutoff of 4 Å, along one axis and along all, where an atom is its own neighbour."""
    cell = np.array([[3.4, 0.2, -0.3], [0.5, 3.1, 0.2], [-0.4, 0.3, 3.6]])
    tiny = Atoms("LiS", scaled_positions=[[0, 0, 0], [0.52, 0.47, 0.51]], cell=cell, pbc=True)
    check_answers(ours, reference, [crystal(rng), tiny])


def check_absent_species(ours: Subject, reference: Subject, rng: np.random.Generator) -> None:
    """Structures of some of the model's species, the first and the last left out in turn."""
    frames = [crystal(rng) for _ in range(3)]
    for atoms, symbols in zip(frames, (["P", "S", "Ge"], ["Li", "P", "S"], ["S"]), strict=True):
        atoms.symbols = (symbols * len(atoms))[: len(atoms)]
    check_answers(ours, reference, frames)


def check_order_of_species(ours: Subject, reference: Subject, rng: np.random.Generator) -> None:
    """Species that come in another order than the model's, and atoms in another order than their species'."""
    atoms = crystal(rng)
    order = np.argsort(-atoms.numbers, kind="stable")  # heaviest first
    one, other, _ = check_answers(ours, reference, [atoms, atoms[order], atoms[rng.permutation(len(atoms))]])
    assert_same(other, Answer(one.energy, one.forces[order], one.stress), ours.tolerance, len(atoms))


def check_lattice_translations(ours: Subject, reference: Subject, rng: np.random.Generator) -> None:
    """Atoms in other images of the cell, and all of them moved along: nothing changes."""
    atoms = crystal(rng)
    elsewhere, along = atoms.copy(), atoms.copy()
    elsewhere.positions += rng.integers(-3, 4, size=(len(atoms), 3)) @ atoms.cell.array
    along.positions += rng.normal(scale=3.0, size=3)
    here, *others = check_answers(ours, reference, [atoms, elsewhere, along])
    for other in others:
        assert_same(other, here, ours.tolerance, len(atoms))


def check_lone_atom(ours: Subject, reference: Subject, rng: np.random.Generator) -> None:
    """One atom in a large cell: E0 of its species, no force and no stress."""
    frames = [Atoms(symbol, [rng.normal(size=3)], cell=np.diag([20.0, 21.0, 22.0]), pbc=True) for symbol in REFERENCE]
    for answer, energy in zip(ours.answers(frames), REFERENCE.values(), strict=True):
        assert_same(answer, Answer(energy, np.zeros((1, 3)), np.zeros((3, 3))), ours.tolerance, 1)


def check_pressure(ours: Subject, reference: Subject, rng: np.random.Generator) -> None:
    """−tr(stress)/3 = −∂E/∂V by differences of the engine's own energies."""
    atoms = crystal(rng)
    step = VOLUME_STEP[ours.dtype]
    larger, smaller = atoms.copy(), atoms.copy()
    for changed, sign in ((larger, 1), (smaller, -1)):
        changed.set_cell(atoms.cell.array * (1 + sign * step), scale_atoms=True)
    here, more, less = ours.answers([atoms, larger, smaller])
    slope = (more.energy - less.energy) / (larger.get_volume() - smaller.get_volume())
    np.testing.assert_allclose(np.trace(here.stress) / 3, slope, rtol=0, atol=PRESSURE[ours.dtype])


def check_dynamics(ours: Subject, reference: Subject, rng: np.random.Generator, n_steps: int = 200) -> None:
    """Velocity Verlet keeps the total energy, and begins as ASE's does."""
    atoms = crystal(rng)
    atoms.set_cell(1.1 * atoms.cell.array, scale_atoms=True)  # as it is, a random model may pull atoms together
    atoms = at_temperature(atoms, 300.0)
    total, expected = ours.nve(atoms, TIMESTEP, n_steps), reference.nve(atoms, TIMESTEP, 20)
    assert len(total) == n_steps + 1, f"{len(total)} energies of {n_steps} steps, expected the first and one after each"
    # the energies' own tolerance, and what differences of forces make of 20 steps
    np.testing.assert_allclose(total[:21], expected, rtol=0, atol=2 * ours.tolerance.energy * len(atoms))
    half = n_steps // 2
    # a drift would move the mean of the later half away; Verlet's own error sways about one value
    assert abs(total[half:].mean() - total[:half].mean()) / len(atoms) < DRIFT, f"the total energy drifts: {total[0]} to {total[-1]} eV"


def check_unknown_species(ours: Subject, reference: Subject, rng: np.random.Generator) -> None:
    """A species that the model does not know is refused by its name, not taken for another."""
    atoms = crystal(rng)
    atoms.symbols[3] = "Na"
    said = _refusal(ours, atoms)
    assert said is not None, "Na was taken for a species of the model"
    assert re.search(r"\bNa\b", said), f"the refusal names no Na: {said}"


def _refusal(ours: Subject, atoms: Atoms) -> str | None:
    try:
        ours.answers([atoms])
    except ValueError as error:
        return str(error)
    return None


def assert_same(found: Answer, expected: Answer, tolerance: Tolerance, n_atoms: int) -> None:
    np.testing.assert_allclose(found.energy, expected.energy, rtol=0, atol=tolerance.energy * n_atoms, err_msg="energy")
    np.testing.assert_allclose(found.forces, expected.forces, rtol=0, atol=tolerance.forces, err_msg="forces")
    np.testing.assert_allclose(found.stress, expected.stress, rtol=0, atol=tolerance.stress, err_msg="stress")


CHECKS = {
    check.__name__: check
    for check in (
        check_strained_cell,
        check_small_cell,
        check_absent_species,
        check_order_of_species,
        check_lattice_translations,
        check_lone_atom,
        check_pressure,
        check_dynamics,
        check_unknown_species,
    )
}
