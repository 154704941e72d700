import numpy as np
import pytest
import torch
from ase import Atoms

from mlff.artefact.locate import locate_model
from mlff.engine import Committee
from mlff.export.ase.engine import ASE
from mlff.export.engine import export
from mlff.export.torchsim.engine import TorchSim
from tests.checks import answer_of
from tests.contracts.potentials import build, crystal
from tests.export.programs import assert_says_what_ase_says, moving, run_python, saved_model, telling_structures

torch_sim = pytest.importorskip("torch_sim")


@pytest.fixture
def folder(tmp_path):
    TorchSim().write(saved_model(tmp_path / "artefact"), tmp_path / "out")
    return tmp_path / "out"


def model(potential, **options):
    from mlff.export.torchsim import MLFFModel  # here, for it needs TorchSim

    return MLFFModel(potential, dtype="float64", **options)


def state_of(frames: list[Atoms]):
    return torch_sim.initialize_state(frames, torch.device("cpu"), torch.float64)


def test_torchsim_says_what_ase_says(folder, rng):
    # 1e-11: float64 sums in another order
    assert_says_what_ase_says(TorchSim(dtype="float64"), folder, telling_structures(rng), energy=1e-11, forces=1e-11, stress=1e-11)


def test_fifty_steps_are_velocity_verlets(folder, rng):
    atoms = moving(rng, crystal(rng))
    # 1e-9 eV: TorchSim's constants are those of CODATA 2014, as ASE's are
    ours, ases = (engine.nve(folder, atoms, 0.5, 50) for engine in (TorchSim(dtype="float64"), ASE(dtype="float64")))
    np.testing.assert_allclose(ours, ases, rtol=0, atol=1e-9)
    assert atoms.get_kinetic_energy() > 0.1


@pytest.mark.parametrize("committee", [False, True])
def test_a_batch_is_each_of_its_systems(committee, rng):
    potential = build("lean2", size="XS")
    frames = [crystal(rng), crystal(rng, n=1), crystal(rng, n=7)]
    told = model(Committee([potential, potential]) if committee else potential)(state_of(frames))
    alone = [answer_of(potential)(frame) for frame in frames]
    np.testing.assert_allclose(told["energy"], [each.energy for each in alone], rtol=0, atol=1e-11)
    np.testing.assert_allclose(told["forces"], np.concatenate([each.forces for each in alone]), rtol=0, atol=1e-11)
    np.testing.assert_allclose(told["stress"], [each.stress for each in alone], rtol=0, atol=1e-11)


def test_molecules_have_no_stress():
    molecule = Atoms("SLi", [[0, 0, 0], [0, 1.5, 1.7]])
    assert set(model(build("pair"), compute_stress=False)(state_of([molecule]))) == {"energy", "forces"}


def test_a_species_that_the_model_does_not_know(rng):
    frames = [crystal(rng), Atoms("NaS", [[0, 0, 0], [0, 0, 2.2]], cell=[6, 6, 6], pbc=True)]
    with pytest.raises(ValueError, match="the SimState, frame 1 holds Na, but the model was trained on Li, P, S, Ge"):
        model(build("pair"))(state_of(frames))


def test_torchsims_own_check_of_a_model():
    from torch_sim.models.interface import validate_model_outputs

    validate_model_outputs(model(build("lean2", species=("Si", "Fe"), size="XS")), torch.device("cpu"), torch.float64)


@pytest.mark.slow
def test_the_example_runs_as_it_is(tmp_path):
    export(TorchSim(), locate_model("bundled:li3ps4"), tmp_path)
    told = run_python(tmp_path, "run.py", "20")
    assert [line.split(":")[0] for line in told.strip().splitlines()] == [f"copy {i}" for i in range(4)]
    assert all((tmp_path / f"run{i}.h5").stat().st_size > 0 for i in range(4))


def test_dtype_is_checked():
    from mlff.export.torchsim import MLFFModel

    with pytest.raises(ValueError, match="expected 'float32' or 'float64'"):
        MLFFModel(build("pair"), dtype="float16")
