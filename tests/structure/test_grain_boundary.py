"""Grain boundaries: two grains turned against each other, of whole anions, in the published cells."""

from collections import Counter

import numpy as np
import pytest
from ase.build import bulk
from scipy.spatial.transform import Rotation

from mlff.geometry import classify, neighbor_list
from mlff.structure import built, structure
from mlff.structure.bodies import Bodies, bodies_of
from mlff.structure.builder import check_built
from mlff.structure.coincidence import boundary_cell
from mlff.structure.distances import contact_distances
from mlff.structure.formula_units import formula_unit, without_overlaps
from mlff.structure.grain_boundary import grain_boundary
from mlff.structure.push_off import too_near
from mlff.structure.regions import region_of

APART = {"gap": 8.0, "cut": 0.1}  # nothing meets at the boundaries, so that nothing is moved
CASES = [
    {"sigma": 5, "axis": (1, 0, 0), "plane": (0, 2, 1)},
    {"sigma": 5, "axis": (0, 0, 1), "plane": (0, 0, 1)},
    {"sigma": 3, "axis": (1, 1, 1), "plane": (1, 1, 1)},
    {"sigma": 9, "axis": (1, 1, 0), "plane": (2, -2, 1)},
]


def build(name="Li6PS5Cl_4c_0", **parameters):
    return grain_boundary(name, **parameters, rng=np.random.default_rng(0))


def bond_directions(atoms, grain=None):
    """Unit vectors of P–S bonds, of one grain or of all, (n, 3)."""
    found = classify(atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc)
    chosen = [anion for anion in found.anions if grain is None or atoms.arrays["grain"][anion.atoms[0]] == grain]
    places = np.array([atoms.positions[anion.atoms] + anion.shifts @ atoms.cell.array for anion in chosen])
    bonds = (places[:, 1:] - places[:, :1]).reshape(-1, 3)
    return bonds / np.linalg.norm(bonds, axis=1, keepdims=True)


def farthest(these, those):
    """The largest distance of a vector of one set from the nearest of the other."""
    distances = np.linalg.norm(these[:, None] - those, axis=-1)
    return max(distances.min(0).max(), distances.min(1).max())


@pytest.mark.parametrize("case", CASES)
def test_the_second_grain_is_the_first_turned_about_the_axis(case):
    atoms = build(**case, **APART)
    along = boundary_cell(**case).first[0]  # in the boundary, and x of the cell
    x, z = along / np.linalg.norm(along), np.array(case["plane"]) / np.linalg.norm(case["plane"])
    frame = np.array([x, np.cross(z, x), z])
    turn = Rotation.from_rotvec(np.radians(atoms.info["angle"]) * np.array(case["axis"]) / np.linalg.norm(case["axis"]))
    crystal = bond_directions(structure("Li6PS5Cl_4c_0"))
    first, second = (bond_directions(atoms, k) for k in (0, 1))
    assert farthest(first, crystal @ frame.T) < 1e-6
    assert farthest(second, turn.apply(crystal) @ frame.T) < 1e-6
    assert farthest(first, second) > 0.1  # no symmetry of the crystal


@pytest.mark.parametrize("case", CASES)
def test_each_grain_is_the_whole_crystal_in_its_box(case):
    crystal, atoms = structure("Li6PS5Cl_4c_0"), build(**case, **APART)
    contents = [Counter(atoms.symbols[atoms.arrays["grain"] == k]) for k in (0, 1)]
    cells = atoms.cell[2, 2] - 2 * APART["gap"]
    cells *= np.linalg.norm(np.cross(atoms.cell[0], atoms.cell[1])) / crystal.get_volume()
    assert cells == pytest.approx(round(cells))
    assert round(cells) % case["sigma"] == 0
    assert contents[0] == contents[1] == Counter({s: n * round(cells) / 2 for s, n in crystal.symbols.formula.count().items()})
    # distances within each grain are those of the crystal, but at the two faces
    for k in (0, 1):
        one = atoms[atoms.arrays["grain"] == k]
        z = one.positions[:, 2]
        middle = int(np.argmin(abs(z - (z.min() + z.max()) / 2)))
        distances = np.sort(one.get_distances(middle, np.arange(len(one)), mic=True))[1:12]
        own = crystal.get_all_distances(mic=True)[crystal.numbers == one.numbers[middle]]
        assert np.abs(np.sort(own, axis=1)[:, 1:12] - distances).max(1).min() < 1e-6


