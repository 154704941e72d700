"""What D²_min is: nothing for any deformation of the whole, and the least squares of each neighbourhood otherwise."""

import numpy as np
import pytest

from mlff.analysis.rearrangement.falk_langer import cumulative_d2_min, d2_min, reference_neighbours
from tests.analysis.trajectories import CELL

TURN = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
SHEAR = np.array([[1.02, 0.1, 0.0], [0.0, 0.97, 0.05], [-0.03, 0.0, 1.05]])


def atoms(rng, n=150):
    """At random in the triclinic cell, and each as many cells away as an ion may have gone."""
    return rng.random((n, 3)) @ CELL + rng.integers(-3, 4, size=(n, 3)) @ CELL


@pytest.mark.parametrize("change", [SHEAR, TURN, 1.1 * TURN @ SHEAR], ids=["shear", "rotation", "both"])
def test_what_moves_as_a_whole_has_none(rng, change):
    """The cell follows the atoms, and all drift."""
    before = atoms(rng) + 500.0
    edges, shifts = reference_neighbours(before, CELL, 5.0)
    found = d2_min(before, before @ change + [0.3, -1.0, 2.0], CELL, CELL @ change, edges, shifts)
    assert np.nanmax(found) < 1e-10
    assert np.isfinite(found).sum() > 100


def test_the_least_squares_of_each_neighbourhood(rng):
    before = atoms(rng)
    after = before @ SHEAR + 0.3 * rng.normal(size=before.shape)
    edges, shifts = reference_neighbours(before, CELL, 6.0)
    cell = CELL @ SHEAR
    found = d2_min(before, after, CELL, cell, edges, shifts)
    for i in range(len(before)):
        mine = edges[0] == i
        old = before[edges[1, mine]] + shifts[mine] @ CELL - before[i]
        new = after[edges[1, mine]] + shifts[mine] @ cell - after[i]
        if mine.sum() < 4:
            assert np.isnan(found[i])
            continue
        f = np.linalg.lstsq(old, new, rcond=None)[0]
        assert found[i] == pytest.approx(np.square(new - old @ f).sum(), rel=1e-9)
    number = np.bincount(edges[0], minlength=len(before))
    shared = d2_min(before, after, CELL, cell, edges, shifts, per_neighbour=True)
    np.testing.assert_allclose(shared[number >= 4] * number[number >= 4], found[number >= 4], rtol=1e-12)


def test_neighbours_are_found_wherever_ions_have_gone(rng):
    """All images within a radius above half of the cell, at distances below it, and the same for positions in the cell."""
    inside = rng.random((40, 3)) @ CELL
    away = inside + rng.integers(-5, 6, size=(40, 3)) @ CELL
    lengths = []
    for positions in (inside, away):
        edges, shifts = reference_neighbours(positions, CELL, 12.0, centres=np.array([3, 7]))
        assert set(edges[0]) == {3, 7}
        lengths.append(np.sort(np.linalg.norm(positions[edges[1]] + shifts @ CELL - positions[edges[0]], axis=1)))
        assert lengths[-1].max() < 12.0
    np.testing.assert_allclose(*lengths, atol=1e-10)
    images = np.array([(a, b, c) for a in range(-3, 4) for b in range(-3, 4) for c in range(-3, 4)]) @ CELL
    distance = np.linalg.norm(inside[None] + images[:, None] - inside[3], axis=2)
    distance7 = np.linalg.norm(inside[None] + images[:, None] - inside[7], axis=2)
    assert len(lengths[0]) == (distance < 12).sum() + (distance7 < 12).sum() - 2


@pytest.mark.parametrize(
    ("neighbours", "known"),
    [
        pytest.param([[1, 0, 0], [0, 1, 0], [0, 0, 1]], False, id="three-are-matched-exactly"),
        pytest.param([[1, 0, 0], [0, 1, 0], [-1, 0, 0], [0.5, -1, 0], [1, 1, 0]], False, id="a-plane"),
        pytest.param([[1, 0, 0], [0, 1, 0], [-1, 0, 0], [0.5, -1, 0], [1, 1, 1e-4]], False, id="nearly-a-plane"),
        pytest.param([[1, 0, 1], [0, 1, 1], [-1, 0, 1], [0, -1, 1]], True, id="a-pyramid-whose-top-is-the-atom"),
    ],
)
def test_too_few_or_flat_neighbourhoods_have_no_value(rng, neighbours, known):
    before = np.array([[0, 0, 0], *neighbours], float)
    edges = np.array([[0] * len(neighbours), range(1, len(before))])
    box, none = 100 * np.eye(3), np.zeros((len(neighbours), 3))
    found = d2_min(before, before + 0.1 * rng.normal(size=before.shape), box, box, edges, none)
    assert np.isfinite(found).tolist() == [known] + [False] * len(neighbours)


def test_one_atom_that_moves_off_a_lattice_site():
    """Simple cubic, one atom by d: its six neighbours all move by −d in its frame, which no F can follow: 6 d². A neighbour's own six
    see one moved by d: of that F takes half, by the symmetry of ±a, and half is left: d²/2."""
    lattice = 3.0 * np.stack(np.meshgrid(*[np.arange(4)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    moved = lattice.copy()
    moved[0] += [0.3, 0.0, 0.0]
    edges, shifts = reference_neighbours(lattice, 12 * np.eye(3), 3.5)
    found = d2_min(lattice, moved, 12 * np.eye(3), 12 * np.eye(3), edges, shifts)
    near = edges[1, edges[0] == 0]
    assert found[0] == pytest.approx(6 * 0.09)
    np.testing.assert_allclose(found[near], 0.09 / 2)
    assert np.delete(found, [0, *near]).max() < 1e-20


def test_increments_add_up(rng):
    positions = atoms(rng) + 0.2 * rng.normal(size=(4, 150, 3)).cumsum(0)
    cells = CELL * (1 + 0.01 * np.arange(4))[:, None, None]
    total = np.zeros(150)
    for k in range(3):
        edges, shifts = reference_neighbours(positions[k], cells[k], 6.0)
        total += d2_min(*positions[k : k + 2], *cells[k : k + 2], edges, shifts)
    centres = np.arange(50)
    found = cumulative_d2_min(positions, cells, 6.0, centres)
    np.testing.assert_allclose(found[:50], total[:50], rtol=1e-12)
    assert np.isnan(found[50:]).all()


def test_two_frames_of_different_systems_are_refused(rng):
    edges = np.zeros((2, 0), int)
    with pytest.raises(ValueError, match="found 3 atoms before and 4 after, expected the same atoms; give two frames of one run"):
        d2_min(np.zeros((3, 3)), np.zeros((4, 3)), CELL, CELL, edges, np.zeros((0, 3)))
