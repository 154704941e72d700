"""The six configurations of Li6PS5X: their numbers, their symmetry, and the random supercell of them."""

from collections import Counter

import numpy as np
import pytest
from ase.spacegroup import Spacegroup

from mlff.geometry import classify
from mlff.structure import names, structure
from mlff.structure.argyrodite import ENERGIES, FCC, QUARTER, arrangements, random_cells, weights
from mlff.units import K_B


def symmetries(on_4a, on_4c) -> list[tuple[np.ndarray, np.ndarray]]:
    """The operations of F-43m, modulo the translations of the cubic cell, that keep X and S of the arrangement where they are."""
    sites = np.concatenate([FCC, FCC + QUARTER])
    holds = np.array([k in on_4a for k in range(4)] + [k in on_4c for k in range(4)])
    kept = []
    for rotation, translation in zip(*Spacegroup(216).get_op(), strict=True):
        moved = sites @ rotation.T + translation
        offset = moved[:, None] - sites
        image = (np.abs(offset - np.round(offset)).max(2) < 1e-6).argmax(1)
        if (holds[image] == holds).all():
            kept.append((rotation, translation))
    return kept


# kind → arrangements, operations that keep one, and the rotations among the latter by determinant and trace
POINT_GROUPS = {
    "0": (1, 96, None),
    "25": (16, 6, {(1, 3): 1, (1, 0): 2, (-1, 1): 3}),  # 3m: the identity, two threefold rotations, three mirrors
    "50_P2122": (24, 4, {(1, 3): 1, (1, -1): 3}),  # 222
    "50_Pmm2": (12, 8, {(1, 3): 2, (1, -1): 2, (-1, 1): 4}),  # mm2, and each with the translation that halves the cell
    "75": (16, 6, {(1, 3): 1, (1, 0): 2, (-1, 1): 3}),
    "100": (1, 96, None),
}


@pytest.mark.parametrize("kind", ENERGIES)
def test_all_arrangements_of_a_kind_are_equivalent_and_have_its_symmetry(kind):
    count, order, rotations = POINT_GROUPS[kind]
    assert len(arrangements()[kind]) == count
    for arrangement in arrangements()[kind]:
        kept = symmetries(*arrangement)
        # orbit and stabiliser: 96 operations over those that keep it are the arrangements it can be turned into, so that there is no other
        assert len(kept) == order == 96 / count
        if rotations:
            assert Counter((round(np.linalg.det(r)), int(np.trace(r))) for r, _ in kept) == rotations


def test_one_of_the_three_twofold_axes_of_p2_122_is_a_screw():
    for arrangement in arrangements()["50_P2122"]:
        along = [(rotation + np.eye(3)) @ translation / 2 for rotation, translation in symmetries(*arrangement) if np.trace(rotation) < 0]
        screws = [abs((shift + 0.25) % 1 - 0.25).max() > 0.2 for shift in along]
        assert sorted(screws) == [False, False, True]


def test_there_are_seventy_arrangements():
    assert sum(map(len, arrangements().values())) == 70
    assert len({arrangement for same in arrangements().values() for arrangement in same}) == 70


@pytest.mark.parametrize("name", [name for name in names() if "_4c_" in name])
def test_the_configurations_have_the_published_contents(name):
    atoms = structure(name)
    halogen, share = name[6:].split("_4c_")
    halogen = halogen.rstrip("_")
    assert atoms.symbols.formula.count() == {"Li": 24, "P": 4, "S": 20, halogen: 4}
    found = classify(atoms.numbers, atoms.positions, atoms.cell.array, atoms.pbc)
    assert found.counts() == {"PS4": 4}
    assert len(found.free) == 4
    # 4c of the setting in which P lies at (½, ½, ½): its neighbours at √3/4 of the cell along the diagonals
    offset = atoms.get_scaled_positions()[atoms.symbols == halogen] - QUARTER
    assert 25 * (np.abs(2 * offset - np.round(2 * offset)).max(1) < 1e-6).sum() == int(share.split("_")[0])
    assert set(atoms.info["site_occupancies"]["4a"]) <= {"S", halogen}


def test_weights_are_of_boltzmann():
    share = weights(450.0)
    assert sum(share.values()) == pytest.approx(1)
    assert np.log(share["25"] / share["100"]) == pytest.approx(0.202 / (K_B * 450))  # eV: 206 − 4 meV
    assert np.log(weights(450.0, "cell")["25"] / weights(450.0, "cell")["0"]) == pytest.approx(52 * 0.019 / (K_B * 450))
    counted = weights(450.0, degeneracy=True)
    assert counted["50_P2122"] / counted["50_Pmm2"] == pytest.approx(2 * share["50_P2122"] / share["50_Pmm2"])
    with pytest.raises(ValueError, match="found per='cells' at 300 K, expected 'atom' or 'cell'"):
        weights(300, "cells")


def test_the_random_supercell_holds_what_was_drawn():
    atoms = structure("Li6PS5Cl_random_1404", seed=3)
    assert atoms.symbols.formula.count() == {"Li": 648, "P": 108, "S": 540, "Cl": 108}
    np.testing.assert_allclose(atoms.cell.array, 30.838494 * np.eye(3))  # Å, 3 × 10.279498
    drawn = atoms.info["configurations"]
    assert sum(drawn.values()) == 27
    fractions = 3 * atoms.get_scaled_positions()[atoms.symbols == "Cl"]
    on_4c = (np.abs(2 * (fractions - QUARTER) - np.round(2 * (fractions - QUARTER))).max(1) < 1e-6).sum()
    assert on_4c == sum(count * int(kind.split("_")[0]) / 25 for kind, count in drawn.items())


def test_many_cells_are_drawn_in_the_shares_of_their_weights(rng):
    drawn = random_cells("I", (10, 10, 5), 800.0, rng=rng).info["configurations"]
    for kind, share in weights(800.0).items():
        assert drawn[kind] == pytest.approx(500 * share, abs=4.5 * np.sqrt(500 * share * (1 - share)) + 1e-9)
    assert random_cells(repeat=(3, 3, 3), temperature=10, rng=rng).info["configurations"]["50_P2122"] == 27


def test_an_unknown_configuration_is_answered_with_those_there_are(rng):
    from mlff.structure.argyrodite import configuration

    with pytest.raises(ValueError, match="found no configuration '50_P2221'; did you mean '50_P2122'"):
        configuration("Cl", "50_P2221", rng=rng)
    with pytest.raises(ValueError, match=r"found no halogen 'F'.*choose one of Cl, Br, I"):
        configuration("F", rng=rng)