def test_a_twin_of_fcc_keeps_its_twelve_neighbours():
    atoms = grain_boundary(bulk("Cu", cubic=True), 3, (1, 1, 1), (1, 1, 1), thickness=12.0, cut=0.1, rng=np.random.default_rng(0))
    (i, _), _ = neighbor_list(atoms.positions, atoms.cell.array, atoms.pbc, 2.7)
    np.testing.assert_array_equal(np.bincount(i), 12)
    assert atoms.info["removed_units"] == 0
    assert atoms.info["charge"] is None  # that of Cu is not known


@pytest.mark.parametrize("name", ["Li6PS5Cl_GB_ordered_520", "Li6PS5Cl_GB_disordered_520"])
def test_the_training_cells_are_the_published_ones(name):
    atoms = structure(name)
    np.testing.assert_allclose(atoms.cell.lengths(), (10.2795, 22.9857, 45.9713), rtol=1e-5)
    np.testing.assert_allclose(atoms.cell.angles(), 90)
    assert len(atoms) == 520
    assert atoms.info["boundary"] == "tilt"
    checked(atoms)


def test_the_cell_for_production_is_the_published_one():
    atoms = structure("Li6PS5Cl_GB_14040")
    np.testing.assert_allclose(atoms.cell.lengths(), (30, 68, 135), rtol=0.03)  # published in whole ångströms
    assert len(atoms) > 13860
    checked(atoms)
    # 34.5 Å from one boundary to the middle of a grain: three slabs of 10 Å, and 4.5 Å of bulk
    shares = np.bincount(atoms.arrays["region"]) / len(atoms)
    np.testing.assert_allclose(shares, np.array([10, 10, 10, 4.48]) / 34.48, atol=0.02)


def checked(atoms):
    check_built(atoms, "x")
    assert atoms.info["charge"] == 0
    found = classify(atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc)
    units = len(atoms) // 13
    assert found.counts() == {"PS4": units}
    assert (len(found.free), found.others, found.percolating) == (units, (), ())
    assert atoms.symbols.formula.count() == {"Li": 6 * units, "P": units, "S": 5 * units, "Cl": units}
    bodies = bodies_of(atoms)
    crystal = structure("Li6PS5Cl_4c_0")
    nearest_li = crystal.get_all_distances(mic=True)[np.ix_(crystal.numbers == 3, crystal.numbers == 3)]
    r_min = contact_distances()
    r_min[3, 3] = min(r_min[3, 3], nearest_li[nearest_li > 0].min())
    assert len(too_near(bodies, bodies.positions, atoms.cell.array, 0.97 * r_min)[0]) == 0
    for label in ("grain", "region"):
        assert all(len(set(atoms.arrays[label][anion.atoms])) == 1 for anion in found.anions)


def test_a_shift_moves_the_second_grain_and_a_gap_opens_both_boundaries():
    still, moved = build(**APART), build(**APART, shift=(0.25, 0.5))
    offset = (moved.positions - still.positions) @ np.linalg.inv(still.cell.array)
    offset -= np.round(offset)
    np.testing.assert_allclose(offset[still.arrays["grain"] == 0], 0, atol=1e-9)
    np.testing.assert_allclose(abs(offset[still.arrays["grain"] == 1]), np.tile([0.25, 0.5, 0], (260, 1)), atol=1e-9)
    assert still.cell[2, 2] == pytest.approx(45.9713 + 16, abs=1e-3)


