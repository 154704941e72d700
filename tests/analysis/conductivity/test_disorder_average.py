import numpy as np
import pytest

from mlff.analysis import Estimate, no_result
from mlff.analysis.conductivity.disorder_average import (
    arithmetic_mean,
    boltzmann_weights,
    disorder_average,
    harmonic_mean,
    of_80_percent_crystallinity,
    uniform_weights,
)
from mlff.units import K_B

# papers 003, Table 2: composition → σ100, σ80, mS/cm
TABLE_2 = {"Cl": (11.5, 2.3), "Br": (8.8, 1.8), "I": (2.6, 0.5)}
# and Table 1, MTP_optB88-vdw, mS/cm
OPTB88 = {"0": 0.008, "25": 19.2, "50a": 12.7, "50b": 15.7, "75": 13.3, "100": 0.01}


def of(values, relative=0.0):
    return {name: Estimate(v, relative * v, unit="mS/cm") for name, v in values.items()}


@pytest.mark.parametrize("halogen", TABLE_2)
def test_table_2_of_papers_003(halogen):
    crystal, sample = TABLE_2[halogen]
    found = of_80_percent_crystallinity(Estimate(crystal, 0.1, unit="mS/cm"))
    assert round(found.value, 1) == sample
    assert found.error == pytest.approx(0.02)
    assert found.unit == "mS/cm"


def test_weights_of_boltzmann():
    """Two states ln 2 kT apart, the upper of them twice: as many in each. And any zero of the energies."""
    step = K_B * 800 * np.log(2)
    weights = boltzmann_weights({"a": -1e4, "b": -1e4 + step}, 800, {"a": 1, "b": 2})
    assert weights == pytest.approx({"a": 0.5, "b": 0.5}, rel=1e-6)
    assert boltzmann_weights({"a": 0.0, "b": step}, 800) == pytest.approx({"a": 2 / 3, "b": 1 / 3})
    assert uniform_weights(["a", "b"]) == {"a": 0.5, "b": 0.5}


def test_side_by_side_or_one_behind_the_other():
    """In a row the configurations that block decide: a factor of a thousand in the paper's own table."""
    weights = uniform_weights(OPTB88)
    parallel, series = (disorder_average(of(OPTB88), weights, mean) for mean in (arithmetic_mean, harmonic_mean))
    assert parallel.value == pytest.approx(np.mean(list(OPTB88.values())))
    assert series.value == pytest.approx(6 / np.sum([1 / s for s in OPTB88.values()]))
    assert series.value < 0.03 < 10 < parallel.value
    alone = boltzmann_weights({name: 0.0 if name == "50a" else 5.0 for name in OPTB88}, 300)
    assert disorder_average(of(OPTB88), alone, harmonic_mean).value == pytest.approx(12.7)


@pytest.mark.parametrize("mean", [arithmetic_mean, harmonic_mean])
def test_errors_propagate(rng, mean):
    weights = boltzmann_weights({"a": 0.0, "b": 0.03}, 600)
    values = {"a": Estimate(5.0, 0.2, unit="mS/cm"), "b": Estimate(2.0, 0.1, unit="mS/cm")}
    found = disorder_average(values, weights, mean)
    share = np.array(list(weights.values()))
    drawn = [mean(np.array([5.0, 2.0]) + [0.2, 0.1] * rng.normal(size=2), share) for _ in range(20000)]
    assert found.error == pytest.approx(np.std(drawn), rel=0.03)


def test_bounds_propagate():
    """A configuration that blocks, of which only a bound is known: side by side it costs its share, in a row all may be lost."""
    values = of({"a": 10.0}) | {"b": Estimate(None, upper=1e-3, unit="mS/cm")}
    weights = {"a": 3.0, "b": 1.0}
    parallel = disorder_average(values, weights)
    assert (parallel.lower, parallel.upper) == pytest.approx((7.5, 7.50025))
    series = disorder_average(values, weights, harmonic_mean)
    assert series.lower is None
    assert series.upper == pytest.approx(1 / (0.075 + 0.25e3))
    assert series.reason == "no value of b"
    unknown = of({"a": 10.0}) | {"b": no_result("not run", "mS/cm")}
    assert disorder_average(unknown, weights).lower == 7.5
    assert disorder_average(unknown, weights).upper is None
    assert disorder_average(unknown, weights, harmonic_mean).upper == pytest.approx(10 / 0.75)
    assert disorder_average(unknown, {"a": 1, "b": 0}).value == 10.0


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"found conductivities of \['a'\] and weights of \['a', 'b'\], expected the same names"):
        disorder_average(of({"a": 1.0}), {"a": 0.5, "b": 0.5})
    with pytest.raises(ValueError, match="expected none below 0 and some above"):
        disorder_average(of({"a": 1.0}), {"a": 0.0})
    with pytest.raises(ValueError, match="found no positive degeneracy of b"):
        boltzmann_weights({"a": 0.0, "b": 0.1}, 300, {"a": 1})
    with pytest.raises(ValueError, match="found 0 energies and 300 K"):
        boltzmann_weights({}, 300)
