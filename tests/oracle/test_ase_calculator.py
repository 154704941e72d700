"""Any ASE calculator as an oracle: by what makes it, and by its dotted name."""

import ase
import numpy as np
import pytest
from ase import Atoms
from ase.calculators.calculator import CalculatorSetupError, SCFError
from ase.calculators.lj import LennardJones
from ase.stress import full_3x3_to_voigt_6_stress

from mlff.oracle import Missing, NamedCalculator, OracleError, Unconverged
from mlff.oracle.ase_calculator import ASECalculator


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
        (CalculatorSetupError("no pw.x"), Missing, r"test is not set up: no pw.x; give what it needs in `oracle.arguments`"),
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


class Smeared(LennardJones):
    """A calculator whose plain energy is extrapolated to zero smearing, as those of density-functional codes are."""

    def calculate(self, *args, **kwargs):
        super().calculate(*args, **kwargs)
        self.results["energy"] += 1.0


def test_the_energy_is_the_one_that_the_forces_derive_from():
    atoms = Atoms("Ar2", [[0, 0, 0], [0, 0, 1.1]])
    plain, smeared = (ASECalculator(make, code="test", version="1", settings={}).label(atoms) for make in (LennardJones, Smeared))
    assert smeared.energy == plain.energy


def test_a_calculator_of_a_name_is_that_calculator():
    oracle = NamedCalculator("ase.calculators.lj.LennardJones", {"sigma": 0.9})
    atoms = Atoms("Ar2", [[0, 0, 0], [0, 0, 1.1]])
    label = oracle.label(atoms)
    atoms.calc = LennardJones(sigma=0.9)
    assert label.energy == atoms.get_potential_energy()
    assert (label.code, label.version) == ("ase.calculators.lj.LennardJones", ase.__version__)
    assert oracle.make() is not oracle.make()
    assert NamedCalculator("ase.calculators.lj.LennardJones", {"sigma": 1.0}).label(atoms).settings_hash != label.settings_hash
    assert NamedCalculator("ase.calculators.lj.LennardJones", version="7").version == "7"


@pytest.mark.parametrize(
    ("calculator", "arguments", "error", "message"),
    [
        ("ase.calculators.lj.Lenard", {}, ValueError, r"there is no ASE calculator 'ase.calculators.lj.Lenard' .*expected a dotted name"),
        ("no_such_package.GPAW", {}, ImportError, r"'no_such_package.GPAW' cannot be imported .*; install its package"),
        (
            "ase.calculators.lj.LennardJones",
            {"sigma": np.eye(2)},
            ValueError,
            r"arguments of .* are not plain JSON .*give numbers and text",
        ),
        ("tests.oracle.programs.program", {}, ValueError, r"the package 'tests' tells no version, .* give `oracle.version`"),
    ],
)
def test_a_name_that_leads_nowhere_is_refused(calculator, arguments, error, message):
    with pytest.raises(error, match=message):
        NamedCalculator(calculator, arguments)
