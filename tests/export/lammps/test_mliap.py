"""Against the interface that LAMMPS documents, by an object that has its fields: the package `lammps` is built without Kokkos."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from ase import Atoms

from mlff.engine import Committee
from mlff.export.ase import MLFFCalculator
from tests.contracts.potentials import architectures, build, crystal
from tests.engine.test_engine import members

mliap = pytest.importorskip("mlff.export.lammps.mliap", reason="LAMMPS's Python package is not installed", exc_type=ImportError)


class Data(SimpleNamespace):
    """LAMMPS's side of one process: atoms wrapped into the cell, ghosts around it, pairs strictly within the cutoff."""

    def __init__(self, atoms: Atoms, species: list[str], cutoff: float):
        wrapped = atoms.copy()
        wrapped.wrap()
        heights = 1 / np.linalg.norm(np.linalg.pinv(atoms.cell.array), axis=0) if atoms.cell.rank == 3 else np.ones(3)
        reach = [range(-n, n + 1) for n in np.where(atoms.pbc, np.ceil(cutoff / heights), 0).astype(int)]
        shifts = sorted(itertools.product(*reach), key=lambda shift: shift != (0, 0, 0))  # the atoms themselves first
        n = len(atoms)
        x = np.concatenate([wrapped.positions + np.array(shift) @ atoms.cell.array for shift in shifts])
        self.owner = np.tile(np.arange(n), len(shifts))
        near = (np.linalg.norm(x[:, None] - x[:n], axis=-1) < cutoff).any(1) | (np.arange(len(x)) < n)
        x, self.owner = x[near], self.owner[near]
        r = x - x[:n, None]
        distance = np.linalg.norm(r, axis=-1)
        i, j = np.nonzero((distance < cutoff) & (np.arange(len(x)) != np.arange(n)[:, None]))
        self.nlistatoms, self.ntotal, self.npairs = n, len(x), len(i)
        self.elems = np.array([species.index(symbol) for symbol in atoms.symbols], dtype=np.int32)[self.owner]
        self.pair_i, self.pair_j, self.rij = (i.astype(np.int32), j.astype(np.int32), r[i, j]) if len(i) else (None, None, None)
        self.eatoms, self.energy = np.full(n, np.nan), None
        self.f, self.virial = np.zeros((self.ntotal, 3)), np.zeros((3, 3))

    def update_pair_forces(self, fij: np.ndarray) -> None:
        np.add.at(self.f, self.pair_i, fij)
        np.subtract.at(self.f, self.pair_j, fij)
        self.virial -= self.rij.T @ fij

    @property
    def forces(self) -> np.ndarray:
        """With those of ghosts added to their owners, as LAMMPS does with `newton on`."""
        forces = np.zeros((self.nlistatoms, 3))
        np.add.at(forces, self.owner, self.f)
        return forces


class Communicating(Data):
    def forward_exchange(self, copy_from: torch.Tensor, copy_to: torch.Tensor, width: int) -> None:
        assert copy_from.shape == copy_to.shape == (self.ntotal, width)
        copy_to.copy_(copy_from[self.owner])

    def reverse_exchange(self, copy_from: torch.Tensor, copy_to: torch.Tensor, width: int) -> None:
        assert copy_from.shape == copy_to.shape == (self.ntotal, width)
        copy_to.zero_().index_add_(0, torch.from_numpy(self.owner), copy_from)


def computed(unified, atoms: Atoms, kind=Communicating) -> Data:
    """What is left in the data; the cutoff as LAMMPS makes it of rcutfac."""
    data = kind(atoms, unified.element_types, 2 * unified.rcutfac)
    unified.compute_descriptors(data)
    unified.compute_gradients(data)
    unified.compute_forces(data)
    return data


