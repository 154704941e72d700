"""A committee as active learning sees it, against what its members say one by one."""

import numpy as np
import pytest

from mlff.active.surrogate import Surrogate
from mlff.artefact import save
from tests.active.alloy import frames, labelled
from tests.checks import answer_of
from tests.contracts.potentials import build, describe


@pytest.fixture(scope="module")
def surrogate(model):
    return Surrogate(model)


@pytest.fixture(scope="module")
def mixed():
    """More than a batch holds, of two sizes."""
    return [atoms.repeat([1, 1, 1 + k % 2]) for k, atoms in enumerate(frames(40, seed=3))]


def test_deviations_are_those_of_the_members_frame_by_frame(surrogate, mixed):
    answers = [answer_of(member.double()) for member in surrogate.committee.members()]
    found = surrogate.deviations(mixed)
    for k in (0, 1, 31, 32, 39):
        members = [answer(mixed[k]) for answer in answers]
        forces = np.array([one.forces for one in members])
        spread = np.sqrt(np.square(forces - forces.mean(0)).sum(2).mean(0))
        np.testing.assert_allclose(found[k].force, spread, atol=2e-5)  # eV/Å, float32
        virials = np.array([one.stress * mixed[k].cell.volume for one in members])
        np.testing.assert_allclose(found[k].virial, virials.std(0) / len(mixed[k]), atol=2e-5)


def test_forces_are_the_mean_frame_by_frame(surrogate, mixed):
    answers = [answer_of(member.double()) for member in surrogate.committee.members()]
    found = surrogate.forces(mixed)
    for k in (0, 1, 39):
        np.testing.assert_allclose(found[k], np.mean([answer(mixed[k]).forces for answer in answers], axis=0), atol=5e-5)


def test_features_and_grades_do_not_depend_on_the_frames_beside(surrogate, mixed):
    every, grades = surrogate.features(mixed), surrogate.grades(mixed)
    assert [len(rows) for rows in every] == [len(atoms) for atoms in mixed]
    for k in (0, 33, 39):
        np.testing.assert_allclose(every[k], surrogate.features([mixed[k]])[0], atol=1e-5)
        np.testing.assert_allclose(grades[k], surrogate.grades([mixed[k]])[0], rtol=1e-3)


def test_two_atoms_at_one_place_are_an_answer_and_no_error(surrogate):
    atoms = frames(1)[0]
    atoms.positions[1] = atoms.positions[0]
    (deviation,) = surrogate.deviations([atoms])
    assert len(deviation.force) == 8
    assert not np.isnan(deviation.force).any()


def test_it_knows_what_it_learnt(surrogate):
    known = [labelled(atoms) for atoms in frames(12, rattles=[0.05])]
    errors = [own - atoms.arrays["REF_forces"] for own, atoms in zip(surrogate.forces(known), known, strict=True)]
    assert np.sqrt(np.mean(np.square(errors))) < 0.05  # eV/Å
    assert max(deviation.max_force for deviation in surrogate.deviations(known)) < 0.2


def test_a_single_potential_has_no_opinion_of_its_error(tmp_path):
    save(tmp_path / "model", build("pair"), {"model": describe("pair"), "dtype": "float64"}, [])
    with pytest.raises(ValueError, match="holds one potential, expected a committee; train with uncertainty=committee"):
        Surrogate(tmp_path / "model")
