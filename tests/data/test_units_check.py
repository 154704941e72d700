"""Forces and energies that do not fit each other are found, whatever the factor; sound sets pass."""

import dataclasses

import numpy as np
import pytest

from mlff.data import read_frames, suspect_units
from mlff.data.units_check import units_verdict
from mlff.units import BOHR, HARTREE, HARTREE_PER_BOHR
from tests.run.conftest import labelled_frames

WRONG = {
    "forces 100 times too large": (1.0, 100.0, 0.01),
    "forces in Hartree/bohr beside energies in eV": (1.0, 1 / HARTREE_PER_BOHR, HARTREE_PER_BOHR),
    "energies in Hartree beside forces in eV/Å": (1 / HARTREE, 1.0, 1 / HARTREE),
    "energies in Hartree beside forces in Hartree/bohr": (1 / HARTREE, 1 / HARTREE_PER_BOHR, 1 / BOHR),
    "energies in meV beside forces in eV/Å": (1e3, 1.0, 1e3),
    "the forces have the wrong sign .gradients were written..: negate them": (1.0, -1.0, -1.0),
}


def scaled(frames, energy: float, force: float):
    return [
        dataclasses.replace(f, energy=f.energy * energy, forces=f.forces * force, stress=None if f.stress is None else f.stress * force)
        for f in frames
    ]


def test_sound_forces_give_a_ratio_of_one(lj_run):
    verdict = suspect_units(lj_run)
    assert verdict.ratio == pytest.approx(1, abs=0.05)  # the trapezoid rule over steps of 0.02 Å
    assert verdict.n_pairs >= 10


@pytest.mark.parametrize("cause", WRONG)
def test_wrong_units_are_refused_with_their_cause(lj_run, cause):
    energy, force, ratio = WRONG[cause]
    with pytest.raises(ValueError, match=rf"lj.extxyz: energy differences are .* times what the forces predict .* expected 1; .*{cause}"):
        suspect_units(scaled(lj_run, energy, force))
    assert units_verdict(scaled(lj_run, energy, force)).ratio == pytest.approx(ratio, rel=0.05)


def test_a_changing_cell_needs_the_stress(lj_run, rng):
    from ase.calculators.lj import LennardJones

    from mlff.data import Frame

    atoms = lj_run[0].to_atoms()
    atoms.calc = LennardJones(sigma=3.4, epsilon=0.0104, rc=5.0, smooth=True)
    cell = atoms.cell.array.copy()
    frames = []
    for index in range(20):
        # a compressed crystal: work done by the stress outweighs that of the forces
        atoms.set_cell(cell * (0.95 + 0.01 * rng.random()), scale_atoms=True)
        atoms.get_stress()
        frames.append(Frame.from_atoms(atoms, source="cells", index=index, info={"trajectory": "a"}))
    assert suspect_units(frames).ratio == pytest.approx(1, abs=0.1)
    without = [dataclasses.replace(f, stress=None) for f in frames]
    assert units_verdict(without).ratio is None


def test_far_frames_are_judged_by_the_size_of_their_forces(lj_run, rng):
    far = [dataclasses.replace(f, positions=f.positions + rng.normal(size=f.positions.shape)) for f in lj_run]
    far = [dataclasses.replace(f, forces=f.forces / np.sqrt(np.mean(f.forces**2))) for f in far]
    assert "too few frames lie close to each other to compare energies with forces" in suspect_units(far).message
    with pytest.raises(ValueError, match=r"the root mean square force is 100 eV/Å, expected 0.01 to 30; the unit is probably not eV/Å"):
        suspect_units(scaled(far, 1.0, 100.0))


def far_from(frames, n: int, rng):
    """n frames whose atoms lie anywhere, with forces that belong to nothing."""
    some = [frames[k % len(frames)] for k in range(n)]
    return [dataclasses.replace(f, positions=f.positions + rng.normal(size=f.positions.shape)) for f in some]


def test_further_frames_do_not_hide_the_close_ones(lj_run, rng):
    few = lj_run[::10]  # six frames
    alone = units_verdict(few)
    assert alone.n_pairs >= 5
    among = [*far_from(lj_run, 150, rng), *few, *far_from(lj_run, 150, rng)]
    among = [dataclasses.replace(f, index=k) for k, f in enumerate(among)]
    found = units_verdict(among)
    assert found.n_pairs == alone.n_pairs
    assert found.ratio == pytest.approx(alone.ratio)
    assert not units_verdict(scaled(among, 1.0, 0.1)).ok


def test_a_long_run_is_searched_where_neighbours_in_time_lie_closest(lj_run, rng):
    among = [*far_from(lj_run, 700, rng), *lj_run[20:40], *far_from(lj_run, 300, rng)]
    verdict = units_verdict([dataclasses.replace(f, index=k) for k, f in enumerate(among)])
    assert verdict.n_pairs >= 5
    assert verdict.ratio == pytest.approx(1, abs=0.1)


def test_every_order_of_atoms_of_a_file_is_looked_at(lj_run):
    other = dataclasses.replace(lj_run[0], numbers=lj_run[0].numbers[::-1], index=-1)
    assert units_verdict([other, *lj_run]).n_pairs == units_verdict(lj_run).n_pairs


def test_pairs_of_several_short_runs_count_together(lj_run):
    runs = [dataclasses.replace(f, info={"trajectory": f"run {k // 3}"}) for k, f in enumerate(lj_run)]
    verdict = units_verdict(runs)
    assert verdict.n_pairs >= 20
    assert verdict.ratio == pytest.approx(1, abs=0.05)
    with pytest.raises(ValueError, match=r"lj.extxyz: energy differences are 0\.\d+ times .* over 60 pairs"):
        suspect_units(scaled(runs, 1.0, 10.0))


@pytest.mark.parametrize("path", ["lips_520K/lips_1000.extxyz", "lgps_pbe/LiGePS-init.system", "lgps_pbe/LiGePS-iter.000000-data.000"])
def test_real_sets_pass_and_fail_when_scaled(data_folder, path):
    frames = read_frames(data_folder / path)
    assert 0.8 < suspect_units(frames).ratio < 1.2
    for factor in (100.0, 1 / HARTREE_PER_BOHR):
        assert not units_verdict(scaled(frames, 1.0, factor)).ok


@pytest.mark.slow
def test_the_whole_lgps_set_passes(data_folder):
    assert suspect_units(read_frames(data_folder / "lgps_pbe")).ok


def test_few_scattered_pairs_refuse_nothing_but_gross_mistakes():
    """Hard crystals displaced at random, half an ångström apart: the trapezoid rule is wrong by a third there, not the units."""
    for seed in (0, 1):
        frames = [dataclasses.replace(frame, info={}) for frame in labelled_frames(24, seed=seed)]
        verdict = units_verdict(frames)
        assert verdict.ok
        assert verdict.ratio < 0.7  # which more pairs would have refused
        assert not units_verdict(scaled(frames, 1.0, 100.0)).ok
        assert "wrong sign" in units_verdict(scaled(frames, 1.0, -1.0)).message
