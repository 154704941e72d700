"""Reference energies come back where the frames fix them, and the report says so where they do not."""

import dataclasses

import numpy as np
import pytest
from ase.data import atomic_numbers

from mlff.data import Frame, fit_reference_energies, force_rms, neighbours_per_species
from mlff.data.statistics import isolated_atoms

E0 = {"Li": -1.9, "P": -5.4, "S": -4.1}


def frame(symbols: dict[str, int], energy: float | None = None, **info) -> Frame:
    numbers = [atomic_numbers[s] for s, n in symbols.items() for _ in range(n)]
    if energy is None:
        energy = sum(n * E0[s] for s, n in symbols.items())
    return Frame(numbers, np.zeros((len(numbers), 3)), np.eye(3) * 9, True, energy, None, None, info=info)


def test_three_stoichiometries_fix_three_energies():
    fit = fit_reference_energies([frame({"Li": 3, "P": 1, "S": 4}), frame({"Li": 2, "S": 1}), frame({"P": 4, "S": 3})])
    assert fit.identifiable
    assert fit.shared == ()
    for symbol, energy in E0.items():
        assert fit.energies[symbol] == pytest.approx(energy, abs=1e-5)  # eV: the ridge's pull


def test_one_stoichiometry_is_not_enough_and_the_message_says_what_to_add():
    frames = [frame({"Li": 3 * n, "P": n, "S": 4 * n}) for n in (1, 2, 4)]
    fit = fit_reference_energies(frames)
    assert not fit.identifiable
    assert "the compositions fix only 1 of 3 of them" in fit.message
    assert "add IsolatedAtom frames of Li, P, S, frames of other stoichiometries, or give the energies" in fit.message
    total = sum(fit.energies[s] * n for s, n in (("Li", 3), ("P", 1), ("S", 4)))
    assert total == pytest.approx(frames[0].energy, abs=1e-5)
    # what the frames cannot tell apart gets equal shares per atom
    assert np.ptp(list(fit.energies.values())) < 1e-5


def test_mixtures_of_two_compounds_count_as_two():
    # Li3PS4 = 3/2 Li2S + 1/2 P2S5
    fit = fit_reference_energies([frame({"Li": 3, "P": 1, "S": 4}), frame({"Li": 2, "S": 1}), frame({"P": 2, "S": 5})])
    assert not fit.identifiable
    assert "fix only 2 of 3" in fit.message


def test_only_the_species_that_hang_together_are_named():
    fit = fit_reference_energies([frame({"Li": 1, "P": 1, "S": 4}), frame({"Li": 3, "P": 1, "S": 4})])
    assert not fit.identifiable
    assert "those of P, S share an arbitrary part" in fit.message
    assert fit.shared == ("P", "S")
    assert fit.energies["Li"] == pytest.approx(E0["Li"], abs=1e-5)


def test_isolated_atoms_and_given_energies_go_before_the_fit():
    crystal = frame({"Li": 3, "P": 1, "S": 4})
    atoms = [frame({s: 1}, config_type="IsolatedAtom") for s in ("Li", "P")]
    fit = fit_reference_energies([crystal, *atoms])
    assert fit.identifiable
    assert fit.energies == pytest.approx(E0, abs=1e-6)
    assert fit_reference_energies([crystal], given=E0).energies == E0
    with pytest.raises(ValueError, match="reference energies are given for Ge, but the frames hold Li, P, S; remove them"):
        fit_reference_energies([crystal], given={"Ge": 1.0})


def test_isolated_atoms_that_contradict_are_refused():
    frames = [frame({"Li": 1}, energy, config_type="IsolatedAtom") for energy in (-1.9, -1.8)]
    with pytest.raises(ValueError, match=r"the isolated Li atom has -1.800000 eV, but -1.900000 eV in memory, frame 0; keep the right one"):
        isolated_atoms(frames)
    with pytest.raises(ValueError, match="config_type is IsolatedAtom with 3 atoms"):
        isolated_atoms([frame({"Li": 2, "S": 1}, config_type="IsolatedAtom")])


def test_force_rms_is_over_components(lj_run):
    forces = np.concatenate([f.forces for f in lj_run])
    numbers = np.concatenate([f.numbers for f in lj_run])
    rms = force_rms(lj_run)
    assert rms.overall == pytest.approx(np.sqrt(np.mean(forces**2)))
    assert rms.per_species["Kr"] == pytest.approx(np.sqrt(np.mean(forces[numbers == 36] ** 2)))
    with pytest.raises(ValueError, match="no frame holds forces"):
        force_rms([dataclasses.replace(lj_run[0], forces=None)])


def test_neighbours_of_a_perfect_crystal():
    # rock salt with a nearest distance of 2.5 Å: 6 unlike and 12 like neighbours within 4 Å
    rock_salt = Frame([3, 17], [[0, 0, 0], [2.5, 0, 0]], 2.5 * np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]]), True, None, None, None)
    assert neighbours_per_species([rock_salt], 3.0) == {"Li": 6, "Cl": 6}
    assert neighbours_per_species([rock_salt], 4.0) == {"Li": 18, "Cl": 18}
