"""Anions by bonds: they are found wherever the boundary cuts them, and what is no anion is told apart."""

import itertools
import warnings

import numpy as np
import pytest
from ase import Atoms
from ase.build import make_supercell
from ase.io import read

from mlff.bundled import bundled_folder
from mlff.data import read_frames
from mlff.geometry import classify, find_anions

TETRAHEDRON = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(3)
SKEWED = np.array([[9.0, 0.3, -0.2], [2.5, 8.5, 0.4], [-3.0, 1.5, 9.5]])


def tetrahedron(centre: str, ligand: str, length: float) -> Atoms:
    return Atoms(centre + ligand * 4, [np.zeros(3), *(TETRAHEDRON * length)])


def p2s7() -> Atoms:
    """Two tetrahedra that share the ligand at the origin, mirror images of each other (P–S–P is straight)."""
    one = tetrahedron("P", "S", 2.08)
    one.positions -= one.positions[1]
    other = one.copy()
    other.positions *= -1
    del other[1]
    return one + other


def p2s6() -> Atoms:
    """Ethane's shape: P–P 2.25 Å, P–S 2.05 Å."""
    height, radius = 2.05 / 3, 2.05 * np.sqrt(8) / 3
    angles = 2 * np.pi / 3 * np.arange(3)
    upper = np.c_[radius * np.cos(angles), radius * np.sin(angles), np.full(3, 1.125 + height)]
    return Atoms("P2S6", [[0, 0, 1.125], [0, 0, -1.125], *upper, *-upper])


def p2s6_sharing_an_edge() -> Atoms:
    """Two P that share two S, each with one more: the formula of another piece, P–P 2.9 Å apart."""
    shared, ends = [[0, 1.45, 0], [0, -1.45, 0]], [[2.5, 0, 1.7], [2.5, 0, -1.7], [-2.5, 0, 1.7], [-2.5, 0, -1.7]]
    return Atoms("P2S6", [[1.45, 0, 0], [-1.45, 0, 0], *shared, *ends])


def b10h10() -> Atoms:
    """A square antiprism with two caps."""
    square = 1.83 / np.sqrt(2)
    ring = np.array([[np.cos(a), np.sin(a), 0] for a in np.pi / 2 * np.arange(4)]) * square
    turn = np.array([[1, 1, 0], [-1, 1, 0], [0, 0, np.sqrt(2)]]) / np.sqrt(2)
    boron = np.concatenate([ring + [0, 0, 0.77], ring @ turn + [0, 0, -0.77], [[0, 0, 1.85]], [[0, 0, -1.85]]])
    return Atoms("B10H10", np.concatenate([boron, boron * (1 + 1.2 / np.linalg.norm(boron, axis=1, keepdims=True))]))


SHAPES = {
    "PS4": tetrahedron("P", "S", 2.05),
    "SiS4": tetrahedron("Si", "S", 2.12),
    "GeS4": tetrahedron("Ge", "S", 2.21),
    "AsS4": tetrahedron("As", "S", 2.17),
    "SnS4": tetrahedron("Sn", "S", 2.39),
    "SbS4": tetrahedron("Sb", "S", 2.34),
    "WS4": tetrahedron("W", "S", 2.19),
    "BH4": tetrahedron("B", "H", 1.22),
    "P2S7": p2s7(),
    "P2S6": p2s6(),
    "B10H10": b10h10(),
}


def topology(atoms: Atoms):
    return classify(atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc)


def rebuilt(atoms: Atoms, anion) -> np.ndarray:
    return atoms.positions[anion.atoms] + anion.shifts @ atoms.cell.array


def distances(points: np.ndarray) -> np.ndarray:
    return np.sort(np.linalg.norm(points[:, None] - points, axis=-1).ravel())


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("pbc", list(itertools.product([False, True], repeat=3)))
def test_an_anion_is_found_in_one_piece_wherever_the_boundary_cuts_it(kind, pbc, rng):
    shape = SHAPES[kind]
    atoms = shape[rng.permutation(len(shape))]
    atoms.set_cell(SKEWED * 1.3)
    atoms.pbc = pbc
    # each atom in an image of its own, far outside the cell too
    atoms.positions += (rng.integers(-3, 4, size=(len(atoms), 3)) * atoms.pbc) @ atoms.cell.array
    (anion,) = find_anions(atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc)
    assert anion.kind == kind
    assert sorted(anion.atoms) == list(range(len(shape)))
    np.testing.assert_allclose(distances(rebuilt(atoms, anion)), distances(shape.positions), atol=1e-9)  # Å: rounding of far images
    # centres first, then ligands, ascending within each
    element = atoms.numbers[anion.atoms] == shape.numbers[0]
    assert (np.diff(element.astype(int)) <= 0).all()
    assert (np.diff(anion.atoms[element]) > 0).all()
    assert (np.diff(anion.atoms[~element]) > 0).all()
    assert not anion.shifts[0].any()


