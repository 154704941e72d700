"""Each check of a finished structure fails on a structure that breaks it, and says what was found and expected."""

import pytest

from mlff.structure import prototype
from mlff.structure.charge import formal_charge
from mlff.structure.checks import check
from mlff.structure.doping import doped

COMPOSITION = {"Li": 14, "P": 6, "S": 22}
DENSITY = 1.872


@pytest.fixture
def crystal():
    return prototype("Li7P3S11_relaxed")


def test_a_good_structure_passes(crystal):
    check(crystal, "x", COMPOSITION, DENSITY)


def test_a_lost_atom_is_missed(crystal):
    del crystal[0]
    with pytest.raises(ValueError, match=r"x: found \{'Li': 13, .*expected \{'Li': 14"):
        check(crystal, "x", COMPOSITION, DENSITY)


def test_a_charged_structure_is_refused(crystal):
    del crystal[0]
    with pytest.raises(ValueError, match="found a formal charge of -1 e and nothing of unknown charge"):
        check(crystal, "x", COMPOSITION | {"Li": 13}, DENSITY)


def test_a_torn_anion_is_refused(crystal):
    sulfur = int((crystal.symbols == "S").nonzero()[0][0])
    crystal.positions[sulfur] += 0.9  # Å along each axis: off its P, and not onto another atom
    with pytest.raises(ValueError, match=r"and \['P.*S.'\] of unknown charge, expected a neutral cell of known"):
        check(crystal, "x", COMPOSITION, DENSITY)


def test_overlaps_and_density_are_refused(crystal):
    with pytest.raises(ValueError, match=r"found 1\.872 g/cm³, expected 2\.000 within 2 %"):
        check(crystal, "x", COMPOSITION, 2.0)
    crystal.positions[0] = crystal.positions[1] + [0, 0, 0.5]
    with pytest.raises(ValueError, match=r"atoms 0 \(Li\) and 1 \(Li\) lie 0\.50 Å apart, expected at least 1\.54 Å"):
        check(crystal, "x", COMPOSITION, DENSITY)


def test_formal_charges_count_anions_as_wholes():
    for name in ("Na2B10H10", "Na4P2S6_gamma", "Na3OBH4", "Li7P3S11", "Na11Sn2PS12"):
        atoms = prototype(name)
        assert formal_charge(atoms) == (0, [])
        mobile = (atoms.symbols == "Li") | (atoms.symbols == "Na")
        assert formal_charge(atoms[~mobile]) == (-int(mobile.sum()), [])


def test_doping_counts_and_refuses_what_is_not_there(crystal, rng):
    atoms, composition = doped(crystal, [("P", "Sb", 2)], {"Li": 3}, rng)
    assert composition == {"Li": 11, "P": 4, "S": 22, "Sb": 2}
    assert atoms.symbols.formula.count() == composition
    assert len(crystal) == 42
    with pytest.raises(ValueError, match="found 6 atoms of P, expected at least 7"):
        doped(crystal, [("P", "Sb", 7)], {}, rng)
