"""The run-time check sees exactly the anion whose bond was pulled, and refuses nothing that only vibrates or turns."""

import numpy as np
import pytest

from mlff.bundled import bundled_folder
from mlff.data import read_frames
from mlff.geometry import bonds_to_watch, broken_anions, find_anions


@pytest.fixture(scope="module")
def crystal():
    frame = read_frames(bundled_folder("data") / "li3ps4_elastic.extxyz.gz")[0]
    anions = find_anions(frame.numbers, frame.positions, frame.cell, frame.pbc, kinds=["PS4"])
    pieces = np.stack([frame.positions[anion.atoms] + anion.shifts @ frame.cell for anion in anions])
    return frame, anions, pieces


def test_whole_anions_pass_and_turn_freely(crystal, rng):
    frame, anions, pieces = crystal
    watched, limits = bonds_to_watch(anions, frame.numbers)
    assert (watched.shape, set(limits)) == ((8, 3), {2.5})
    assert broken_anions(pieces, watched, limits).tolist() == []
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    assert broken_anions(pieces @ turn + rng.normal(size=3), watched, limits).tolist() == []


@pytest.mark.parametrize("which", [0, 1])
def test_the_broken_one_is_named(crystal, which):
    frame, anions, pieces = crystal
    watched, limits = bonds_to_watch(anions, frame.numbers)
    bond = pieces[which, 3] - pieces[which, 0]
    for length, expected in ((2.49, []), (2.51, [which])):
        pulled = pieces.copy()
        pulled[which, 3] = pulled[which, 0] + bond * length / np.linalg.norm(bond)
        assert broken_anions(pulled, watched, limits).tolist() == expected
    pulled[which, 3] = np.nan
    assert broken_anions(pulled, watched, limits).tolist() == [which]


def test_anions_of_one_kind_may_be_bonded_in_different_orders():
    """Two P2S6 whose S are numbered differently: the same two places are a bond in one and none in the other."""
    height, radius, turn = 2.05 / 3, 2.05 * np.sqrt(8) / 3, 2 * np.pi / 3 * np.arange(3)
    upper = np.c_[radius * np.cos(turn), radius * np.sin(turn), np.full(3, 1.125 + height)]
    centres = np.array([[0, 0, 1.125], [0, 0, -1.125]])
    one = np.concatenate([centres, upper, -upper])
    other = np.concatenate([centres, -upper, upper]) + 15
    numbers = np.array([15, 15, *[16] * 6] * 2)
    positions = np.concatenate([one, other])
    anions = find_anions(numbers, positions, np.zeros((3, 3)), np.zeros(3, bool))
    watched, limits = bonds_to_watch(anions, numbers)
    assert sorted(limits) == [2.5] * 12 + [2.8] * 2
    assert broken_anions(np.stack([one, other]), watched, limits).tolist() == []
    assert broken_anions(np.stack([one, one]), watched, limits).tolist() == [1]


def test_one_kind_at_a_time(crystal):
    frame, _, _ = crystal
    with pytest.raises(ValueError, match=r"found anions of the kinds \[\], expected at least one anion, all of one kind"):
        bonds_to_watch([], frame.numbers)
