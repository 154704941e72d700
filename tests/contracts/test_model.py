"""The contract of every architecture: what conf/model names, in float64."""

import numpy as np
import pytest
import torch
from ase import Atoms

from tests.checks import (
    answer_of,
    check_batch,
    check_cutoff,
    check_forces,
    check_isolated,
    check_permutation,
    check_pieces,
    check_precision,
    check_smooth_through,
    check_stress,
    check_supercell,
    check_training_mode,
    check_translation,
    check_turning,
)
from tests.contracts.potentials import R_MAX, REFERENCE, architectures, build, crystal


@pytest.fixture(scope="module", params=architectures())
def potential(request):
    return build(request.param)


def test_turning(potential, rng):
    check_turning(answer_of(potential), crystal(rng), rng)


def test_translation_and_wrapping(potential, rng):
    check_translation(answer_of(potential), crystal(rng), rng)


def test_permutation(potential, rng):
    check_permutation(answer_of(potential), crystal(rng), rng)


def test_forces_are_minus_the_energy_gradient(potential, rng):
    check_forces(answer_of(potential), crystal(rng), rng)


def test_stress_is_the_strain_derivative(potential, rng):
    check_stress(answer_of(potential), crystal(rng), rng)


@pytest.mark.parametrize("pair", [("Li", "Li"), ("P", "S")])
def test_smooth_at_the_cutoff(potential, pair):
    check_cutoff(answer_of(potential), pair, R_MAX)


def test_separated_pieces_add(potential, rng):
    check_pieces(answer_of(potential), crystal(rng), potential.r_max)


def test_supercell(potential, rng):
    check_supercell(answer_of(potential), crystal(rng))


def test_isolated_atom_has_its_reference_energy(potential):
    check_isolated(answer_of(potential), REFERENCE)


def test_batch(potential, rng):
    check_batch(potential, [crystal(rng), Atoms("Ge"), crystal(rng, 5), Atoms("PS", [[0, 0, 0], [0, 0, 2.0]])])


@pytest.mark.parametrize("pbc", [(True, True, False), (False, True, False), (False, False, False)])
def test_mixed_periodicity(potential, rng, pbc):
    check_forces(answer_of(potential), crystal(rng, pbc=pbc), rng)
    check_translation(answer_of(potential), crystal(rng, pbc=pbc), rng)


def test_empty_surroundings_and_no_stress_without_a_cell(potential):
    answer = answer_of(potential)(Atoms("LiLi", [[0, 0, 0], [0, 0, 30.0]]))
    assert answer.energy == 2 * REFERENCE["Li"]
    assert np.isnan(answer.stress).all()


@pytest.mark.parametrize("name", architectures())
@pytest.mark.parametrize("n_species", [1, 2, 8])
def test_any_number_of_species(name, n_species, rng):
    species = ("Li", "S", "P", "Ge", "Cl", "Na", "Sb", "O")[:n_species]
    potential = build(name, species)
    atoms = crystal(rng)
    atoms.symbols = (list(species) * len(atoms))[: len(atoms)]
    check_turning(answer_of(potential), atoms, rng)
    check_forces(answer_of(potential), atoms, rng)


@pytest.mark.parametrize("name", ["lean", "lean2"])
@pytest.mark.parametrize("size", ["XS", "M", "L"])
def test_every_size(name, size, rng):
    potential = build(name, size=size)
    check_turning(answer_of(potential), crystal(rng), rng)
    check_forces(answer_of(potential), crystal(rng), rng)


@pytest.mark.parametrize("name", architectures())
def test_float32_network_keeps_float64_sums(name, rng):
    potential, atoms = build(name), crystal(rng)
    exact, E0 = answer_of(potential)(atoms), potential.E0.clone()
    single = potential.float()
    assert torch.equal(single.E0, E0)
    check_precision(answer_of(single)(atoms), exact)


@pytest.mark.parametrize("name", architectures())
def test_training_mode_gives_the_same_numbers_and_a_graph(name, rng):
    check_training_mode(build(name), crystal(rng))


@pytest.mark.parametrize("name", ["lean", "lean2"])
def test_smooth_where_a_cutoff_of_one_l_lies(name):
    """Cutoffs of their own for each l: the energy is smooth through the inner ones and ends at the outer one."""
    ratios = [1.0, 0.85, 0.77, 0.7]
    answer = answer_of(build(name, r_cut_ratio=ratios))
    for ratio in ratios[1:]:
        check_smooth_through(answer, ("P", "S"), ratio * R_MAX)
    check_cutoff(answer, ("P", "S"), R_MAX)
