"""Every engine of conf/export/engine against ASE in float64, and ASE built to be wrong against the same checks.

A rank without atoms and dynamics at constant pressure are in the tests of LAMMPS.
"""

import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms

from mlff.artefact import save
from mlff.data.dataset import graph_of
from mlff.engine import one_or_committee
from mlff.export.engine import Answer, Engine, export
from mlff.export.verify import TOLERANCES
from mlff.model.potential import forces_from_edges
from mlff.run.verify import engines, names
from tests.checks import frame_of
from tests.contracts.engines import CHECKS, Exported, Subject, check_dynamics
from tests.contracts.potentials import REFERENCE, add_tiny, build, build_committee, crystal, describe, tiny_committee

FEW = ("check_strained_cell",)
# by architecture and number of members; every engine sees all checks on one of them
CASES = {("lean2", 1): tuple(CHECKS), ("lean", 1): FEW, ("lean2", 2): FEW}
COMPILED = {("lean2", 2): tuple(CHECKS), ("lean", 2): FEW}  # of `tiny_committee`
SLOW = ("compiled", "check_dynamics")

Exports = Callable[[str, str, int], tuple[Exported, Exported]]


def cases() -> list:
    found = []
    for name in names():
        for (architecture, n_members), checks in (COMPILED if name == "compiled" else CASES).items():
            for check in checks:
                marks = [pytest.mark.slow] if name in SLOW or check in SLOW else []
                found.append(
                    pytest.param(name, architecture, n_members, check, marks=marks, id=f"{name}-{architecture}-{n_members}-{check}")
                )
    return found


@pytest.fixture(scope="module")
def exports(tmp_path_factory) -> Iterator[Exports]:
    """An engine and ASE in float64, each with the same model; made once."""
    folder = tmp_path_factory.mktemp("engines")

    @functools.cache
    def artefact(architecture: str, n_members: int, tiny: bool) -> Path:
        options = {"size": "tiny", "n_layers": 1} if tiny else {"size": "XS"}
        members = tiny_committee(architecture) if tiny else build_committee(architecture, n_members, **options)
        card = {"model": describe(architecture, **options), "dtype": "float64"}
        path = folder / f"{architecture}-{n_members}-{tiny}"
        return save(path, one_or_committee(members), card, [frame_of(crystal(np.random.default_rng(1)))])

    @functools.cache
    def exported(name: str, architecture: str, n_members: int, tiny: bool) -> Exported:
        engine = engine_of(name)
        path = folder / f"{architecture}-{n_members}-{tiny}-in-{name}"
        export(engine, artefact(architecture, n_members, tiny), path)
        return Exported(engine, path)

    def both(name: str, architecture: str, n_members: int) -> tuple[Exported, Exported]:
        if reason := engine_of(name).missing():
            pytest.skip(reason)
        return tuple(exported(which, architecture, n_members, name == "compiled") for which in (name, "ase"))

    with pytest.MonkeyPatch.context() as patch:
        add_tiny(patch)
        yield both


def engine_of(name: str) -> Engine:
    """In float64, or in float32 where it refuses that."""
    return next(engine for _, engine, _ in engines([name], "cpu", ["float64", "float32"]) if isinstance(engine, Engine))


@pytest.mark.parametrize(("name", "architecture", "n_members", "check"), cases())
def test_an_engine_answers_as_the_model(name, architecture, n_members, check, exports, rng, monkeypatch, compiled_cache):
    if name == "compiled":
        monkeypatch.setenv("MLFF_CACHE", str(compiled_cache))
    CHECKS[check](*exports(name, architecture, n_members), rng)


@pytest.mark.slow
def test_ase_keeps_the_energy_for_a_thousand_steps(exports, rng):
    check_dynamics(*exports("ase", "lean", 1), rng, n_steps=1000)


class Wrong:
    """What an engine was given, with something wrong about its answers."""

    dtype, tolerance = "float64", TOLERANCES["float64"]

    def __init__(self, inner: Exported):
        self.inner = inner

    def answers(self, frames: Sequence[Atoms]) -> list[Answer]:
        return [self.wrong(atoms, answer) for atoms, answer in zip(frames, self.inner.answers(self.misread(frames)), strict=True)]

    def misread(self, frames: Sequence[Atoms]) -> Sequence[Atoms]:
        return frames

    def wrong(self, atoms: Atoms, answer: Answer) -> Answer:
        return answer

    def nve(self, atoms: Atoms, timestep: float, n_steps: int) -> np.ndarray:
        return self.inner.nve(self.misread([atoms])[0], timestep, n_steps)


class FlippedVirial(Wrong):
    def wrong(self, atoms: Atoms, answer: Answer) -> Answer:
        return dataclasses.replace(answer, stress=-answer.stress)


class SwappedVoigt(Wrong):
    """yz and xy exchanged, as an order xx yy zz xy xz yz read as xx yy zz yz xz xy."""

    def wrong(self, atoms: Atoms, answer: Answer) -> Answer:
        order = [2, 1, 0]
        swapped = answer.stress[np.ix_(order, order)]
        np.fill_diagonal(swapped, np.diag(answer.stress))
        return dataclasses.replace(answer, stress=swapped)


