"""Large frames in the pool become local cells; others stay as they are."""

from dataclasses import replace

import numpy as np

from mlff.active.cut_picks import cut_picks
from mlff.active.local_cell import LocalCells
from mlff.active.select import CANDIDATE, pick
from mlff.active.soundness import Soundness
from tests.active.trajectories import judged

CELLS = LocalCells(larger_than=100, edge=10.4, core=4.0)  # Å: two periods of LiCl are 10.28


def picks() -> list:
    """One of 8 atoms, and one of 512, whose lattice vectors lie askew so that no period is kept."""
    one = judged([0.2, 0.2])
    small, large = pick(0, one, 0, CANDIDATE), pick(0, one, 1, CANDIDATE)
    atoms = large.atoms.repeat([4, 4, 4])
    atoms.rotate(10, "z", rotate_cell=True)
    atoms.rotate(10, "x", rotate_cell=True)
    atoms.info = large.atoms.info
    return [small, replace(large, atoms=atoms)]


def last(frames) -> list[int]:
    return [len(atoms) - 1 for atoms in frames]


def test_nothing_is_cut_unless_asked_for():
    before = picks()
    assert cut_picks(before, None, Soundness(), last) == (before, {})


def test_a_large_frame_becomes_a_cell_around_its_atom_and_keeps_what_is_known_of_it():
    small, large = picks()
    (first, second), refused = cut_picks([small, large], CELLS, Soundness(), last)
    assert refused == {}
    assert first is small
    assert len(second.atoms) < 100
    assert second.atoms.info["cut_around"] == 511
    assert second.atoms.info["local_cell_of"].startswith("512 atoms, cut around atom 511")
    assert second.atoms.info["step"] == large.atoms.info["step"]
    assert (second.reason, second.value, second.trajectory, second.time) == (large.reason, large.value, large.trajectory, large.time)


def test_what_cannot_be_cut_or_is_not_sound_leaves_the_pool_with_its_reason():
    small, large = picks()
    unknown = replace(large, atoms=large.atoms.copy())
    unknown.atoms.symbols[511] = "Ti"
    found, refused = cut_picks([small, unknown, unknown], CELLS, Soundness(), last)
    assert found == [small]
    assert refused == {"an unknown charge in the core of a local cell": 2}
    found, refused = cut_picks([small, large], CELLS, Soundness(density=(0.1, 0.5)), last)
    assert found == [small]
    assert refused == {"an odd density": 1}


def test_the_centres_are_asked_for_large_frames_alone():
    asked = []

    def centres(frames):
        asked.extend(len(atoms) for atoms in frames)
        return np.zeros(len(frames), int)

    cut_picks(picks(), CELLS, Soundness(), centres)
    assert asked == [512]
