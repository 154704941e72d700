"""Every fault that is put into a sound set is found, and nothing is found in the sound one."""

import dataclasses

import numpy as np
import pytest

from mlff.data.inspection import inspect_frames, robust_z


def damaged(frames, position: int, **change):
    return [dataclasses.replace(f, **change) if k == position else f for k, f in enumerate(frames)]


def test_a_sound_set_has_nothing_but_its_single_stoichiometry(lj_run):
    found = inspect_frames(lj_run)
    assert (found.n_frames, found.species) == (60, ("Ar", "Kr"))
    assert found.counts == {"energy": 60, "forces": 60, "stress": 60}
    assert found.compositions == {"Ar16Kr16": 60}
    assert found.temperatures == {"300": 30, "600": 30}
    assert found.duplicates == []
    assert found.outliers == []
    assert [warning for warning in found.warnings if "the compositions fix only 1 of 2" not in warning] == []


def test_ranges_are_those_of_the_frames(lj_run):
    found = inspect_frames(lj_run, r_max=4.5)
    forces = np.concatenate([f.forces for f in lj_run])
    assert found.force_max.max() == pytest.approx(np.linalg.norm(forces, axis=1).max())
    assert found.pressure[3] == pytest.approx(-np.trace(lj_run[3].stress) / 3 * 160.21766208)
    distances = [f.to_atoms().get_all_distances(mic=True) + 99 * np.eye(32) for f in lj_run]
    shortest, where = found.shortest["Ar", "Kr"]
    expected = min(d[:16, 16:].min() for d in distances)
    assert shortest == pytest.approx(expected)
    assert where == lj_run[int(np.argmin([d[:16, 16:].min() for d in distances]))].where


def test_an_energy_that_stands_apart_is_an_outlier(lj_run):
    found = inspect_frames(damaged(lj_run, 17, energy=lj_run[17].energy + 5.0))
    assert (found.outliers[0].where, found.outliers[0].what) == ("lj.extxyz, frame 17", "energy")
    assert any("1 frame is an outlier (first: lj.extxyz, frame 17); look at it before training" in warning for warning in found.warnings)


def test_a_force_that_stands_apart_is_an_outlier(lj_run):
    forces = lj_run[5].forces.copy()
    forces[0, 0] = 50.0
    found = inspect_frames(damaged(lj_run, 5, forces=forces))
    assert [(o.position, o.what, o.value) for o in found.outliers] == [(5, "largest force", "50 eV/Å")]


def test_a_shifted_and_wrapped_copy_is_a_duplicate(lj_run):
    copy = dataclasses.replace(lj_run[7], positions=lj_run[7].positions + 0.3, index=60)
    wrapped = dataclasses.replace(copy, positions=copy.positions % copy.cell[0, 0], energy=copy.energy + 0.1, index=61)
    found = inspect_frames([*lj_run, copy, wrapped])
    assert found.duplicates == [[7, 60, 61]]
    text = "2 frames repeat another one (first: lj.extxyz, frame 60); in 1 group the energies differ by more than 1 meV: two settings?"
    assert text in found.warnings


def test_faults_of_labels_are_named(lj_run):
    frames = damaged(lj_run, 3, stress=None)
    frames = damaged(frames, 4, info={**lj_run[4].info, "converged": False})
    frames = damaged(frames, 5, energy_kind="sigma0")
    warnings = inspect_frames(frames).warnings
    assert "1 of 60 frames has no stress" in warnings
    assert any("1 frame comes from a self-consistency that did not converge (first: lj.extxyz, frame 4)" in w for w in warnings)
    assert any("energies of several kinds are mixed: free, sigma0" in w for w in warnings)


def test_atoms_on_top_of_each_other_are_named(lj_run):
    positions = lj_run[2].positions.copy()
    positions[1] = positions[0] + [0.5, 0, 0]
    warnings = inspect_frames(damaged(lj_run, 2, positions=positions)).warnings
    assert any(w.startswith("Ar–Ar come as close as 0.50 Å in lj.extxyz, frame 2, below 1.27 Å") for w in warnings)


def test_frames_without_labels_are_inspected_too(lj_run):
    found = inspect_frames([dataclasses.replace(f, energy=None, forces=None, stress=None) for f in lj_run])
    assert found.reference is None
    expected = (
        "a potential needs energies and forces: 0 frames have energy, 0 frames have forces, 0 frames have stress; "
        "lj.extxyz, frame 0 holds the numbers temperature, expected labels under REF_energy or energy or free_energy; "
    )
    assert any(warning.startswith(expected) for warning in found.warnings)


def test_robust_z_of_a_normal_sample(rng):
    values = np.append(rng.normal(3.0, 2.0, size=20_000), np.nan)
    z = robust_z(values)
    assert np.nanstd(z) == pytest.approx(1, abs=0.03)  # the median deviation of 20,000 numbers
    assert np.isnan(z[-1])
    assert robust_z(np.ones(5)).tolist() == [0] * 5
