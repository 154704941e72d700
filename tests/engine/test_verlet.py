import numpy as np
import pytest
import torch

from mlff.engine import Engine, stack
from mlff.engine.verlet import VerletList
from tests.checks import answer_of
from tests.contracts.potentials import build, crystal


@pytest.fixture
def atoms(rng):
    return crystal(rng)


@pytest.fixture(scope="module")
def potential():
    return build("lean2", size="XS")


def verlet(atoms, potential, skin=0.5) -> VerletList:
    species = torch.tensor([potential.species.index(s) for s in atoms.symbols])
    return VerletList(species, len(potential.species), atoms.pbc, potential.r_max, skin=skin)


def check(neighbors, atoms, potential):
    hood = neighbors.hood(atoms.positions, atoms.cell.array)
    ours, reference = Engine(stack([potential])).evaluate(hood), answer_of(potential)(atoms)
    # 1e-11: an edge vector is put together in another order
    np.testing.assert_allclose(ours.energy[0], reference.energy, rtol=0, atol=1e-11)
    np.testing.assert_allclose(ours.forces[0], reference.forces, rtol=0, atol=1e-11)
    np.testing.assert_allclose(ours.stress[0, 0], reference.stress, rtol=0, atol=1e-11)


@pytest.mark.parametrize("few", [0, 8000])
def test_atoms_that_move_are_predicted_as_if_found_anew(form, few, atoms, potential, rng, monkeypatch):
    monkeypatch.setattr("mlff.engine.verlet.FEW", few)
    neighbors = verlet(atoms, potential)
    for _ in range(25):
        atoms.positions += rng.normal(scale=0.04, size=atoms.positions.shape)
        check(neighbors, atoms, potential)
    # it had to look again, and not each time: 25 steps of 0.04 Å by √3 · √25 walk about 0.35 Å, a skin lets 0.25 pass
    assert 1 < neighbors.n_rebuilds < 15


def test_a_cell_that_changes(form, atoms, potential, rng):
    neighbors = verlet(atoms, potential)
    for _ in range(15):
        strain = np.eye(3) + rng.normal(scale=0.02, size=(3, 3))
        atoms.set_cell(atoms.cell @ strain, scale_atoms=True)
        check(neighbors, atoms, potential)
    assert 1 < neighbors.n_rebuilds < 15


def test_without_a_skin_every_call_looks(atoms, potential):
    neighbors = verlet(atoms, potential, skin=0.0)
    for _ in range(3):
        atoms.positions[0, 0] += 1e-6
        check(neighbors, atoms, potential)
    assert neighbors.n_rebuilds == 3


def test_an_atom_that_jumps_into_reach_is_seen(potential, rng):
    """Far apart at first, near after one long step: no list may survive that."""
    atoms = crystal(rng, n=2, pbc=False)
    atoms.positions[1] = atoms.positions[0] + [0, 0, 30.0]
    neighbors = verlet(atoms, potential)
    check(neighbors, atoms, potential)
    atoms.positions[1] = atoms.positions[0] + [0, 0, 2.5]
    check(neighbors, atoms, potential)
    assert np.abs(answer_of(potential)(atoms).forces).max() > 0.01


def test_a_negative_skin_is_refused(atoms, potential):
    with pytest.raises(ValueError, match=r"skin is -1 Å, expected 0 or more"):
        verlet(atoms, potential, skin=-1)


@pytest.mark.parametrize("pbc", [True, False])
def test_sites_along_space_are_predicted_alike(pbc, potential, rng, monkeypatch):
    atoms = crystal(rng, pbc=pbc).repeat(2)
    atoms.positions += rng.normal(scale=0.02, size=atoms.positions.shape)
    engine, answers, hoods = Engine(stack([potential])), [], []
    for few in (0, len(atoms)):
        monkeypatch.setattr("mlff.engine.verlet.FEW", few)
        hoods.append(verlet(atoms, potential).hood(atoms.positions, atoms.cell.array))
        answers.append(engine.evaluate(hoods[-1]))
    assert not torch.equal(hoods[0].site_of_atom, hoods[1].site_of_atom)
    for name in ("energies", "forces", "stress"):
        ours, theirs = (getattr(answer, name) for answer in answers)
        if pbc or name != "stress":
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)


def test_vectors_that_somebody_holds_stay(atoms, potential):
    neighbors = verlet(atoms, potential)
    neighbors.hood(atoms.positions, atoms.cell.array)

    def after(step: float) -> torch.Tensor:
        return neighbors.hood(atoms.positions + [[step, 0, 0]] + 1e-3 * step * atoms.positions, atoms.cell.array).vectors

    held = after(0.01)[0, 1:]  # a view holds what it shows
    before = held.clone()
    place = after(0.02).data_ptr()
    assert torch.equal(held, before)
    assert not torch.equal(after(0.02)[0, 1:], before)
    # and what nobody holds is used again
    assert after(0.03).data_ptr() == place
    assert neighbors.n_rebuilds == 1


@pytest.mark.parametrize("few", [0, 8000])
def test_several_structures_are_predicted_as_each_alone(form, few, potential, rng, monkeypatch):
    """Of other sizes, cells and periodicity; the cell of one changes."""
    monkeypatch.setattr("mlff.engine.verlet.FEW", few)
    several = [crystal(rng), crystal(rng, n=3, pbc=False), crystal(rng).repeat((2, 1, 1))]
    species = torch.cat([torch.tensor([potential.species.index(s) for s in atoms.symbols]) for atoms in several])
    sizes, pbc = [len(atoms) for atoms in several], np.array([atoms.pbc for atoms in several])
    together = VerletList(species, len(potential.species), pbc, potential.r_max, sizes=sizes)
    engine = Engine(stack([potential]))
    for _ in range(12):
        several[2].set_cell(several[2].cell @ (np.eye(3) + rng.normal(scale=0.004, size=(3, 3))), scale_atoms=True)
        for atoms in several:
            atoms.positions += rng.normal(scale=0.04, size=atoms.positions.shape)
        positions = np.concatenate([atoms.positions for atoms in several])
        found = engine.evaluate(together.hood(positions, np.array([atoms.cell.array for atoms in several])))
        for k, (atoms, forces) in enumerate(zip(several, found.forces[0].split(sizes), strict=True)):
            alone = answer_of(potential)(atoms)
            np.testing.assert_allclose(found.energy[0, k], alone.energy, rtol=1e-13, atol=1e-11)
            np.testing.assert_allclose(forces, alone.forces, rtol=1e-13, atol=1e-11)  # atoms that overlap push with 10³ eV/Å
            if atoms.pbc.all():
                np.testing.assert_allclose(found.stress[0, k], alone.stress, rtol=1e-13, atol=1e-11)
    assert 1 < together.n_rebuilds < 12


def test_a_position_that_is_no_number_is_refused(atoms, potential):
    neighbors = verlet(atoms, potential)
    neighbors.hood(atoms.positions, atoms.cell.array)
    with pytest.raises(ValueError, match="found a position that is not finite"):
        neighbors.hood(np.full_like(atoms.positions, np.nan), atoms.cell.array)


def test_a_list_that_was_told_to_forget_looks_again(atoms, potential):
    neighbors = verlet(atoms, potential)
    neighbors.hood(atoms.positions, atoms.cell.array)
    neighbors.forget()
    neighbors.hood(atoms.positions, atoms.cell.array)
    assert neighbors.n_rebuilds == 2