class SwappedSpecies(Wrong):
    def misread(self, frames: Sequence[Atoms]) -> list[Atoms]:
        frames = [atoms.copy() for atoms in frames]
        for atoms in frames:
            atoms.symbols = [{"Li": "P", "P": "Li"}.get(symbol, symbol) for symbol in atoms.symbols]
        return frames


class OneReferenceTooMany(Wrong):
    def wrong(self, atoms: Atoms, answer: Answer) -> Answer:
        return dataclasses.replace(answer, energy=answer.energy + REFERENCE[atoms.symbols[0]])


class StaleForces(Wrong):
    """Of the frame before, where it had as many atoms."""

    def answers(self, frames: Sequence[Atoms]) -> list[Answer]:
        answers = self.inner.answers(frames)
        before = [answers[0], *answers[:-1]]
        return [
            dataclasses.replace(now, forces=then.forces) if then.forces.shape == now.forces.shape else now
            for now, then in zip(answers, before, strict=True)
        ]


class DroppedGhostForces(Wrong):
    """What an atom feels because it is the neighbour, across the boundary, of another is not sent back to it."""

    def wrong(self, atoms: Atoms, answer: Answer) -> Answer:
        potential = build("lean2", size="XS")
        hood = potential.neighborhood(graph_of(frame_of(atoms), potential.species, potential.r_max))
        hood = hood.moved(hood.vectors.detach().requires_grad_())
        (pull,) = torch.autograd.grad(potential.energies(hood).sum(), hood.vectors)
        ghost = hood.shift.bool().any(0)
        # what arrives by way of ghosts is the reaction of edges that cross the boundary
        inside = forces_from_edges(torch.where(ghost, 0, pull), hood)
        crossing = hood.of_atoms(torch.where(ghost, pull, 0).sum(-2)).mT
        return dataclasses.replace(answer, forces=(inside + crossing).numpy())


class WrappedAsOrthorhombic(Wrong):
    """Atoms outside of the cell come back by the lengths of its edges along x, y and z."""

    def misread(self, frames: Sequence[Atoms]) -> list[Atoms]:
        frames = [atoms.copy() for atoms in frames]
        for atoms in frames:
            atoms.positions = np.mod(atoms.positions, atoms.cell.lengths())
        return frames


class HeavyLithium(Wrong):
    """Masses of another isotope in its dynamics."""

    def misread(self, frames: Sequence[Atoms]) -> list[Atoms]:
        frames = [atoms.copy() for atoms in frames]
        for atoms in frames:
            velocities = atoms.get_velocities()
            atoms.set_masses(1.02 * atoms.get_masses())
            atoms.set_velocities(velocities)
        return frames


class Heating(Wrong):
    def nve(self, atoms: Atoms, timestep: float, n_steps: int) -> np.ndarray:
        late = np.clip(np.arange(n_steps + 1) - 20, 0, None)  # after the steps that are compared with ASE's
        return super().nve(atoms, timestep, n_steps) + 1e-5 * len(atoms) * late


class TakesSodiumForLithium(Wrong):
    def misread(self, frames: Sequence[Atoms]) -> list[Atoms]:
        frames = [atoms.copy() for atoms in frames]
        for atoms in frames:
            atoms.symbols = ["Li" if symbol == "Na" else symbol for symbol in atoms.symbols]
        return frames


@pytest.mark.parametrize(
    ("wrong", "check"),
    [
        (FlippedVirial, "check_pressure"),
        (FlippedVirial, "check_strained_cell"),
        (SwappedVoigt, "check_strained_cell"),
        (SwappedSpecies, "check_absent_species"),
        (SwappedSpecies, "check_lone_atom"),
        (OneReferenceTooMany, "check_lone_atom"),
        (OneReferenceTooMany, "check_order_of_species"),
        (StaleForces, "check_strained_cell"),
        (DroppedGhostForces, "check_small_cell"),
        (DroppedGhostForces, "check_strained_cell"),
        (WrappedAsOrthorhombic, "check_lattice_translations"),
        (HeavyLithium, "check_dynamics"),
        (Heating, "check_dynamics"),
        (TakesSodiumForLithium, "check_unknown_species"),
    ],
)
def test_a_wrong_engine_is_caught(wrong, check, exports, rng):
    right, reference = exports("ase", "lean2", 1)
    subject: Subject = wrong(right)
    with pytest.raises(AssertionError):
        CHECKS[check](subject, reference, rng)


def test_dropped_ghost_forces_are_all_that_is_wrong_there(exports, rng):
    """Where no edge crosses the boundary, that engine is right: what is caught above is the ghosts'."""
    right, _ = exports("ase", "lean2", 1)
    atoms = crystal(rng, n=8, pbc=False)
    ours, theirs = DroppedGhostForces(right).answers([atoms])[0], right.answers([atoms])[0]
    np.testing.assert_allclose(ours.forces, theirs.forces, atol=1e-9)  # float64 sums in another order