def agree(data: Data, atoms: Atoms, potential) -> None:
    atoms.calc = MLFFCalculator(potential, dtype="float64")
    # 1e-11: float64 sums in another order
    assert data.energy == pytest.approx(atoms.get_potential_energy(), abs=1e-11)
    np.testing.assert_allclose(data.eatoms, atoms.get_potential_energies(), rtol=0, atol=1e-11)
    np.testing.assert_allclose(data.forces, atoms.get_forces(), rtol=0, atol=1e-11)
    if atoms.cell.rank == 3:
        np.testing.assert_allclose(data.virial, -atoms.get_volume() * atoms.get_stress(voigt=False), rtol=0, atol=1e-10)


def without_phosphorus(rng) -> Atoms:
    atoms = crystal(rng)
    return atoms[atoms.numbers != 15]


STRUCTURES = {
    "triclinic": crystal,
    "without P": without_phosphorus,
    "slab": lambda rng: crystal(rng, pbc=[True, False, True]),
    "pair": lambda rng: Atoms("LiS", [[0, 0, 0], [0, 0, 2.3]]),
    "atom": lambda rng: Atoms("S", [[7, 8, 9]]),
}


@pytest.mark.usefixtures("form")
@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("name", ["lean", "lean2"])
def test_answers_are_the_models(name, structure, rng):
    potential, atoms = build(name, size="XS"), STRUCTURES[structure](rng)
    agree(computed(mliap.Unified(potential, dtype="float64"), atoms), atoms, potential)


@pytest.mark.parametrize("name", ["lean", "lean2"])
def test_a_committee_answers_its_mean(name, rng):
    committee, atoms = Committee(members(name)).eval(), crystal(rng)
    agree(computed(mliap.Unified(committee, dtype="float64"), atoms), atoms, committee)


def test_a_process_without_atoms_communicates(rng):
    """All processes call the exchange together, or LAMMPS waits for ever."""
    called = []
    data = Communicating(crystal(rng)[:0], ["Li"], 4.0)
    data.forward_exchange = data.reverse_exchange = lambda *arguments: called.append(arguments)
    mliap.Unified(build("lean2", size="XS")).compute_forces(data)
    assert len(called) == 2
    assert data.energy == 0


def test_lean_needs_no_communication_and_lean2_says_that_it_does(rng):
    potential, atoms = build("lean", size="XS"), crystal(rng)
    agree(computed(mliap.Unified(potential, dtype="float64"), atoms, Data), atoms, potential)
    with pytest.raises(ValueError, match="lean2 sends numbers to ghost atoms, but this LAMMPS has no forward_exchange"):
        computed(mliap.Unified(build("lean2", size="XS")), atoms, Data)


def test_a_type_without_an_element_is_refused(rng):
    unified = mliap.Unified(build("lean", size="XS"))
    data = Data(crystal(rng), unified.element_types, 4.0)
    data.elems[3] = -1
    with pytest.raises(ValueError, match="an atom type is NULL in `pair_coeff`"):
        unified.compute_forces(data)


@pytest.mark.parametrize("name", sorted({*architectures()} - {"lean", "lean2"}))
def test_other_models_are_refused(name):
    with pytest.raises(ValueError, match=r"the model is a .*, expected lean or lean2; use mlff\.export\.lammps\.attach"):
        mliap.Unified(build(name))


def test_dtype_is_checked():
    with pytest.raises(ValueError, match="expected 'float32' or 'float64'"):
        mliap.Unified(build("lean", size="XS"), dtype="float16")


def test_float32_is_close(rng):
    potential, atoms = build("lean2", size="XS"), crystal(rng)
    data = computed(mliap.Unified(potential), atoms)
    atoms.calc = MLFFCalculator(potential, dtype="float64")
    np.testing.assert_allclose(data.forces, atoms.get_forces(), rtol=1e-4, atol=1e-4)
    assert potential.dtype == torch.float64  # the caller's model is left as it was


def test_a_lammps_without_its_packages_is_refused(lmp):
    with pytest.raises(ImportError, match="LAMMPS was built without KOKKOS, PYTHON, expected KOKKOS, ML-IAP, PYTHON"):
        mliap.load_unified(lmp, "bundled:li3ps4")
