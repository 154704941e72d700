"""Strains keep the fractions of atoms and change the cell by what they say; rattled atoms keep their distances."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from mlff.geometry import classify
from mlff.structure import prototype
from mlff.structure.rattle import rattled
from mlff.structure.scans import passive, volume_scan
from mlff.structure.strain import along_lattice, deformed, drawn_strain, stretched, voigt_strain, volumes


@pytest.mark.parametrize(("kind", "rank"), [("isotropic", 3), ("uniaxial", 1), ("shear", 3)])
def test_drawn_strains_stay_within_their_bound(kind, rank, rng):
    crystal = bulk("Cu", cubic=True)
    for _ in range(50):
        strain = drawn_strain(kind, 0.04, rng)
        copy = deformed(crystal, np.eye(3) + strain)
        np.testing.assert_allclose(np.linalg.solve(crystal.cell.array, copy.cell.array), np.eye(3) + strain, atol=1e-12)
        np.testing.assert_allclose(copy.get_scaled_positions(), crystal.get_scaled_positions(), atol=1e-12)
        np.testing.assert_array_equal(strain, strain.T)  # no rotation
        assert abs(strain).max() <= 0.04
        assert np.linalg.matrix_rank(strain, tol=1e-9) == rank


def test_an_unknown_strain_is_refused(rng):
    with pytest.raises(ValueError, match="unknown strain 'twist'; expected one of"):
        drawn_strain("twist", 0.04, rng)


def test_a_shear_strain_is_half_its_angle():
    np.testing.assert_allclose(voigt_strain("yz", 0.02), [[0, 0, 0], [0, 0, 0.01], [0, 0.01, 0]])
    np.testing.assert_allclose(voigt_strain("yy", 0.02), np.diag([0, 0.02, 0]))


def test_lattice_vectors_are_stretched_in_a_triclinic_cell():
    crystal = prototype("Li7P3S11_relaxed")
    frames = {atoms.info["strain"]: atoms for atoms in along_lattice(crystal, 0.05)}
    assert list(frames) == ["a +0.05", "a -0.05", "b +0.05", "b -0.05", "c +0.05", "c -0.05", "abc +0.05", "abc -0.05"]
    for name, atoms in frames.items():
        which, size = name.split()
        factors = [1 + float(size) * (vector in which) for vector in "abc"]
        np.testing.assert_allclose(atoms.cell.lengths() / crystal.cell.lengths(), factors)
        np.testing.assert_allclose(atoms.cell.angles(), crystal.cell.angles())
        np.testing.assert_allclose(atoms.get_scaled_positions(), crystal.get_scaled_positions(), atol=1e-12)
    assert "strain" not in crystal.info
    assert stretched(crystal, (1, 2, 1)).get_volume() == pytest.approx(2 * crystal.get_volume())


def test_volumes_are_those_asked_for(rng):
    crystal = prototype("Li7P3S11_relaxed")
    frames = volumes(crystal, (0.9, 1.1))
    assert [atoms.get_volume() / crystal.get_volume() for atoms in frames] == pytest.approx([0.9, 1.1])
    assert [atoms.info["strain"] for atoms in frames] == ["volume 0.9", "volume 1.1"]
    scan = volume_scan("Li7P3S11_relaxed", ratios=(1.0,), rng=rng)
    np.testing.assert_allclose(scan[0].positions, crystal.positions, atol=1e-12)


def test_displacements_are_normal_and_of_the_size_asked_for(rng):
    crystal = bulk("Cu", cubic=True).repeat(6)
    moves = (rattled(crystal, 0.1, rng=rng).positions - crystal.positions).ravel()
    n = len(moves)
    assert moves.std() == pytest.approx(0.1, abs=0.1 * 4.5 / np.sqrt(2 * n))
    assert np.mean((moves / 0.1) ** 4) == pytest.approx(3, abs=4.5 * np.sqrt(96 / n))  # of a normal distribution


def test_rattled_atoms_keep_their_distance(rng):
    pair = Atoms("LiS", [[0, 0, 0], [0, 0, 1.9]], cell=[8, 8, 8], pbc=True)  # the sum of the radii is 2.33 Å
    distances = [rattled(pair, 0.3, 0.8, rng=rng).get_distance(0, 1, mic=True) for _ in range(200)]
    assert 1.864 < min(distances) < 1.9
    near = Atoms("LiS", [[0, 0, 0], [0, 0, 1.2]], cell=[8, 8, 8], pbc=True)
    assert min(rattled(near, 0.05, 0.8, rng=rng).get_distance(0, 1, mic=True) for _ in range(50)) >= 1.2  # not nearer than it was
    with pytest.raises(ValueError, match=r"are still too close, .* after 200 drawings; ask for a smaller displacement than 3 Å"):
        rattled(bulk("Cu", cubic=True).repeat(2), 3.0, 0.9, rng=rng)


def test_rattled_anions_stay_whole(rng):
    crystal = stretched(prototype("Li7P3S11_relaxed"), (1.05, 1.05, 1.05))

    def anions(atoms):
        return classify(atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc).counts()

    whole = 0
    for _ in range(20):
        assert anions(rattled(crystal, 0.15, rng=rng)) == anions(crystal) == {"P2S7": 2, "PS4": 2}
        free = crystal.copy()
        free.positions += rng.normal(scale=0.15, size=free.positions.shape)
        whole += anions(free) == anions(crystal)
    assert whole < 15  # at this displacement bonds do break where nothing looks at them


def test_the_passive_set_is_every_strain_of_every_structure_with_its_rattled_copies(rng):
    frames = passive(["Li4P2S6", "Li6PS5Cl_4c_25"], strain=0.05, n_rattled=2, displacement=0.05, rng=rng)
    assert len(frames) == 2 * 9 * 3
    assert [atoms.info["structure"] for atoms in frames] == ["Li4P2S6"] * 27 + ["Li6PS5Cl_4c_25"] * 27
    strains = [atoms.info["strain"] for atoms in frames[27:]]
    assert strains[::3] == strains[1::3] == ["none"] + [f"{v} {s}0.05" for v in ("a", "b", "c", "abc") for s in "+-"]
    assert [atoms.info.get("displacement") for atoms in frames[:6]] == [None, 0.05, 0.05] * 2
    longer = frames[27 + 3]
    np.testing.assert_allclose(longer.cell.lengths(), 10.279498 * np.array([1.05, 1, 1]))
    assert abs(frames[28].positions - frames[27].positions).max() > 0.05
    assert abs(frames[28].positions - frames[29].positions).max() > 0.05
