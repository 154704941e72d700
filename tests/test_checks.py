"""Every check of tests/checks.py catches a model that was built to break it."""

import dataclasses

import numpy as np
import pytest
import torch
from ase import Atoms

from tests import checks
from tests.checks import Answer, answer_of
from tests.contracts.potentials import R_MAX, REFERENCE, build, crystal


@pytest.fixture(scope="module")
def answer():
    return answer_of(build("lean2"))


def broken(answer, **changes):
    """The model with some of its answers replaced; each change sees (answer, atoms)."""

    def wrong(atoms: Atoms) -> Answer:
        right = answer(atoms)
        return dataclasses.replace(right, **{name: change(right, atoms) for name, change in changes.items()})

    return wrong


def test_a_constant_that_depends_on_m_is_caught(rng):
    """The pitfall that no finite difference sees: a normalisation for each m."""
    potential = build("lean2")
    still = potential.architecture.densities
    potential.architecture.densities = lambda factors, slots: [
        d * torch.linspace(0.9, 1.1, d.shape[1]).double()[:, None] for d in still(factors, slots)
    ]
    checks.check_forces(answer_of(potential), crystal(rng), rng)
    with pytest.raises(AssertionError):
        checks.check_turning(answer_of(potential), crystal(rng), rng)


def test_forces_that_do_not_turn_are_caught(answer, rng):
    with pytest.raises(AssertionError):
        checks.check_turning(broken(answer, forces=lambda a, _: a.forces * [1, 1, 1.001]), crystal(rng), rng)


def test_a_pseudoscalar_is_caught_by_reflections_only(answer, rng):
    def handedness(a, atoms):
        return a.energies + 1e-3 * np.linalg.det(atoms.cell.array)

    atoms, model = crystal(rng), broken(answer, energies=handedness)
    proper = checks.random_orthogonal(rng, reflect=False)
    np.testing.assert_allclose(model(checks.turned(atoms, proper)).energies, model(atoms).energies, atol=1e-9)
    with pytest.raises(AssertionError):
        checks.check_turning(model, atoms, rng)


def test_a_place_in_space_is_caught(answer, rng):
    with pytest.raises(AssertionError):
        checks.check_translation(broken(answer, energies=lambda a, atoms: a.energies + 1e-3 * atoms.positions[:, 0]), crystal(rng), rng)


def test_an_order_of_atoms_is_caught(answer, rng):
    with pytest.raises(AssertionError):
        checks.check_permutation(broken(answer, energies=lambda a, _: a.energies + 1e-3 * np.arange(len(a.energies))), crystal(rng), rng)


@pytest.mark.parametrize(
    "change", [lambda a, _: -a.forces, lambda a, _: a.forces * 1.01, lambda a, _: a.forces + np.eye(len(a.forces), 3) * 0.01]
)
def test_forces_of_another_energy_are_caught(answer, rng, change):
    atoms = crystal(rng)
    with pytest.raises(AssertionError):
        checks.check_forces(broken(answer, forces=change), atoms, rng)


@pytest.mark.parametrize(
    "change", [lambda a, _: -a.stress, lambda a, atoms: a.stress * atoms.get_volume(), lambda a, _: a.stress + np.diag([0, 0, 1e-4])]
)
def test_stress_of_another_energy_is_caught(answer, rng, change):
    with pytest.raises(AssertionError):
        checks.check_stress(broken(answer, stress=change), crystal(rng), rng)


def test_a_hard_cutoff_is_caught(answer):
    def with_step(a, atoms):
        r = atoms.get_distance(0, 1)
        return a.energy + (1e-3 * (R_MAX - r) if r < R_MAX else 0.0)

    with pytest.raises(AssertionError, match="energy near the cutoff"):
        checks.check_cutoff(broken(answer, energy=with_step), ("Li", "Li"), R_MAX)


def test_a_force_that_ends_abruptly_is_caught(answer):
    def with_jump(a, atoms):
        return a.forces + (1e-3 * np.array([[0, 0, 1], [0, 0, -1]]) if atoms.get_distance(0, 1) < R_MAX else 0.0)

    with pytest.raises(AssertionError, match="force near the cutoff"):
        checks.check_cutoff(broken(answer, forces=with_jump), ("Li", "Li"), R_MAX)


def test_energy_that_is_not_extensive_is_caught(answer, rng):
    def mean_field(a, atoms):
        return a.energies + 1e-3 * len(atoms)

    with pytest.raises(AssertionError):
        checks.check_pieces(broken(answer, energies=mean_field), crystal(rng), R_MAX)
    with pytest.raises(AssertionError):
        checks.check_supercell(broken(answer, energy=lambda a, atoms: a.energy + 1e-4 * len(atoms) ** 2), crystal(rng))


def test_an_offset_of_the_isolated_atom_is_caught(answer):
    with pytest.raises(AssertionError):
        checks.check_isolated(broken(answer, energy=lambda a, _: a.energy + 1e-8), REFERENCE)


def test_graphs_that_see_each_other_are_caught(rng):
    potential = build("lean2")
    right = potential.energies
    potential.energies = lambda hood: right(hood) + 1e-6 * hood.n_graphs
    with pytest.raises(AssertionError):
        checks.check_batch(potential, [crystal(rng), crystal(rng)])


@pytest.mark.parametrize("r_cut_ratio", [[1.0, 1.0, 1.0, 1.0], [1.0, 0.85, 0.77, 0.7]])
def test_a_kink_of_the_force_is_caught(r_cut_ratio):
    r = 0.85 * R_MAX
    answer = answer_of(build("lean", r_cut_ratio=r_cut_ratio))

    def with_kink(a, atoms):
        return a.forces + 1e-3 * max(0.0, r - atoms.get_distance(0, 1)) * np.array([[0, 0, 1], [0, 0, -1]])

    checks.check_smooth_through(answer, ("P", "S"), r)
    with pytest.raises(AssertionError, match="slope"):
        checks.check_smooth_through(broken(answer, forces=with_kink), ("P", "S"), r)


def test_sums_in_float32_are_caught(answer, rng):
    exact = answer(crystal(rng))
    checks.check_precision(exact, exact)
    with pytest.raises(AssertionError):
        checks.check_precision(dataclasses.replace(exact, energies=exact.energies.astype(np.float32)), exact)
    rounded = torch.from_numpy(exact.forces).bfloat16().double().numpy()  # 3 decimal digits
    with pytest.raises(AssertionError):
        checks.check_precision(dataclasses.replace(exact, forces=rounded), exact)


def test_training_that_differs_from_evaluation_is_caught(rng):
    potential = build("lean2")
    right = potential.energies
    potential.energies = lambda hood: right(hood) * (1.001 if potential.training else 1.0)
    with pytest.raises(AssertionError):
        checks.check_training_mode(potential, crystal(rng))


def test_forces_cut_off_from_the_weights_are_caught(rng):
    potential = build("lean2")
    layer = potential.architecture.readout.hidden[0]
    cut = layer.weight.detach()

    class CutOff(torch.nn.Linear):
        """Answers as before, but what learns is not what answers."""

        @property
        def weight(self):
            return cut

    layer.__class__ = CutOff
    with pytest.raises(AssertionError, match=r"hidden\.0\.weight"):
        checks.check_training_mode(potential, crystal(rng))