def test_only_what_is_near_the_boundary_moves():
    atoms = build(cut=0.6)
    ideal = build(cut=0.6, gap=8.0)
    z = atoms.positions[:, 2]
    distance = np.minimum(z % 22.9857, 22.9857 - z % 22.9857)
    moved = atoms.positions - ideal.positions + np.where(atoms.arrays["grain"] == 0, 4.0, 12.0)[:, None] * [0, 0, 1]
    moved -= np.round(moved / atoms.cell.lengths()) * atoms.cell.lengths()
    far = np.linalg.norm(moved, axis=1)
    assert far[distance > 7].max() < 0.2
    assert 0.3 < far.max() < 2.0


def test_what_overlaps_by_much_goes_as_whole_formula_units():
    atoms = build(cut=0.0)
    assert atoms.info["removed_units"] > 0
    assert len(atoms) == 520 - 13 * atoms.info["removed_units"]
    checked(atoms)
    z, half = atoms.positions[:, 2], atoms.cell[2, 2] / 2
    inside = abs(z % half - half / 2) < half / 2 - 4  # Å: what lies at a boundary may have been pushed through it
    np.testing.assert_array_equal(atoms.arrays["grain"][inside], (z > half)[inside])
    assert len(build(cut=0.0, overlap=0.0)) == 520


def test_of_two_the_one_goes_that_overlaps_most():
    bodies = Bodies(
        np.array([3, 17, 3, 17, 3, 17]),
        np.array([[0.0, 0, 0], [0.5, 0, 0], [1.0, 0, 0], [8, 0, 0], [10, 5, 5], [12, 5, 5]]),
        np.arange(6),
        np.array(["Li", "Cl"] * 3),
    )
    unit = formula_unit(bodies.kinds)
    assert unit == {"Cl": 1, "Li": 1}
    kept, units = without_overlaps(bodies, 20 * np.eye(3), np.full((20, 20), 0.9), unit)
    assert units == 1
    assert kept.tolist() == [False, False, True, True, True, True]  # the Cl between two Li, and the first Li beside it
    assert formula_unit(np.array(["PS4", "Li", "Li", "Li"] * 4)) == {"Li": 3, "PS4": 1}


def test_regions_are_slabs_of_distance_from_either_boundary():
    z = np.array([0.0, 9.9, 10.1, 19.9, 20.1, 29.9, 30.1, 34.0, 38.9, 39.1, 58.9, 59.1, 68.9, 69.1, 78.8, 79.2, 137.9, -0.1])
    np.testing.assert_array_equal(region_of(z, 138.0, 10.0), [0, 0, 1, 1, 2, 2, 3, 3, 3, 2, 1, 0, 0, 0, 0, 1, 0, 0])


def test_what_does_not_come_to_coincidence_is_refused():
    with pytest.raises(ValueError, match=r"found a crystal of \[4.268, .*120.0\] .*a turn by .* give a cubic crystal"):
        build("LiBH4")
    with pytest.raises(ValueError, match=r"found repeat \[1\], expected two whole numbers"):
        build(repeat=[1])
    twist = build("Li10GeP2S12", axis=(0, 0, 1), plane=(0, 0, 1))  # tetragonal, about its fourfold axis
    assert twist.info["boundary"] == "twist"


def test_a_boundary_survives_a_file(tmp_path):
    from ase.io import read, write

    (atoms,) = built(lambda rng: build(), 0)
    write(tmp_path / "x.extxyz", atoms)
    again = read(tmp_path / "x.extxyz")
    np.testing.assert_array_equal(again.arrays["region"], atoms.arrays["region"])
    assert list(again.info["regions"]) == ["GB", "Near_GB", "Far_GB", "Bulk"]
    assert again.info["plane"].tolist() == [0, 2, 1]
