"""The vocabulary of the tests: laws that every potential obeys, as assertions on a function of atoms.

Each check takes `answer`, a function Atoms → Answer, so that it can also be shown a function built to break it
(tests/test_checks.py).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from ase import Atoms
from ase.build import make_supercell

from mlff.data.dataset import graph_of
from mlff.data.frame import Frame
from mlff.model import Potential

# float64 sums over some 10³ terms of order 1 eV
EXACT = 1e-9


@dataclass(frozen=True)
class Answer:
    """energy: eV. energies: (n,) eV. forces: (n, 3) eV/Å. stress: (3, 3) eV/Å³."""

    energy: float
    energies: np.ndarray
    forces: np.ndarray
    stress: np.ndarray


Model = Callable[[Atoms], Answer]


def frame_of(atoms: Atoms) -> Frame:
    return Frame(atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc, None, None, None)


def answer_of(potential: Potential) -> Model:
    """A potential as a function of atoms."""

    def answer(atoms: Atoms) -> Answer:
        prediction = potential(graph_of(frame_of(atoms), potential.species, potential.r_max))
        return Answer(float(prediction.energy), prediction.energies.numpy(), prediction.forces.numpy(), prediction.stress[0].numpy())

    return answer


def random_orthogonal(rng: np.random.Generator, reflect: bool) -> np.ndarray:
    q, r = np.linalg.qr(rng.normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    return q if (np.linalg.det(q) < 0) == reflect else -q


def turned(atoms: Atoms, q: np.ndarray) -> Atoms:
    copy = atoms.copy()
    copy.set_cell(atoms.cell.array @ q.T)
    copy.positions = atoms.positions @ q.T
    return copy


def check_turning(answer: Model, atoms: Atoms, rng: np.random.Generator) -> None:
    """Energy stays, forces and stress turn with the atoms; reflections too."""
    still = answer(atoms)
    for reflect in (False, True):
        q = random_orthogonal(rng, reflect)
        moved = answer(turned(atoms, q))
        np.testing.assert_allclose(moved.energies, still.energies, atol=EXACT)
        np.testing.assert_allclose(moved.forces, still.forces @ q.T, atol=EXACT)
        np.testing.assert_allclose(moved.stress, q @ still.stress @ q.T, atol=EXACT)


def check_translation(answer: Model, atoms: Atoms, rng: np.random.Generator) -> None:
    """Moving all atoms, and wrapping some of them into other cells, changes nothing."""
    moved = atoms.copy()
    moved.positions += rng.normal(size=3)
    moved.positions += (rng.integers(-2, 3, size=(len(atoms), 3)) * atoms.pbc) @ atoms.cell.array
    before, after = answer(atoms), answer(moved)
    np.testing.assert_allclose(after.energies, before.energies, atol=EXACT)
    np.testing.assert_allclose(after.forces, before.forces, atol=EXACT)
    np.testing.assert_allclose(after.stress, before.stress, atol=EXACT)


def check_permutation(answer: Model, atoms: Atoms, rng: np.random.Generator) -> None:
    """The order of the atoms does not matter."""
    order = rng.permutation(len(atoms))
    before, after = answer(atoms), answer(atoms[order])
    np.testing.assert_allclose(after.energies, before.energies[order], atol=EXACT)
    np.testing.assert_allclose(after.forces, before.forces[order], atol=EXACT)
    np.testing.assert_allclose(after.stress, before.stress, atol=EXACT)


def check_forces(answer: Model, atoms: Atoms, rng: np.random.Generator, step: float = 1e-4) -> None:
    """F = −∂E/∂r by central differences, along random directions and single coordinates."""
    forces = answer(atoms).forces
    single = np.zeros((2, *forces.shape))
    single[0].flat[rng.integers(forces.size)] = single[1].flat[rng.integers(forces.size)] = 1
    for direction in [*single, rng.normal(size=forces.shape)]:
        energies = []
        for sign in (1, -1):
            moved = atoms.copy()
            moved.positions += sign * step * direction
            energies.append(answer(moved).energy)
        slope = (energies[0] - energies[1]) / (2 * step)
        # the third derivative times step², some 10² eV/Å³ × 1e-8, and rounding of the energy over the step
        np.testing.assert_allclose(slope, -(forces * direction).sum(), atol=1e-5, rtol=1e-5)


def check_stress(answer: Model, atoms: Atoms, rng: np.random.Generator, step: float = 1e-5) -> None:
    """stress = (1/V) ∂E/∂ε by central differences, for each of the six symmetric strains; tension is positive."""
    stress = answer(atoms).stress
    np.testing.assert_allclose(stress, stress.T, atol=EXACT)
    for a in range(3):
        for b in range(a, 3):
            strain = np.zeros((3, 3))
            strain[a, b] += 0.5
            strain[b, a] += 0.5
            energies = []
            for sign in (1, -1):
                moved = atoms.copy()
                moved.set_cell(atoms.cell.array @ (np.eye(3) + sign * step * strain), scale_atoms=True)
                energies.append(answer(moved).energy)
            slope = (energies[0] - energies[1]) / (2 * step) / atoms.get_volume()
            np.testing.assert_allclose(slope, stress[a, b], atol=1e-7, rtol=1e-5)


def check_cutoff(answer: Model, symbols: tuple[str, str], r_max: float) -> None:
    """The energy of a pair and its first two derivatives vanish continuously as the pair parts."""

    def pair(r: float) -> Answer:
        return answer(Atoms(symbols, [[0, 0, 0], [0, 0, r]], cell=np.eye(3) * 4 * r_max, pbc=False))

    beyond = pair(r_max + 0.1)
    r = r_max - np.array([4e-2, 2e-2, 1e-2])
    pull = np.array([abs(pair(x).forces[0, 2]) for x in r])
    energy = np.array([abs(pair(x).energy - beyond.energy) for x in r])
    assert np.abs(beyond.forces).max() < EXACT
    # energy ~ (r_max − r)^p with p ≥ 3 and force with p ≥ 2: halving the distance divides by at least 2^p (or all is rounding)
    assert ((energy[1:] < energy[:-1] / 7) | (energy[1:] < EXACT)).all(), f"energy near the cutoff: {energy}"
    assert ((pull[1:] < pull[:-1] / 3.5) | (pull[1:] < EXACT)).all(), f"force near the cutoff: {pull}"


def check_smooth_through(answer: Model, symbols: tuple[str, str], r: float) -> None:
    """A pair's force has one slope on both sides of r, where one of several cutoffs lies: the energy is C² there."""

    def force(x: float) -> float:
        return answer(Atoms(symbols, [[0, 0, 0], [0, 0, x]], cell=np.eye(3) * 8 * r, pbc=False)).forces[1, 2]

    def jump(h: float) -> float:
        """Slope of the force between r and r + h less that between r − h and r."""
        return abs(force(r + h) - 2 * force(r) + force(r - h)) / h

    # a bounded third derivative makes it fall with h; a break in the slope leaves it as it is
    assert jump(5e-4) < 0.7 * jump(1e-3) or jump(5e-4) < 1e-6, f"break of the force's slope at {r} Å: {jump(1e-3)}, {jump(5e-4)}"


