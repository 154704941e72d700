import numpy as np
import pytest

from mlff.analysis import Estimate, haven_ratio, nernst_einstein
from tests.analysis.trajectories import brownian, displacements_of


def test_nernst_einstein_in_si_units():
    """24 Li in 1000 Å³ at 300 K with 1e-7 cm²/s: 24 (1.602e-19 C)² 1e-11 m²/s / (1e-27 m³ 1.381e-23 J/K 300 K) = 1.487 S/m."""
    sigma = nernst_einstein(Estimate(1e-7, 2e-8, unit="cm²/s"), 24, 1.0, 1000.0, 300.0)
    assert sigma.value == pytest.approx(24 * 1.602176634e-19**2 * 1e-11 / (1e-27 * 1.380649e-23 * 300) / 100, rel=1e-8)
    assert sigma.error == pytest.approx(0.2 * sigma.value)
    assert sigma.unit == "S/cm"
    bound = nernst_einstein(Estimate(None, upper=1e-7, unit="cm²/s"), 24, 2.0, 1000.0, 300.0)
    assert bound.upper == pytest.approx(4 * sigma.value)
    with pytest.raises(ValueError, match=r"found 24 ions in 0 Å³"):
        nernst_einstein(bound, 24, 1.0, 0, 300.0)


@pytest.mark.parametrize("n_ions", [16, 48, 128])
def test_independent_walkers_have_a_haven_ratio_of_one(rng, n_ions):
    """At every N: a definition that forgets N would give 1/N or N."""
    found = haven_ratio(displacements_of(*[brownian(rng, 500, n_ions, 1e-5) for _ in range(8)]))
    assert abs(found.haven_ratio.value - 1) < 3 * found.haven_ratio.error
    assert found.haven_ratio.error < 0.1
    assert abs(found.charge_diffusivity.value - 1e-5) < 3 * found.charge_diffusivity.error


def test_the_error_of_the_haven_ratio_holds(rng):
    found = [haven_ratio(displacements_of(brownian(rng, 300, 20, 1e-5))).haven_ratio for _ in range(200)]
    assert 0.56 < np.mean([abs(h.value - 1) < h.error for h in found]) < 0.78


def test_ions_that_move_as_one(rng):
    """Groups of m that move rigidly: H_R = 1/m exactly where there is one group."""
    whole = haven_ratio(displacements_of(np.repeat(brownian(rng, 500, 1, 1e-5), 12, axis=1)))
    assert whole.haven_ratio.value == pytest.approx(1 / 12)
    pairs = haven_ratio(displacements_of(*[np.repeat(brownian(rng, 500, 10, 1e-5), 2, axis=1) for _ in range(8)]))
    assert abs(pairs.haven_ratio.value - 0.5) < 3 * pairs.haven_ratio.error


def test_ions_that_only_change_places_carry_no_charge():
    """Pairs that step apart: the tracer moves, the sum does not."""
    path = np.arange(100)[:, None, None] * np.array([[1.0, 0, 0], [-1.0, 0, 0]])
    found = haven_ratio(displacements_of(path))
    assert found.charge_diffusivity.value == 0
    assert str(found.haven_ratio) == "no result (the ions as a whole did not move)"


def test_a_run_too_short_is_refused(rng):
    with pytest.raises(ValueError, match="found 5 stretches of time, expected at least 8"):
        haven_ratio(displacements_of(brownian(rng, 6, 4, 1e-5)))
