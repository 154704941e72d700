"""GFN1-xTB through tblite, and with it everything that wraps an ASE calculator."""

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.calculator import SCFError
from ase.calculators.lj import LennardJones
from ase.stress import full_3x3_to_voigt_6_stress

from mlff.oracle import GFN1xTB, OracleError, Unconverged
from mlff.oracle.ase_calculator import ASECalculator


@pytest.fixture(scope="module")
def xtb():
    pytest.importorskip("tblite", reason="tblite is not installed (pip install .[xtb])")
    return GFN1xTB(accuracy=0.01)


def dimer(distance: float) -> Atoms:
    return Atoms("LiH", [[0, 0, 0], [0, 0, distance]])


def test_lithium_hydride_is_as_long_as_it_is(xtb):
    # GFN1-xTB's bond is 1.45 Å (1.60 by experiment); with Bohr taken for Å it would be 0.8 or 2.7
    forces = {distance: xtb.label(dimer(distance)).forces[1, 2] for distance in (1.35, 1.65)}
    assert forces[1.35] > 0 > forces[1.65]


def test_forces_are_minus_the_slope_of_the_energy(xtb):
    step = 1e-3  # Å
    slope = (xtb.label(dimer(1.8 + step)).energy - xtb.label(dimer(1.8 - step)).energy) / (2 * step)
    forces = xtb.label(dimer(1.8)).forces
    assert forces[1, 2] == pytest.approx(-slope, abs=1e-4)  # eV/Å: the step's third order
    np.testing.assert_allclose(forces.sum(0), 0, atol=1e-6)


def rock_salt(scale: float = 1.0) -> Atoms:
    cell = np.array([[0, 2.5, 2.6], [2.5, 0.1, 2.5], [2.7, 2.5, 0]]) * scale
    return Atoms("LiCl", scaled_positions=[[0, 0, 0], [0.5, 0.47, 0.52]], cell=cell, pbc=True)


def test_a_compressed_cell_has_negative_stress(xtb):
    stress = xtb.label(rock_salt(0.85)).stress
    assert np.trace(stress) < 0
    np.testing.assert_allclose(stress, stress.T, atol=1e-8)


def test_stress_is_the_slope_of_the_energy_per_volume(xtb):
    base, step = rock_salt(), 1e-3
    stress = xtb.label(base).stress
    for i, j in ((0, 0), (0, 2), (1, 2)):  # shears too, which a wrong order of Voigt components would misplace
        energies = []
        for sign in (1, -1):
            strain = np.zeros((3, 3))
            strain[i, j] += sign * step / 2
            strain[j, i] += sign * step / 2
            strained = base.copy()
            strained.set_cell(base.cell.array @ (np.eye(3) + strain), scale_atoms=True)
            energies.append(xtb.label(strained).energy)
        slope = (energies[0] - energies[1]) / (2 * step) / base.get_volume()
        assert stress[i, j] == pytest.approx(slope, abs=2e-5)  # eV/Å³: the step's third order


def test_a_crystal_that_does_not_converge_says_so(xtb):
    metal = Atoms("LiF", [[0, 0, 0], [2.5, 2.5, 2.5]], cell=[[0, 2.5, 2.5], [2.5, 0, 2.5], [2.5, 2.5, 0]], pbc=True)
    with pytest.raises(Unconverged, match=r"tblite did not converge on FLi: SCF not converged in 250 cycles"):
        xtb.label(metal)


def test_labels_name_their_settings(xtb):
    label = xtb.label(dimer(1.6))
    assert (label.code, label.stress) == ("tblite", None)  # a molecule has no stress
    assert label.settings_hash != GFN1xTB(accuracy=1.0).label(dimer(1.6)).settings_hash


def test_any_ase_calculator_is_an_oracle():
    oracle = ASECalculator(LennardJones, code="ase-lj", version="1", settings={"sigma": 1.0})
    atoms = Atoms("Ar2", [[0, 0, 0], [0, 0, 1.1]], cell=[9, 9, 9], pbc=True)
    label = oracle.label(atoms)
    atoms.calc = LennardJones()
    assert label.energy == atoms.get_potential_energy()
    np.testing.assert_array_equal(label.forces, atoms.get_forces())
    np.testing.assert_array_equal(full_3x3_to_voigt_6_stress(label.stress), atoms.get_stress())


class Refusing(LennardJones):
    """A calculator that fails as it is told."""

    error: Exception

    def calculate(self, *args, **kwargs):
        raise self.error


@pytest.mark.parametrize(
    ("error", "answer", "message"),
    [
        (SCFError("no luck in 250 steps"), Unconverged, "test did not converge on Ar2: no luck in 250 steps"),
        (RuntimeError("out of memory"), OracleError, "test failed on Ar2: out of memory"),
    ],
)
def test_a_refusal_carries_the_reason(error, answer, message):
    calculator = Refusing()
    calculator.error = error
    oracle = ASECalculator(lambda: calculator, code="test", version="1", settings={})
    with pytest.raises(answer, match=message) as caught:
        oracle.label(Atoms("Ar2", [[0, 0, 0], [0, 0, 1.1]]))
    assert type(caught.value) is answer


class Infinite(LennardJones):
    """A calculator that answers NaN."""

    def calculate(self, *args, **kwargs):
        super().calculate(*args, **kwargs)
        self.results["forces"] = self.results["forces"] * np.nan


def test_infinite_answers_are_refused():
    oracle = ASECalculator(Infinite, code="test", version="1", settings={})
    with pytest.raises(OracleError, match="test answered NaN for Ar2; expected finite numbers"):
        oracle.label(Atoms("Ar2", [[0, 0, 0], [0, 0, 1.1]]))