def check_pieces(answer: Model, atoms: Atoms, r_max: float) -> None:
    """Two molecules further apart than they can feel each other have the sum of their energies."""
    first = Atoms(atoms.numbers[:4], atoms.positions[:4])
    second = Atoms(atoms.numbers[4:7], atoms.positions[4:7] + [0, 0, 50 + 4 * r_max])
    both = answer(first + second)
    parts = np.concatenate([answer(first).energies, answer(second).energies])
    np.testing.assert_allclose(both.energies, parts, atol=EXACT)


def check_supercell(answer: Model, atoms: Atoms) -> None:
    """n cells have n times the energy, the same forces and the same stress; also in a skewed choice of the cell."""
    small = answer(atoms)
    for matrix in (np.diag([2, 1, 2]), np.array([[1, 1, 0], [0, 1, 0], [0, -1, 2]])):
        big = make_supercell(atoms, matrix)
        n = len(big) // len(atoms)
        large = answer(big)
        np.testing.assert_allclose(large.energy, n * small.energy, atol=n * EXACT, rtol=1e-12)
        np.testing.assert_allclose(large.stress, small.stress, atol=EXACT)
        source = [int(np.argmin(_distances(atoms, r))) for r in big.positions]
        np.testing.assert_allclose(large.forces, small.forces[source], atol=EXACT)


def check_isolated(answer: Model, reference_energies: dict[str, float]) -> None:
    """A single atom, in a vacuum or in a large cell, has exactly E0 and no force."""
    for symbol, energy in reference_energies.items():
        for pbc in (False, True):
            lone = answer(Atoms(symbol, cell=np.eye(3) * 40, pbc=pbc))
            assert lone.energy == energy
            assert not lone.forces.any()


def check_batch(potential: Potential, frames: list[Atoms]) -> None:
    """Graphs in a batch do not see each other."""
    from mlff.data.dataset import collate

    graphs = [graph_of(frame_of(atoms), potential.species, potential.r_max) for atoms in frames]
    together = potential(collate(graphs))
    alone = [potential(graph) for graph in graphs]
    torch.testing.assert_close(together.energies, torch.cat([a.energies for a in alone]), atol=EXACT, rtol=0)
    torch.testing.assert_close(together.forces, torch.cat([a.forces for a in alone]), atol=EXACT, rtol=0)
    torch.testing.assert_close(together.stress, torch.cat([a.stress for a in alone]), atol=EXACT, rtol=0, equal_nan=True)


def check_precision(single: Answer, exact: Answer) -> None:
    """A float32 network is as exact as its rounding allows, and its energies are still summed in float64."""
    assert single.energies.dtype == np.float64
    # float32 rounding (6e-8) of features that are sums over some 50 neighbours and 10² channels
    np.testing.assert_allclose(single.energies, exact.energies, atol=2e-4, rtol=1e-5)
    np.testing.assert_allclose(single.forces, exact.forces, atol=2e-3, rtol=1e-4)


def check_training_mode(potential: Potential, atoms: Atoms) -> None:
    """Training mode gives the numbers of evaluation, and forces that the weights can be differentiated by."""
    graph = graph_of(frame_of(atoms), potential.species, potential.r_max)
    still = potential.eval()(graph)
    moving = potential.train().requires_grad_(True)(graph)
    torch.testing.assert_close(moving.forces.detach(), still.forces, atol=EXACT, rtol=0)
    assert moving.forces.requires_grad, "the forces do not depend on the weights"
    moving.forces.square().sum().backward()
    silent = [name for name, p in potential.named_parameters() if p.grad is None or not p.grad.any()]
    assert not silent, f"the forces do not depend on {silent}"


def _distances(atoms: Atoms, r: np.ndarray) -> np.ndarray:
    shift = (atoms.positions - r) @ np.linalg.inv(atoms.cell.array)
    return np.linalg.norm((shift - np.round(shift)) @ atoms.cell.array, axis=1)
