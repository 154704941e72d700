"""Models compiled ahead of time against the reference. They are tiny: compiling one of size S takes minutes."""

import numpy as np
import pytest
import torch
from ase import Atoms, units
from ase.md.verlet import VelocityVerlet

from mlff.engine import Committee
from mlff.export.ase import MLFFCalculator
from mlff.export.ase.engine import ASE
from mlff.export.compiled import CompiledPotential, compile_potential
from mlff.export.compiled.aot import compile_module
from mlff.export.compiled.captured import captured
from mlff.export.compiled.engine import Compiled
from mlff.run.command import plain_errors
from scripts.benchmarks.captured import nve_step
from tests.checks import answer_of
from tests.contracts.potentials import add_tiny, crystal, tiny_committee


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    add_tiny(monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lean", "lean2"])
def test_a_compiled_model_answers_as_the_reference(name, tmp_path, rng, monkeypatch, compiled_cache):
    monkeypatch.setenv("MLFF_CACHE", str(compiled_cache))
    members = tuple(tiny_committee(name))
    compile_potential(members, tmp_path / "model", dtype="float64")
    compiled = CompiledPotential(tmp_path / "model")
    # other numbers of atoms and neighbours than it was compiled with, a small triclinic cell, one species missing
    for n in (12, 7):
        atoms = crystal(rng, n=n)
        if n == 7:
            atoms.symbols = ["Li", "P", "S", "Li", "P", "S", "S"]
        species = torch.tensor([compiled.species.index(s) for s in atoms.symbols])
        neighbors = compiled.neighbors(species, atoms.pbc)
        for _ in range(2):
            atoms.positions += rng.normal(scale=0.02, size=atoms.positions.shape)
            ours = compiled.evaluate(neighbors.hood(atoms.positions, atoms.cell.array), torch.from_numpy(atoms.positions))
            alone = [answer_of(member)(atoms) for member in members]
            for k, reference in enumerate(alone):
                # 1e-9: float64, sums in another order
                assert float(ours.members.energy[k, 0]) == pytest.approx(float(reference.energy), abs=1e-9)
                np.testing.assert_allclose(ours.members.forces[k], reference.forces, atol=1e-9)
                np.testing.assert_allclose(ours.members.stress[k, 0], reference.stress, atol=1e-10)
            forces = np.array([reference.forces for reference in alone])
            np.testing.assert_allclose(ours.forces, forces.mean(0), atol=1e-9)
            np.testing.assert_allclose(ours.energies, np.mean([r.energies for r in alone], axis=0), atol=1e-9)
            np.testing.assert_allclose(ours.forces_std, np.sqrt(forces.var(0).sum(-1)), atol=1e-9)
    assert_moves_as_the_reference(compiled, members, rng)
    assert_serves_the_calculator(tmp_path / "model", members, rng)


def assert_moves_as_the_reference(compiled, members, rng):
    """The benchmark's step, which a GPU records as one graph, beside ASE's velocity Verlet."""
    atoms = crystal(rng, n=12)
    atoms.calc = MLFFCalculator(Committee(members), dtype="float64", skin=0.0)
    species = torch.tensor([compiled.species.index(s) for s in atoms.symbols])
    hood = compiled.neighbors(species, atoms.pbc).hood(atoms.positions, atoms.cell.array)
    step, state = nve_step(compiled, hood, atoms, rng)
    atoms.set_velocities(hood.of_atoms(state[1].T).T.numpy())
    step = captured(step, state)
    reference = VelocityVerlet(atoms, timestep=units.fs)
    for _ in range(5):
        step()
    reference.run(5)
    np.testing.assert_allclose(hood.of_atoms(state[0].T).T, atoms.positions, atol=1e-9)
    np.testing.assert_allclose(hood.of_atoms(state[1].T).T, atoms.get_velocities(), atol=1e-9)
    assert float(state[3]) == pytest.approx(atoms.get_potential_energy(), abs=1e-8)


def assert_serves_the_calculator(folder, members, rng):
    """One line of ASE, with a skin and the members' results."""
    ours, reference = MLFFCalculator.load(folder), MLFFCalculator(Committee(members), dtype="float64")
    for atoms in (crystal(rng), crystal(rng, n=8), crystal(rng, n=8, pbc=[True, False, True]), Atoms("LiS", [[0, 0, 0], [0, 0, 2.2]])):
        for _ in range(2):
            atoms.positions += rng.normal(scale=0.02, size=atoms.positions.shape)
            wanted = ["energy", "forces", *(["stress"] if atoms.cell.rank == 3 else [])]
            for calculator in (ours, reference):
                calculator.calculate(atoms, wanted)
            assert set(ours.results) == set(reference.results) > {"forces_std", "energy_comm", "forces_comm"}
            for name, value in reference.results.items():
                np.testing.assert_allclose(ours.results[name], value, rtol=1e-9, atol=1e-9, err_msg=name)
    assert ours._neighbors.n_rebuilds == 1
    with pytest.raises(ValueError, match="holds Na, but the model was trained on Li, P, S, Ge"):
        ours.calculate(Atoms("NaS", [[0, 0, 0], [0, 0, 2.2]]))
    with pytest.raises(ValueError, match="was compiled for dtype 'float64', but 'float32' was asked for; leave it out"):
        MLFFCalculator.load(folder, dtype="float32")
    with pytest.raises(ValueError, match="was compiled for device 'cpu', but 'cuda' was asked for"):
        MLFFCalculator.load(folder, device="cuda")


def test_nothing_is_compiled_twice(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFF_CACHE", str(tmp_path / "cache"))

    class Square(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.factor = torch.nn.Parameter(torch.tensor(2.0), requires_grad=False)

        def forward(self, x):
            return (self.factor * x * x,)

    inputs, dynamic = (torch.ones(3),), (frozenset({0}),)
    compile_module(Square(), inputs, dynamic, tmp_path / "one.pt2", "square")
    calls = []
    monkeypatch.setattr("mlff.export.compiled.aot._compile", lambda *args: calls.append(args))
    compile_module(Square(), inputs, dynamic, tmp_path / "two.pt2", "square")
    assert not calls
    assert (tmp_path / "one.pt2").read_bytes() == (tmp_path / "two.pt2").read_bytes()
    run = torch._inductor.aoti_load_package(str(tmp_path / "two.pt2"))
    torch.testing.assert_close(run(torch.arange(5.0))[0], 2 * torch.arange(5.0) ** 2)


@pytest.mark.parametrize("missing", [{"PATH": "", "CXX": ""}, {"CXX": "no-such-compiler"}], ids=["none", "the-named-one"])
def test_no_compiler_is_said_plainly(missing, tmp_path, monkeypatch):
    members = tuple(tiny_committee("lean"))
    for name, value in missing.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(FileNotFoundError, match=r"found no C\+\+ compiler, which compiling a model needs; install g\+\+ or set CXX"):
        compile_potential(members, tmp_path / "model")
    assert not (tmp_path / "model").exists()
    assert Compiled().missing().startswith("found no C++ compiler")
    with pytest.raises(SystemExit, match=r"^error: found no C\+\+ compiler"), plain_errors():
        compile_potential(members, tmp_path / "model")


def test_no_gpu_is_said_plainly(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for engine in (Compiled(device="cuda"), ASE(device="cuda")):
        assert engine.missing() == "PyTorch finds no GPU for device 'cuda'; set the engine's device to cpu"
    assert Compiled().missing() is None


def test_an_empty_folder_is_no_compiled_model(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"holds no model\.pt2, expected a compiled model"):
        CompiledPotential(tmp_path)
