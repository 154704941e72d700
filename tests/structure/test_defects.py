"""Defects change the composition and the charge by what they say, and interstitials have the most room that there is."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from mlff.geometry import classify
from mlff.structure import prototype, structure
from mlff.structure.builder import check_built
from mlff.structure.defects import defects
from mlff.structure.voids import largest_void, room


def test_tungsten_takes_a_sodium_away(rng):
    atoms = defects("Na3SbS4_tetragonal", (2, 2, 2), [("Sb", "W", 1)], compensate="Na", rng=rng)
    assert atoms.symbols.formula.count() == structure("Na3SbS4_W_127").symbols.formula.count()
    assert (atoms.info["charge"], atoms.info["removed"]) == (0, {"Na": 1})
    check_built(atoms, "x")


@pytest.mark.parametrize(
    ("crystal", "replace", "ion", "expected"),
    [
        ("Na3PS4_tetragonal", [("Na", "Ca", 1)], "Na", {"Na": 4, "Ca": 1, "P": 2, "S": 8}),  # Ca2+: a vacancy
        ("Li10GeP2S12", [("P", "Ge", 1)], "Li", {"Li": 21, "Ge": 3, "P": 3, "S": 24}),  # Ge4+ on P5+: an interstitial
        ("Li3PS4_gamma", [("P", "Si", 1), ("Li", "Mg", 1)], "Li", {"Li": 5, "Mg": 1, "P": 1, "Si": 1, "S": 8}),  # each other
    ],
)
def test_aliovalent_dopants_are_compensated(crystal, replace, ion, expected, rng):
    atoms = defects(crystal, (1, 1, 1), replace, compensate=ion, rng=rng)
    assert atoms.symbols.formula.count() == expected
    assert atoms.info["charge"] == 0
    check_built(atoms, "x")


def test_a_halide_takes_the_place_of_unbonded_sulfur(rng):
    atoms = defects("Li6PS5Cl_4c_25", replace=[("S", "Cl", 2)], compensate="Li", unbonded=True, rng=rng)
    assert atoms.symbols.formula.count() == {"Li": 22, "P": 4, "S": 18, "Cl": 6}
    assert classify(atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc).counts() == {"PS4": 4}
    check_built(atoms, "x")
    inside = defects("Na3PS4_tetragonal", (2, 1, 1), [("S", "Cl", 1)], compensate="Na", rng=rng)  # PS3Cl has no formal charge
    assert (inside.info["charge"], inside.info["charge_of_atoms"]) == (None, 0)
    assert inside.symbols.formula.count() == {"Na": 11, "P": 4, "S": 15, "Cl": 1}
    with pytest.raises(ValueError, match="found 0 atoms of S, expected at least 1 to exchange"):
        defects("Na3PS4_tetragonal", replace=[("S", "Cl", 1)], unbonded=True, rng=rng)


def test_a_frenkel_pair_moves_an_ion_to_a_void_and_is_neutral(rng):
    crystal = structure("Li6PS5Cl_4c_0")
    atoms = defects(crystal, remove=[("Li", 1)], add=[("Li", 1)], rng=rng)
    assert atoms.symbols.formula.count() == crystal.symbols.formula.count()
    assert atoms.info["charge"] == 0
    check_built(atoms, "x")
    lithium = [frame.get_scaled_positions()[frame.symbols == "Li"] for frame in (crystal, atoms)]
    offset = lithium[1][:, None] - lithium[0]
    kept = (np.abs(offset - np.round(offset)).max(2) < 1e-6).any(1)
    assert kept.sum() == 23
    assert not kept[-1]


def test_charged_defects_say_their_charge(rng):
    vacancy = defects("Li3PS4_gamma", remove=[("Li", 2)], rng=rng)
    assert (vacancy.info["charge"], len(vacancy)) == (-2, 14)
    check_built(vacancy, "x")
    interstitial = defects("Li3PS4_gamma", add=[("Li", 1)], rng=rng)
    assert (interstitial.info["charge"], len(interstitial)) == (1, 17)
    check_built(interstitial, "x")
    vacancy.info["charge"] = 0
    with pytest.raises(
        ValueError, match=r"found a formal charge of -2 e and nothing of unknown charge, expected a neutral cell; compensate"
    ):
        check_built(vacancy, "x")


def test_what_cannot_be_made_is_refused(rng):
    with pytest.raises(ValueError, match=r"found a charge of \+1 e, which no whole number of Mg \(\+2 e\) makes good; double"):
        defects("Na3SbS4_tetragonal", replace=[("Sb", "W", 1)], compensate="Mg", rng=rng)
    with pytest.raises(ValueError, match="found no defect to make, expected `replace`, `remove` or `add`"):
        defects("Li4P2S6", rng=rng)
    with pytest.raises(ValueError, match=r"found \['Xe'\] without a formal charge"):
        defects("Li4P2S6", add=[("Xe", 1)], rng=rng)


def test_the_largest_void_of_simple_crystals(rng):
    fcc = bulk("Cu", a=4.0)  # primitive: the octahedral hole in the middle of the cubic cell, a/2 from six atoms
    point = largest_void(fcc, rng)
    assert room(fcc, point[None])[0] == pytest.approx(2.0 - 1.32, abs=2e-3)  # 1.32 Å: the radius of Cu
    cube = Atoms("CsCl", [[0, 0, 0], [2, 2, 2]], cell=[4, 4, 4], pbc=True)  # small Cl has more room around it than large Cs
    point = largest_void(cube, rng)
    rooms = room(cube, rng.uniform(0, 4, (5000, 3)))
    assert room(cube, point[None])[0] >= rooms.max()
    far = point + cube.cell.array.T @ [3, -2, 1]
    assert room(cube, far[None])[0] == pytest.approx(room(cube, point[None])[0])


def test_several_interstitials_keep_apart(rng):
    crystal = prototype("Li7P3S11_relaxed")
    atoms = defects(crystal, add=[("Li", 3)], rng=rng)
    new = range(42, 45)
    assert min(atoms.get_distance(i, j, mic=True) for i in new for j in range(45) if i != j) > 2.0