def test_kinds_choose_and_unbonded_material_gives_none():
    both = SHAPES["PS4"].copy()
    both.extend(Atoms(SHAPES["P2S6"].numbers, SHAPES["P2S6"].positions + 20))
    arguments = (both.numbers, both.positions, both.cell.array, both.pbc)
    assert [anion.kind for anion in find_anions(*arguments)] == ["PS4", "P2S6"]
    assert [anion.kind for anion in find_anions(*arguments, kinds=["P2S6"])] == ["P2S6"]
    silver_iodide = Atoms("AgI", [[0, 0, 0], [1.6, 1.6, 1.6]], cell=np.eye(3) * 6.5, pbc=True)
    found = topology(silver_iodide)
    assert (found.counts(), found.others, found.percolating, len(found.free), found.unclassified()) == ({}, (), (), 0, 0.0)


def test_what_is_no_anion_is_told_apart():
    chain = p2s7()
    third = chain[:5]
    third.positions = 2 * chain.positions[2] - third.positions  # the first tetrahedron, inverted at an S that both then share
    chain.extend(third[[0, 1, 3, 4]])
    pieces = {
        "P3S10": chain,
        "PS3": tetrahedron("P", "S", 2.05)[:4],
        "S2": Atoms("S2", [[0, 0, 0], [0, 0, 2.05]]),
        "P2S6": p2s6_sharing_an_edge(),
        "free": Atoms("S", [[0, 0, 0]]),
        "PS4": tetrahedron("P", "S", 2.05),
    }
    atoms = Atoms()
    for k, piece in enumerate(pieces.values()):
        atoms.extend(Atoms(piece.numbers, piece.positions + [30.0 * k, 0, 0]))
    found = topology(atoms)
    assert found.counts() == {"PS4": 1}
    assert sorted(piece.kind for piece in found.others) == ["P2S6", "P3S10", "PS3", "S2"]
    assert found.free.tolist() == [13 + 4 + 2 + 8]
    assert found.unclassified() == pytest.approx(28 / 33)


def test_a_disulfide_is_not_an_anion_of_its_neighbour():
    """PS4 whose one S holds a further S: five S on one P would be counted as a tetrahedron by S within reach alone."""
    atoms = tetrahedron("P", "S", 2.05)
    atoms.append("S")
    atoms.positions[-1] = atoms.positions[1] * 2
    found = topology(atoms)
    assert (found.counts(), [piece.kind for piece in found.others]) == ({}, ["PS5"])


def test_what_is_bonded_to_its_own_image_is_reported_and_ends():
    # SiS2: edge-sharing tetrahedra, an endless chain along z
    chain = Atoms("SiS2", [[0, 0, 0], [1.5, 0, 1.5], [-1.5, 0, 1.5]], cell=[12, 12, 3.0], pbc=True)
    for atoms in (chain, chain.repeat((1, 1, 4))):
        found = topology(atoms)
        assert (found.counts(), len(found.percolating), len(found.percolating[0].atoms)) == ({}, 1, len(atoms))
        assert found.unclassified() == 1.0
    open_end = chain.repeat((1, 1, 4))
    open_end.pbc = [True, True, False]
    assert not topology(open_end).percolating
    assert len(topology(open_end).others) == 1
    # a single atom bonded to itself, through a cell shorter than the bond
    assert len(topology(Atoms("P", cell=[10, 10, 2.2], pbc=True)).percolating) == 1


def test_counts_grow_with_the_cell_and_do_not_change_with_its_choice():
    frame = read_frames(bundled_folder("data") / "li3ps4_elastic.extxyz.gz")[0]
    atoms = Atoms(frame.numbers, frame.positions, cell=frame.cell, pbc=frame.pbc)
    assert topology(atoms).counts() == {"PS4": 2}
    for matrix in (np.diag([3, 2, 1]), np.array([[1, 1, 0], [0, 1, 0], [0, -1, 2]])):
        assert topology(make_supercell(atoms, matrix)).counts() == {"PS4": round(2 * np.linalg.det(matrix))}


