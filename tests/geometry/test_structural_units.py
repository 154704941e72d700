"""What a glass is made of: the units, and what is none of them, each by its name."""

import numpy as np
import pytest
from ase import Atoms
from ase.io import read

from mlff.geometry import classify, structural_units
from mlff.structure import structure
from mlff.structure.thiophosphates import TETRAHEDRON, anion_shapes


def units_of(atoms):
    return structural_units(atoms.numbers, classify(atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc))


def chain(n: int) -> Atoms:
    """n tetrahedra in a row, each the inverse of the one before through the S that both share."""
    centre, atoms = np.zeros(3), Atoms()
    for k in range(n):
        sign, shared = (-1) ** k, k % 2  # through the corner 0, then 1, then 0
        corners = [j for j in range(4) if k == 0 or j != 1 - shared]
        atoms += Atoms(f"PS{len(corners)}", [centre, *(centre + sign * 2.05 * TETRAHEDRON[corners])])
        centre = centre + sign * 2 * 2.05 * TETRAHEDRON[shared]
    return atoms


def apart(*pieces: Atoms) -> Atoms:
    """In a row, 30 Å from each other."""
    atoms = Atoms()
    for k, piece in enumerate(pieces):
        atoms += Atoms(piece.numbers, piece.positions + [30.0 * k, 0, 0])
    return atoms


def branched() -> Atoms:
    """A P whose three S lead to a further P each: four tetrahedra, and no chain."""
    atoms = Atoms("PS4", [[0, 0, 0], *(2.05 * TETRAHEDRON)])
    for corner in (1, 2, 3):
        centre = 2 * atoms.positions[corner]
        rest = [k for k in (1, 2, 3, 4) if k != corner]
        atoms += Atoms("PS3", [centre, *(centre - atoms.positions[rest])])
    return atoms


def ring() -> Atoms:
    """P3S9: three P and three S in turn, two S beside each P."""
    angles = np.radians(np.arange(0, 360, 60))
    hexagon = 2.1 * np.stack([np.cos(angles), np.sin(angles), np.zeros(6)], 1)
    ends = [centre * 1.55 + [0, 0, side * 1.7] for centre in hexagon[::2] for side in (1, -1)]
    return Atoms("PSPSPSS6", [*hexagon, *ends])


def test_units_chains_and_fragments_are_told_apart():
    shapes = anion_shapes()
    found = units_of(
        apart(
            shapes["PS4"], shapes["PS4"], shapes["P2S7"], shapes["P2S6"], chain(3), chain(4), branched(), ring(), shapes["PS4"][:4],
            Atoms("S2", [[0, 0, 0], [0, 0, 2.05]]), Atoms("S"), Atoms("P"), Atoms("Li"),
        )
    )  # fmt: skip
    assert found.units == {"P2S6": 1, "P2S7": 1, "PS4": 2}
    assert found.chains == {"P3S10": 1, "P4S13": 1}
    # the branched piece has the formula of the chain of four
    assert found.fragments == {"P3S9": 1, "P4S13": 1, "PS3": 1, "S2": 1}
    assert (found.ligand_bonds, found.free) == (1, {"P": 1, "S": 1})
    n_p = 2 + 2 + 2 + 3 + 4 + 4 + 3 + 1 + 1
    assert found.shares == {"P2S6": 2 / n_p, "P2S7": 2 / n_p, "PS4": 2 / n_p}
    in_units = 2 * 5 + 9 + 8
    assert found.unclassified == pytest.approx(1 - in_units / (in_units + 13 + 17 + 17 + 12 + 4 + 2 + 1 + 1))
    assert str(found).startswith("1 P2S6, 1 P2S7, 2 PS4, 1 chain P3S10, 1 chain P4S13, 1 P3S9 unclassified")
    assert str(found).endswith("1 free P, 1 free S, 1 bond between ligands")


def test_a_pair_of_tetrahedra_is_a_unit_and_three_are_a_chain():
    assert units_of(chain(2)).units == {"P2S7": 1}
    three = units_of(chain(3))
    assert (three.units, three.chains, three.unclassified) == ({}, {"P3S10": 1}, 1.0)


@pytest.mark.parametrize(("length", "bonded"), [(2.49, True), (2.51, False)])
def test_a_phosphorus_keeps_its_sulfur_up_to_two_and_a_half_angstrom(length, bonded):
    atoms = anion_shapes()["PS4"]
    atoms.positions[1] = atoms.positions[0] + (atoms.positions[1] - atoms.positions[0]) * length / 2.05
    found = units_of(atoms)
    assert found.units == ({"PS4": 1} if bonded else {})
    assert (found.fragments, found.free) == (({}, {}) if bonded else ({"PS3": 1}, {"S": 1}))


@pytest.mark.parametrize(("length", "bonded"), [(2.79, True), (2.81, False)])
def test_two_phosphorus_are_bonded_up_to_2_8_angstrom(length, bonded):
    atoms = anion_shapes()["P2S6"]
    shift = np.array([0, 0, (length - 2.2) / 2])
    atoms.positions += np.where(atoms.positions[:, 2:] > 0, shift, -shift)
    found = units_of(atoms)
    assert (found.units, found.fragments) == (({"P2S6": 1}, {}) if bonded else ({}, {"PS3": 2}))


def test_crystals_have_the_units_of_their_formulas(data_folder):
    for name in ("Li7P3S11.cif", "Li7P3S11_dft.cif"):
        found = units_of(read(data_folder / "structures" / name))
        assert found.units == {"P2S7": 2, "PS4": 2}  # 1 : 1
        assert found.shares == {"P2S7": pytest.approx(2 / 3), "PS4": pytest.approx(1 / 3)}
        assert found.unclassified == 0
    found = units_of(structure("Li4P2S6"))
    assert (found.shares, found.unclassified) == ({"P2S6": 1.0}, 0)
    assert units_of(structure("Li6PS5Cl_4c_0")).free == {"S": 4}
    nothing = units_of(structure("AgI_beta"))
    assert (nothing.units, nothing.shares, str(nothing)) == ({}, {}, "")


def test_a_glass_has_the_units_it_was_built_of():
    found = units_of(structure("LiPS_glass_25_264", seed=4))
    assert found.units == {"P2S6": 5, "P2S7": 12, "PS4": 6}
    assert found.shares == {"P2S6": 0.25, "P2S7": 0.6, "PS4": 0.15}
    assert (found.chains, found.fragments, found.ligand_bonds, found.free, found.unclassified) == ({}, {}, 0, {}, 0.0)
