import numpy as np
import pytest
from ase import Atoms

from mlff.artefact import load, read_golden, save
from mlff.engine import Committee
from tests.checks import answer_of, frame_of
from tests.contracts.potentials import build, build_committee, crystal, describe


@pytest.fixture
def frames(rng) -> list[Atoms]:
    return [crystal(rng), crystal(rng, n=7, pbc=[True, False, True]), Atoms("LiS", [[0, 0, 0], [0, 0, 2.2]])]


def test_structures_and_answers_come_back(frames, tmp_path):
    potential = build("lean2", size="XS")
    save(
        tmp_path / "model",
        potential.float(),
        {"model": describe("lean2", size="XS"), "dtype": "float32"},
        [frame_of(atoms) for atoms in frames],
    )
    exact = answer_of(load(tmp_path / "model").potential.double())
    for atoms, golden in zip(frames, read_golden(tmp_path / "model"), strict=True):
        assert golden.atoms == atoms
        answer = exact(atoms)
        assert golden.energy == answer.energy
        np.testing.assert_array_equal(golden.energies, answer.energies)
        np.testing.assert_array_equal(golden.forces, answer.forces)
        assert golden.forces.dtype == np.float64
        assert golden.forces_std is None
        if atoms.cell.rank == 3:
            np.testing.assert_array_equal(golden.stress, answer.stress)
        else:
            assert golden.stress is None


def test_a_committees_spread_is_stored(frames, tmp_path):
    members = build_committee("lean2", size="XS")
    save(
        tmp_path / "model",
        Committee(members),
        {"model": describe("lean2", size="XS"), "dtype": "float64"},
        [frame_of(atoms) for atoms in frames],
    )
    for atoms, golden in zip(frames, read_golden(tmp_path / "model"), strict=True):
        forces = np.array([answer_of(member)(atoms).forces for member in members])
        # 1e-11: the engine's float64 sums against the reference's
        np.testing.assert_allclose(golden.forces_std, np.sqrt(np.square(forces - forces.mean(0)).sum(-1).mean(0)), rtol=0, atol=1e-11)
        np.testing.assert_allclose(golden.forces, forces.mean(0), rtol=0, atol=1e-11)


def test_the_shipped_models_answers_are_its_own():
    exact = answer_of(load("bundled:li3ps4").potential.double())
    found = read_golden("bundled:li3ps4")
    assert len(found) == 3
    for golden in found:
        assert golden.atoms.pbc.all()
        # 1e-9: float64 sums in another order
        np.testing.assert_allclose(golden.forces, exact(golden.atoms).forces, rtol=0, atol=1e-9)