def test_hot_frames_of_all_three_phases_of_lithium_thiophosphate():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="frames of 4 DFT settings")  # they differ in k-points
        frames = read_frames(bundled_folder("data") / "li3ps4.extxyz.gz", allow_mixed_settings=True)
    assert {frame.info["config_type"] for frame in frames} == {"gamma", "beta", "alpha"}
    broken = []
    for frame in frames:
        found = classify(frame.numbers, frame.positions, frame.cell, frame.pbc)
        # a bond of that moment longer than 2.5 Å leaves a PS3 with an S beside it
        assert {piece.kind for piece in found.others} <= {"PS3"}
        assert found.counts() == {"PS4": len(frame) // 8 - len(found.others)}
        assert len(found.free) == len(found.others)
        broken += [frame.info["temperature"]] * len(found.others)
    assert sorted(broken) == [900.0] + [1200.0] * 5  # of 59 frames of 900 K and 61 of 1,200 K


def test_hot_frames_of_lgps(data_folder):
    frames = read_frames(data_folder / "lgps_pbe")[::25]
    expected = [{"GeS4": len(frame) // 25, "PS4": len(frame) * 2 // 25} for frame in frames]
    counts = [classify(frame.numbers, frame.positions, frame.cell, frame.pbc).counts() for frame in frames]
    assert {len(frame) for frame in frames} == {50, 400}
    for frame, count, want in zip(frames, counts, expected, strict=True):
        if len(frame) == 400:
            # up to 1,200 K: of 48 tetrahedra a few have a bond that is beyond its limit at the moment
            assert sum(want.values()) - sum(count.values()) <= 6
    assert np.mean([count == want for count, want in zip(counts, expected, strict=True) if sum(want.values()) == 6]) > 0.85


# file → its anions, the elements of what is free, and nothing else
EXPECTED = {
    "AgI_alpha_128.extxyz": ({}, ""),
    "AgI_beta.cif": ({}, ""),
    "AgI_gamma.cif": ({}, ""),
    "LGPS_ordered.cif": ({"GeS4": 2, "PS4": 4}, ""),
    "Li3PS4_alpha_P1.extxyz": ({"PS4": 4}, ""),
    "Li3PS4_beta_ordered.cif": ({"PS4": 4}, ""),
    "Li3PS4_gamma.cif": ({"PS4": 2}, ""),
    "Li4P2S6_P-31m.cif": ({"P2S6": 1}, ""),
    "Li6PS5Cl_ordered.cif": ({"PS4": 4}, "S4"),
    "Li7P3S11.cif": ({"P2S7": 2, "PS4": 2}, ""),
    "Li7P3S11_dft.cif": ({"P2S7": 2, "PS4": 2}, ""),
    "LiBH4_HT_221_P1.extxyz": ({"BH4": 8}, ""),
    "LiBH4_HT_dft.cif": ({"BH4": 2}, ""),
    "LiBH4_HT_exp.cif": ({"BH4": 2}, ""),
    "Na11Sn2PS12_P1.extxyz": ({"PS4": 8, "SnS4": 16}, ""),
    "Na2B10H10_cubic_P1.extxyz": ({"B10H10": 4}, ""),
    "Na3OBH4_222_P1.extxyz": ({"BH4": 8}, ""),
    "Na3OBH4_ordered.cif": ({"BH4": 1}, ""),
    "Na3PS4_cubic.cif": ({"PS4": 2}, ""),
    "Na3PS4_tetragonal.cif": ({"PS4": 2}, ""),
    "Na3SbS4_cubic.cif": ({"SbS4": 2}, ""),
    "Na3SbS4_tetragonal.cif": ({"SbS4": 2}, ""),
    "Na4P2S6_alpha_constructed.cif": ({"P2S6": 2}, ""),
    "Na4P2S6_gamma_P1.extxyz": ({"P2S6": 2}, ""),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_crystals(name, data_folder):
    counts, free = EXPECTED[name]
    atoms = read(data_folder / "structures" / name)
    found = topology(atoms)
    assert found.counts() == counts
    assert (found.others, found.percolating) == ((), ())
    assert str(atoms[found.free].symbols) == free
